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
from headstart.statistics.joint.prospects import futures
from headstart.statistics.joint.sequential import levels
from headstart.statistics.power import MOST_SEEDS, POWER, decidable, seeds_for
from headstart.study.spec import Study
from headstart.tools.forecast import assumed, forecast
from headstart.wording.phrases import count, listed

Values = NDArray[np.float64]
"""Final accuracies [A, P, N]; a pair with one that is not finite cannot be used."""

RUNS_VARY = 0.01
"""The standard deviation of a run over seeds, where nothing says what it is: one point."""

ASSUMED = math.sqrt(2) * RUNS_VARY
"""That of a difference of two such runs."""

GAIN = 0.02
"""Of a start, where nothing says how much better it is."""

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

    values: final accuracies [A, P, N] of the first seeds, which all pairs have that go on or not.
    """

    starts: tuple[Contrast, ...] = ()
    pairs: tuple[Contrast, ...] = ()
    seeds: int = 0
    values: Values | None = None


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
        """The difference that so many seeds find, as a share."""
        if not self.contrasts:
            return ASSUMED * decidable(seeds, self.m, edge_of=edge_of)
        found = self._at_least(decidable(seeds, self.m, edge_of=edge_of))
        return self._at_least(decidable(seeds, self.m, self._power(found), edge_of))

    def seeds(self, difference: float) -> int | None:
        """The seeds that a difference takes."""
        if not self.contrasts:
            return seeds_for(difference / ASSUMED, self.m, edge_of=edge_of)
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
    pairs = (pair,) if pair and pair.spread else ()
    return Spreads(tuple(starts), pairs, values.shape[-1], shared(values))


def shared(values: Values) -> Values:
    """The first seeds, that every pair has which was run at all: where one is worse, it is run no
    further, and what it would do is no less of a future.
    """
    ran = np.cumprod(~np.isnan(values), axis=-1).sum(axis=-1)
    return values[..., : int(ran[ran > 0].min())] if (ran > 0).any() else values


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


def told(study: Study, like: Spreads) -> list[str]:
    """What the study can decide, in lines; none where it compares nothing.

    study: before it is run; `like`: the spreads that are expected.
    """
    settings: Mapping[str, Any] = yaml.safe_load(study.resolved())
    plan = plan_of(settings)
    if not plan.looks.seeds:  # one seed
        return []
    compared = comparisons(study, plan, like)
    if not compared:
        return []
    points: float = settings.get("margin", MARGIN)
    unit = "tuning" if plan.repeats > 1 else "seed"
    many = count(plan.looks.seeds[-1], unit)
    finds = listed(_found(each, plan.looks.seeds[-1]) for each in compared)
    takes = listed(_taken(each, points, unit) for each in compared)
    source = f"(by {count(like.seeds, unit)} of the results given)"
    if not all(each.contrasts for each in compared):
        source = (
            f"(where runs vary over seeds by a standard deviation of {_in_points(RUNS_VARY)}: a "
            "difference is found in proportion; --like DIR reads it off the results of a similar "
            "study, or of the first seeds of this one)"
        )
    return [
        f"{many} find a difference of {finds} in {POWER:.0%} of studies",
        f"a difference of {_in_points(points / 100)} takes {takes}",
        *foretold(study, plan, like),
        source,
    ]


def foretold(study: Study, plan: Plan, like: Spreads) -> list[str]:
    """What comes of the study if it runs until it has decided, in lines; none where it does not."""
    looks = plan.looks
    if len(looks.seeds) < 2:
        return []
    found = outcomes([run.row for run in study.grid], plan.seeds, looks.seeds[0])
    n_starts, n_pairs = found.wanted.shape
    known = like.values
    if known is not None and known.shape[:2] == (n_starts, n_pairs) and known.shape[2] > 1:
        cases = {"of studies like the results given": futures(known, looks.seeds[-1])}
    else:
        shape = n_starts, n_pairs, looks.seeds[-1]
        cases = {"where nothing differs": assumed(*shape, RUNS_VARY, 0.0)}
        if n_starts > 1:
            better = f"where one start is better by {_in_points(GAIN)} and pairs are alike"
            cases[better] = assumed(*shape, RUNS_VARY, GAIN)
    lines = [f"until decided, {looks.seeds[0]} to {looks.seeds[-1]} seeds:"]
    for case, values in cases.items():
        at_end = forecast(values, looks, plan.margin)
        said = []
        if n_starts > 1:
            no_better = max(at_end.where - at_end.ahead, 0.0)
            said.append(
                f"{at_end.where:.0%} decide where to begin ({at_end.ahead:.0%} by a start that is "
                f"ahead, {no_better:.0%} as no other is better by more than "
                f"{_in_points(plan.margin)})"
            )
        if n_pairs > 1:
            said.append(f"{at_end.which:.0%} decide with what")
        lines.append(f"  {case}, {listed(said)}; {at_end.seeds} seeds in the median")
    return lines


def _found(compared: Comparison, seeds: int) -> str:
    return f"{100 * compared.difference(seeds):.1f} points between {compared.what}"


def _taken(compared: Comparison, points: float, unit: str) -> str:
    needed = compared.seeds(points / 100)
    many = f"more than {MOST_SEEDS:,} {unit}s" if needed is None else count(needed, unit)
    return f"{many} between {compared.what}"


def _in_points(share: float) -> str:
    points = f"{100 * share:g}"
    return f"{points} point" if points == "1" else f"{points} points"
