"""What is left to look for, and how: about how many more seeds would decide, and the command."""

import shlex
from dataclasses import dataclass

from headstart.looks.decided import Decided
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.verdict.headlines import Headlines
from headstart.report.verdict.sentences import in_points
from headstart.report.verdict.where import Starts, by_divergence, seen
from headstart.report.verdict.which import Pairs
from headstart.report.words.methods import method
from headstart.statistics.couples import LUCK
from headstart.statistics.intervals import differences
from headstart.statistics.power import MOST_SEEDS, seeds_to_lead
from headstart.statistics.sequential import LEVEL
from headstart.wording.phrases import count, listed

AT_MOST, WORTH_IT = 20, 40
"""Seeds that are proposed at the least where seeds are left to find, and at the most."""

MOST_AT_STAKE = 0.1
"""Of accuracy: that it could cost more than this is no help to anybody."""


@dataclass(frozen=True)
class Outlook:
    """What is left to look for, and the command that looks for it; empty where there is none."""

    sentence: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.command}".rstrip()


def outlook(grid: Grid, start: str, folder: str, first: Headlines) -> Outlook:
    """What is left to look for from what the last look decided.

    Args:
        grid: the study's cells.
        start: the one that is chosen.
        folder: of the study, as the command names it.
        first: the headlines, which say what comes before more seeds.
    """
    found, last = grid.decided, grid.decided.last
    here = shlex.quote(folder)
    again = f"headstart run {here}/study.yaml --out {here}"
    if last is None:
        if found.missing:
            return Outlook("The same command goes on to the first look.", again)
        return Outlook("Seeds are added to the same folder.", f"{again} --until decided")
    if last.leader is None or first.constant or first.untrained:
        return Outlook("")
    if first.rising:
        more = f" (rounds: {2 * grid.rounds})" if grid.rounds else ""
        return Outlook(f"First raise the rounds{more} in the study file; seeds come after.", again)
    starts = seen(grid)
    if found.is_decided and starts and starts.unable and not by_divergence(grid, starts).decided:
        return Outlook("More seeds would not decide more: first lower the rates of what diverged.")
    if found.is_decided:
        margin = in_points(last.margin)
        if len(found.starts) == 1:
            return Outlook("A second start in the study file would tell where to begin.")
        said = f"nothing is better than what is named here by more than {margin}"
        return Outlook(f"No more seeds are needed: {said}.")
    if found.missing:
        runs = count(found.missing, "run")
        return Outlook(f"The next look needs {runs} more; the same command goes on.", again)
    return _more_seeds(grid, start, again)


def _more_seeds(grid: Grid, start: str, again: str) -> Outlook:
    last = grid.decided.last
    assert last is not None
    ended, unit = given_up(grid.decided), grid.decided.unit
    questions, needed = [], []
    if not last.where:
        questions.append("where to begin")
        needed.append(for_where(grid))
    if not last.which:
        questions.append("with what")
        needed.append(for_which(grid, start))
    what = listed(questions)
    stake = at_stake(grid, start)
    if None in needed:
        many = f"More than {MOST_SEEDS:,} {unit}s would be needed to decide {what}."
        return Outlook(f"{ended}{many}{stake}")
    total = max(filter(None, needed), default=0)
    more = max(1, total - last.seeds)
    about = f"About {count(more, f'more {unit}')} would decide {what}"
    said = f"{ended}{about}, if differences are as measured."
    if total > WORTH_IT:
        return Outlook(f"{said}{stake}")
    if grid.decided.plan.repeats > 1:
        raised = (
            f"First raise the repeats of the tuning to {last.seeds + more}, with as many seeds."
        )
        return Outlook(f"{said} {raised}", again)
    at_most = max(AT_MOST, last.seeds + more)
    return Outlook(said, f"{again} --until decided --at-most {at_most}")


def given_up(found: Decided) -> str:
    """That a study ended before its last look, and why; empty where it did not."""
    if not found.spared or found.last is None:
        return ""
    return (
        f"It ended at {count(found.last.seeds, 'seed')}: {count(found.spared, 'seed')} more would "
        f"not have decided it, but in one of {LUCK:.0f} studies like it. "
    )


def for_where(grid: Grid) -> int | None:
    """Seeds that would decide where to begin; None where no such number is known."""
    found, starts = grid.decided, seen(grid)
    ours = grid.best(starts.leader) if starts else None
    if starts is None or ours is None:
        return None
    comparisons = len(found.starts) * (len(found.starts) - 1) * len(found.pairs)
    most = 0
    for other in _rivals(starts):
        theirs = grid.best(other)
        needed = _needed(ours, theirs, starts.last.margin, comparisons) if theirs else None
        if needed is None:
            return None
        most = max(most, needed)
    return most


def _rivals(starts: Starts) -> list[str]:
    """The starts that may be better than the one that leads."""
    return [start for start in starts.candidates if start != starts.leader]


def for_which(grid: Grid, start: str) -> int | None:
    """Seeds that would decide with what; None where no such number is known."""
    found, last = grid.decided, grid.decided.last
    assert last is not None
    pairs = Pairs(found, last, start)
    comparisons = len(found.starts) * len(found.pairs) * (len(found.pairs) - 1)
    first, most = grid.cell(start, found.pairs[pairs.able[0]][0]), 0
    for other in pairs.candidates:
        if other == pairs.able[0]:
            continue
        there = grid.cell(start, found.pairs[other][0])
        needed = _needed(first, there, last.margin, comparisons)
        if needed is None:
            return None
        most = max(most, needed)
    return most


def _needed(ours: Cell, theirs: Cell, margin: float, comparisons: int) -> int | None:
    by_seed = differences(ours.accuracy, theirs.accuracy)
    return seeds_to_lead([*by_seed.values()], margin, LEVEL / 2 / comparisons)


def at_stake(grid: Grid, start: str) -> str:
    """What it costs at the most to take what leads, where that is known."""
    found, starts = grid.decided, seen(grid)
    if starts is None:
        return ""
    by_start, by_pair = [0.0], [0.0]
    for other in _rivals(starts):
        by_start.append(starts.ahead(other, starts.leader).most)
    pairs = Pairs(found, starts.last, start)
    for place in pairs.able[1:]:
        by_pair.append(pairs.ahead(place, pairs.able[0]).most)
    lost = max(by_start) + max(by_pair)
    if lost > MOST_AT_STAKE:
        return ""
    return (
        f" Whoever does not want to wait takes what leads, {start} with "
        f"{method(found.pairs[pairs.able[0]][0])}, and loses {in_points(lost)} at the most."
    )
