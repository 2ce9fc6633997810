"""The runs of a study that are due: all of a study whose seeds are listed; else those up to the
next look.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from headstart.looks.competitors import Row
from headstart.looks.decided import Decided, decided
from headstart.looks.outcomes import COLUMNS
from headstart.looks.plans import Plan
from headstart.study.file.run_spec import RunSpec
from headstart.study.groups import Group, groups_of
from headstart.study.spec import Study

GROUPS_OF_A_LOOK = 4
"""The runs of a look after the first are divided among so many groups at least, so that processes
share them. A constant, since groups may not depend on how many processes there are.
"""


@dataclass(frozen=True)
class Looked:
    """A look was taken: its number, after how many seeds, and whether the study has decided.

    where, which: whether it is decided where to begin, and with what. is_last: whether no other is
    to come. spared: the seeds that are planned and not run, as they would most likely decide
    nothing.
    """

    look: int
    seeds: int
    where: bool
    which: bool
    is_last: bool
    spared: int = 0


def decided_so_far(runs: Sequence[RunSpec], done: pa.Table, plan: Plan) -> Decided:
    """What the runs that are done decide.

    Args:
        runs: all runs that the study may have.
        done: the rows of those that are done.
        plan: when it is looked at.
    """
    rows: dict[str, Row] = {run.key: run.row for run in runs}
    for row in done.select(list(COLUMNS)).to_pylist():
        rows[row["run"]] = row
    return decided(rows.values(), plan)


def due(
    runs: Sequence[RunSpec], held_against: Mapping[RunSpec, RunSpec], found: Decided
) -> list[RunSpec]:
    """The runs up to the next look, of a study that runs until it has decided.

    Args:
        runs: all that it may have.
        held_against: the runs of other training, each with the run that is held against it: those
            of the first look are due.
        found: what is decided.
    """
    first = found.plan.seeds[: found.plan.looks.seeds[0]]
    others = [other for other, run in held_against.items() if run.seed in first]
    return [*(run for run in runs if found.needs(run.row)), *others]


def sure(study: Study) -> list[RunSpec]:
    """The runs that a study has in any case: where it runs until it has decided, those of the
    first look.
    """
    runs = [*study.runs, *study.baselines]
    if study.until is None:
        return runs
    return [run for run in runs if run.seed < study.until.first]


def groups_by_look(
    runs: Sequence[RunSpec], plan: Plan, most: Callable[[RunSpec], int]
) -> list[Group]:
    """The groups of the runs that are due, those of each look by themselves.

    So the groups of a look are the same whether the runs of the looks before are done.
    """
    place = {seed: n for n, seed in enumerate(plan.seeds)}
    by_look: dict[int, list[RunSpec]] = defaultdict(list)
    for run in runs:
        by_look[bisect_right(plan.looks.seeds, place[run.seed])].append(run)
    groups = []
    for look, of_look in sorted(by_look.items()):
        few = -(-len(of_look) // GROUPS_OF_A_LOOK) if look else len(of_look)
        groups += groups_of(of_look, partial(_at_most, few, most))
    return groups


def _at_most(few: int, most: Callable[[RunSpec], int], run: RunSpec) -> int:
    return min(few, most(run))
