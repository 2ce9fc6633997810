"""What a study can decide with its seeds, and how many a difference takes, before it is run.

Starts are compared by their best pairs: one is ahead of another where its best pair is ahead of
every pair of the other, a poor one that varies much included. Pairs are compared two by two.
`statistics.joint.claims` shares the error out among these tests. How much differences vary over
seeds is read off the results of a study like it.

Shapes: A starts, P pairs, N seeds.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray

from headstart import tables
from headstart.looks.outcomes import outcomes
from headstart.looks.plans import MARGIN, Plan, plan_of
from headstart.looks.repeats import repeats_of, together
from headstart.statistics.intervals import LEVEL
from headstart.statistics.joint.claims import ENOUGH, OF_PAIRS, OF_STARTS
from headstart.statistics.joint.couples import edge
from headstart.statistics.joint.sequential import levels
from headstart.statistics.power import MOST_SEEDS, POWER, decidable, seeds_for
from headstart.study.spec import Study
from headstart.wording.phrases import listed

Values = NDArray[np.float64]
"""Final accuracies [A, P, N]; a pair with one that is not finite cannot be used."""

CLOSE = 1.5
"""Tests whose differences are within this factor of the smallest, in spreads, may all fail."""


class Contrast(NamedTuple):
    """A difference that is tested: how much larger it is than the one asked for, and its standard
    deviation over seeds, as shares.
    """

    gap: float
    spread: float


@dataclass(frozen=True)
class Spreads:
    """What is known of differences over seeds: those that decide between starts, and those between
    two pairs. Empty where nothing was seen of them.
    """

    starts: tuple[Contrast, ...] = ()
    pairs: tuple[Contrast, ...] = ()
    seeds: int = 0


UNKNOWN = Spreads()


def edge_of(seeds: int, m: float) -> float:
    """The t beyond which a bound of `statistics.joint.claims` decides that is one of m."""
    return edge(seeds, (1 - LEVEL) / (2 * m), ENOUGH)


@dataclass(frozen=True)
class Comparison:
    """What is compared, how many tests share the error of it, and the tests where they are known:
    all of them must decide.
    """

    what: str
    m: float
    contrasts: tuple[Contrast, ...]

    def difference(self, seeds: int) -> float:
        """The difference that so many seeds find, as a share; in spreads where that is not
        known.
        """
        if not self.contrasts:
            return decidable(seeds, self.m, edge_of=edge_of)
        found = self._at_least(decidable(seeds, self.m, edge_of=edge_of))
        return self._at_least(decidable(seeds, self.m, self._power(found), edge_of))

    def seeds(self, difference: float) -> int | None:
        """The seeds that a difference takes; of one spread, where that is not known."""
        if not self.contrasts:
            return seeds_for(1.0, self.m, edge_of=edge_of)
        effect = min((difference + each.gap) / each.spread for each in self.contrasts)
        return seeds_for(effect, self.m, self._power(difference), edge_of)

    def _at_least(self, times: float) -> float:
        """The difference at which every test has one of so many spreads."""
        return max(0.0, *(times * each.spread - each.gap for each in self.contrasts))

    def _power(self, difference: float) -> float:
        """The power that each test needs, so that all of them find it in `POWER` of studies."""
        effects = np.array([(difference + each.gap) / each.spread for each in self.contrasts])
        return float(1 - (1 - POWER) / np.sum(effects <= CLOSE * effects.min()))


def spreads_of(folder: Path) -> Spreads:
    """The spreads in the results of a study.

    Raises:
        HeadstartError: the folder holds none, or a table is damaged.
    """
    found = tables.read_results(folder)
    rows = found.runs.to_pylist()
    if not rows:
        return UNKNOWN
    seeds = sorted({row["seed"] for row in rows})
    independent = together(rows, seeds, repeats_of(yaml.safe_load(found.study)))
    seeds = sorted({row["seed"] for row in independent})
    return spreads(outcomes(independent, seeds, len(seeds)).values)


def spreads(values: Values) -> Spreads:
    """The spreads of the best pair of the best start against every pair of the others, and of the
    better half of the pairs from each start: those that nobody would use vary most.
    """
    ranked: list[Values] = []
    for of_start in values:
        usable = of_start[np.isfinite(of_start).all(axis=-1)]
        ranked.append(usable[np.argsort(-usable.mean(axis=-1), kind="stable")])
    ranked = sorted(filter(len, ranked), key=_best_mean, reverse=True)
    if values.shape[-1] < 2 or not ranked:
        return UNKNOWN
    starts: list[Contrast] = []
    variances: list[float] = []
    for theirs in ranked[1:]:
        starts += _contrasts(ranked[0][0], theirs)
    for ours in ranked:
        better = ours[: max(2, math.ceil(len(ours) / 2))]
        for one, other in itertools.combinations(better, 2):
            variances.append(float(np.var(one - other, ddof=1)))
    pair = Contrast(0.0, float(np.sqrt(np.mean(variances)))) if variances else None
    return Spreads(tuple(starts), (pair,) if pair and pair.spread else (), values.shape[-1])


def _best_mean(ranked: Values) -> float:
    return float(ranked[0].mean())


def _contrasts(best: Values, theirs: Values) -> list[Contrast]:
    """Those of the best pair of one start against the pairs of another, the best of them first."""
    found = []
    for pair in theirs:
        spread = float(np.std(best - pair, ddof=1))
        if spread:
            found.append(Contrast(float(theirs[0].mean() - pair.mean()), spread))
    return found


def comparisons(study: Study, plan: Plan, like: Spreads) -> list[Comparison]:
    """The comparisons of starts and of pairs that a study makes."""
    found = outcomes([run.row for run in study.grid], plan.seeds, plan.looks.seeds[0])
    n_starts, n_pairs = found.wanted.shape
    alone = n_starts == 1 or n_pairs == 1
    of_starts, of_pairs = (1.0, 1.0) if alone else (OF_STARTS, OF_PAIRS)
    compared = []
    if n_starts > 1:
        m = equal_tests(plan, of_starts / (n_starts * (n_starts - 1)) / n_pairs)
        compared.append(Comparison("starts", m, like.starts))
    if n_pairs > 1:
        m = equal_tests(plan, of_pairs / n_starts / (n_pairs * (n_pairs - 1)))
        compared.append(Comparison("pairs", m, like.pairs))
    return compared


def equal_tests(plan: Plan, share: float) -> float:
    """As how many tests at one look a test counts that has this share of the error, at the last."""
    return (1 - LEVEL) / levels(plan.looks, 2 * share)[-1]


def told(study: Study, like: Spreads, margin: float | None = None) -> list[str]:
    """What the study can decide, in lines; none where it compares nothing.

    Args:
        study: the study, before it is run.
        like: the spreads that are expected.
        margin: points of accuracy; by default the difference that matters by the study file.
    """
    settings: Mapping[str, Any] = yaml.safe_load(study.resolved())
    plan = plan_of(settings)
    if not plan.looks.seeds:  # one seed
        return []
    compared, seeds = comparisons(study, plan, like), plan.looks.seeds[-1]
    if not compared:
        return []
    points: float = settings.get("margin", MARGIN) if margin is None else margin
    finds = listed(_found(each, seeds) for each in compared)
    takes = listed(_taken(each, points) for each in compared)
    what, source = f"{points:g} points", f"(by {like.seeds} seeds of the results given)"
    if not all(each.contrasts for each in compared):
        what = f"{what}, or one spread where that is not known,"
        source = (
            "(a spread is the standard deviation of a difference over seeds; --like DIR reads it "
            "off the results of a similar study, or of the first seeds of this one)"
        )
    return [
        f"{seeds} seeds find a difference of {finds} in {POWER:.0%} of studies",
        f"a difference of {what} takes {takes}",
        source,
    ]


def _found(compared: Comparison, seeds: int) -> str:
    difference = compared.difference(seeds)
    found = f"{100 * difference:.1f} points" if compared.contrasts else f"{difference:.1f} spreads"
    return f"{found} between {compared.what}"


def _taken(compared: Comparison, points: float) -> str:
    needed = compared.seeds(points / 100)
    many = f"more than {MOST_SEEDS:,}" if needed is None else str(needed)
    return f"{many} seeds between {compared.what}"
