"""What a study decides, look by look.

A study is looked at after some numbers of its seeds. A look claims nothing before all its runs have
ended. A pair that is worse than another from its start at one look, or diverged, is not run from
there any more, and nothing is from a start that another is ahead of: at the looks that follow they
are known to be worse, not missing. Two pairs whose runs came to the same are one.

Shapes: A starts, P pairs, N seeds.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from headstart.looks.competitors import Pair, Row, Setting, setting_of
from headstart.looks.outcomes import Names, Outcomes, outcomes, step_of
from headstart.looks.plans import Plan
from headstart.looks.repeats import together
from headstart.statistics.joint.decisions import Accuracies, Decision, decide

Places = NDArray[np.bool_]
"""[A, P]: a flag for each start and pair."""


@dataclass(frozen=True)
class Decided:
    """What a study has decided so far.

    Attributes:
        starts: in the order of the rows.
        pairs: of each that is compared, the pairs that are one with it, itself first.
        setting: the one in which starts and pairs are compared.
        plan: the looks, and the seeds in their order.
        decisions: one for each look whose runs have ended. What was claimed at a look stands in
            those of the later ones, too. Empty where no look was taken, or no accuracy measured.
        places: by start, client and server, as the rows name them, their place [A, P]. A pair that
            is one with an earlier one has none: the runs of that serve for both.
        going: of each decision, which pairs are run further from which starts [A, P].
        missing: the runs that the next look still needs; 0 where none is to come.
        accuracies: what the decisions were taken on.
    """

    starts: tuple[str, ...]
    pairs: tuple[tuple[Pair, ...], ...]
    setting: Setting
    plan: Plan
    decisions: tuple[Decision, ...]
    places: Mapping[Names, tuple[int, int]]
    going: tuple[Places, ...]
    missing: int
    accuracies: Accuracies

    @property
    def last(self) -> Decision | None:
        """The decision of the last look, with all that was claimed before."""
        return self.decisions[-1] if self.decisions else None

    def place_of(self, pair: Pair) -> int:
        """The place of a pair among those that are compared."""
        (place,) = [i for i, alike in enumerate(self.pairs) if pair in alike]
        return place

    @property
    def unit(self) -> str:
        """What a look counts: seeds; or tunings, where several seeds share the rates of one."""
        return "tuning" if self.plan.repeats > 1 else "seed"

    @property
    def is_decided(self) -> bool:
        """Whether it is decided where to begin, and with what."""
        return self.last is not None and self.last.where and self.last.which

    @property
    def spared(self) -> int:
        """The seeds that are planned and not run, as they would most likely decide nothing.

        Bounds hold whoever stops when, so that to stop early spends no error.
        """
        if self.last is None or self.is_decided or not self.last.hopeless:
            return 0
        return self.plan.looks.seeds[-1] - self.last.seeds

    @property
    def is_over(self) -> bool:
        """Whether no look is to come: it is decided, those to come would most likely decide
        nothing, or all were taken.
        """
        all_taken = len(self.decisions) == len(self.plan.looks.seeds)
        return self.is_decided or self.spared > 0 or all_taken

    def needs(self, row: Row) -> bool:
        """Whether a run is needed for the looks up to the next one.

        All runs of the first look are, in whichever setting; then those of the setting that decides
        of the pairs that go on.

        row: a run, at least as it is planned.
        """
        looks = self.plan.looks.seeds
        place = self.plan.seeds.index(row["seed"])
        look = bisect_right(looks, place)  # the first that takes this seed
        if look == 0 or not looks:
            return True
        last = len(self.decisions) - self.is_over
        names = row["start"], row["client"], row["server"]
        if look > last or setting_of(row) != self.setting or names not in self.places:
            return False
        return bool(self.going[look - 1][self.places[names]])


def decided(rows: Iterable[Row], plan: Plan) -> Decided:
    """What the runs of a study decide.

    rows: its runs, one at the least; with those that are planned where they are known.
    """
    rows, looks = together(list(rows), plan.seeds, plan.repeats), plan.looks.seeds
    found = outcomes(rows, plan.seeds, looks[0] if looks else len(plan.seeds))
    accuracies, decisions, going = _looked(found, step_of(rows), plan)
    so_far = Decided(
        starts=found.starts,
        pairs=found.pairs,
        setting=found.setting,
        plan=plan,
        decisions=decisions,
        places=found.places,
        going=going,
        missing=0,
        accuracies=accuracies,
    )
    if so_far.is_over:
        return so_far
    needed = found.values[going[-1] if going else found.wanted, : looks[len(decisions)]]
    return replace(so_far, missing=int(np.isnan(needed).sum()))


def _looked(
    found: Outcomes, step: float, plan: Plan
) -> tuple[Accuracies, tuple[Decision, ...], tuple[Places, ...]]:
    """The decisions of the looks that are complete, which pairs go on after each, and the
    accuracies that they were taken on.
    """
    if not plan.looks.seeds or plan.looks.seeds[0] < 2:  # one seed has no spread
        return Accuracies(found.values, step), (), ()
    ended = np.flatnonzero((~np.isnan(found.values)).any(axis=(0, 1)))
    values = found.values[:, :, : ended[-1] + 1 if len(ended) else 0].copy()
    while True:
        decisions, going = _complete(
            decide(Accuracies(values, step), plan.looks, plan.margin), values, found.wanted
        )
        for decision, places in zip(decisions, going, strict=True):
            later = values[:, :, decision.seeds :]
            if not np.isnan(later[~places]).all():
                later[~places] = np.nan  # they were run all the same, and count no further
                break
        else:
            return Accuracies(values, step), tuple(decisions), tuple(going)


def _complete(
    decisions: Iterable[Decision], values: NDArray[np.float64], wanted: Places
) -> tuple[list[Decision], list[Places]]:
    """Those of the first looks that lack no run, each with all that was claimed before it."""
    complete: list[Decision] = []
    going: list[Places] = []
    places = wanted
    for decision in decisions:
        so_far = values[:, :, : decision.seeds]
        if np.isnan(so_far[places]).any():
            break
        if complete:
            gone_out = ~places & ~np.isneginf(so_far).any(axis=2)
            decision = _with_gone_out(decision, complete[-1], gone_out)
        complete.append(decision)
        places = places & np.isfinite(so_far).all(axis=2)
        for a in range(len(places)):
            places[a, list(decision.worse(a))] = False
        places[list(decision.behind)] = False
        going.append(places)
    return complete, going


def _with_gone_out(decision: Decision, before: Decision, gone_out: Places) -> Decision:
    """A decision with what the one before it knew of the pairs that went out as worse."""
    best = list(decision.best)
    for a in np.flatnonzero(~np.isfinite(decision.means).any(axis=1) & gone_out.any(axis=1)):
        best[a] = before.best[a]
    return replace(
        decision,
        best=tuple(best),
        means=np.where(gone_out, before.means, decision.means),
        starts={**before.starts, **decision.starts},
        pairs={**before.pairs, **decision.pairs},
    )
