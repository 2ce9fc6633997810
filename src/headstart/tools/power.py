"""What a study can decide with its seeds, and how many a difference takes, before it is run.

Starts are compared by their best pairs, pairs two by two, in simulated studies (`detection`). How
much runs vary over seeds is read off the results of a study like it.

Shapes: A starts, P pairs, N seeds.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from headstart import tables
from headstart.looks.outcomes import outcomes
from headstart.looks.plans import MARGIN, Plan, plan_of
from headstart.looks.repeats import repeats_of, together
from headstart.statistics.joint.prospects import futures
from headstart.statistics.joint.sequential import Looks
from headstart.statistics.power import MOST_SEEDS, POWER
from headstart.study.spec import Study
from headstart.tools.detection import Expected, alike, like_these
from headstart.tools.forecast import assumed, forecast
from headstart.wording.phrases import count, listed

Values = NDArray[np.float64]
"""Final accuracies [A, P, N]; a pair with one that is not finite cannot be used."""

RUNS_VARY = 0.01
"""The standard deviation of a run over seeds, where nothing says what it is: one point."""

GAIN = 0.02
"""Of a start, where nothing says how much better it is."""


@dataclass(frozen=True)
class Spreads:
    """What is known of differences over seeds: the standard deviations of those that decide between
    starts, and of those between two pairs, as shares. Empty where nothing was seen of them.

    values: final accuracies [A, P, N] of the first seeds, which all pairs have that go on or not.
    """

    starts: tuple[float, ...] = ()
    pairs: tuple[float, ...] = ()
    seeds: int = 0
    values: Values | None = None


UNKNOWN = Spreads()


@dataclass(frozen=True)
class Comparison:
    """What is compared, `starts` or `pairs`, and the studies in which a difference is to be found.

    is_known: whether they are as the results given, or as is assumed.
    """

    what: str
    studies: Expected
    is_known: bool


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
    starts: list[float] = []
    variances: list[float] = []
    for theirs in ranked[1:]:
        starts += _contrasts(ranked[0][0], theirs)
    for ours in ranked:
        better = ours[: max(2, math.ceil(len(ours) / 2))]
        for one, other in itertools.combinations(better, 2):
            variances.append(float(np.var(one - other, ddof=1)))
    pair = float(np.sqrt(np.mean(variances))) if variances else 0.0
    pairs = (pair,) if pair else ()
    return Spreads(tuple(starts), pairs, values.shape[-1], shared(values))


def shared(values: Values) -> Values:
    """The first seeds, that every pair has which was run at all: where one is worse, it is run no
    further, and what it would do is no less of a future.
    """
    ran = np.cumprod(~np.isnan(values), axis=-1).sum(axis=-1)
    return values[..., : int(ran[ran > 0].min())] if (ran > 0).any() else values


def _best_mean(ranked: Values) -> float:
    return float(ranked[0].mean())


def _contrasts(best: Values, theirs: Values) -> list[float]:
    """Those of the best pair of one start against the pairs of another, the best of them first."""
    return [spread for spread in np.std(best - theirs, axis=-1, ddof=1).tolist() if spread]


def comparisons(study: Study, plan: Plan, like: Spreads) -> list[Comparison]:
    """The comparisons of starts and of pairs that a study makes."""
    n_starts, n_pairs = shape_of(study, plan)
    compared = []
    if n_starts > 1:
        compared.append(_comparison("starts", (n_starts, n_pairs), plan.margin, like))
    if n_pairs > 1:
        compared.append(_comparison("pairs", (n_starts, n_pairs), plan.margin, like))
    return compared


def _comparison(what: str, shape: tuple[int, int], margin: float, like: Spreads) -> Comparison:
    """A comparison in studies like the results; of other starts or pairs than the study has, these
    say how much runs vary.
    """
    contrasts = like.starts if what == "starts" else like.pairs
    if not contrasts:
        return Comparison(what, alike(shape, RUNS_VARY, margin), is_known=False)
    studies = None
    if like.values is not None and like.values.shape[:2] == shape and like.values.shape[2] > 1:
        studies = like_these(like.values, margin)
    return Comparison(what, studies or alike(shape, of_a_run(contrasts), margin), is_known=True)


def of_a_run(contrasts: Sequence[float]) -> float:
    """The standard deviation of a run over seeds, by those of differences of two: a pair that
    nobody would use may vary much more.
    """
    return float(np.median(contrasts)) / math.sqrt(2)


def shape_of(study: Study, plan: Plan) -> tuple[int, int]:
    """How many starts and pairs a study compares."""
    found = outcomes([run.row for run in study.grid], plan.seeds, plan.looks.seeds[0])
    n_starts, n_pairs = found.wanted.shape
    return n_starts, n_pairs


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
    finds = found_by(compared, plan.looks)
    takes = listed(_taken(each, points, unit) for each in compared)
    source = f"(by {count(like.seeds, unit)} of the results given)"
    if not all(each.is_known for each in compared):
        source = (
            f"(where runs vary over seeds by a standard deviation of {_in_points(RUNS_VARY)}: a "
            "difference is found in proportion; --like DIR reads it off the results of a similar "
            "study, or of the first seeds of this one)"
        )
    return [
        f"{many} find {finds} in {POWER:.0%} of studies",
        f"a difference of {_in_points(points / 100)} takes {takes}",
        *foretold(study, plan, like),
        source,
    ]


def foretold(study: Study, plan: Plan, like: Spreads) -> list[str]:
    """What comes of the study if it runs until it has decided, in lines; none where it does not."""
    looks = plan.looks
    if len(looks.seeds) < 2:
        return []
    n_starts, n_pairs = shape_of(study, plan)
    known = like.values
    if known is not None and known.shape[:2] == (n_starts, n_pairs) and known.shape[2] > 1:
        cases = {"of studies like the results given": futures(known, looks.seeds[-1])}
    else:
        shape = n_starts, n_pairs, looks.seeds[-1]
        spread = of_a_run(like.starts or like.pairs) if like.starts or like.pairs else RUNS_VARY
        cases = {"where nothing differs": assumed(*shape, spread, 0.0)}
        if n_starts > 1:
            better = f"where one start is better by {_in_points(GAIN)} and pairs are alike"
            cases[better] = assumed(*shape, spread, GAIN)
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


def found_by(compared: Sequence[Comparison], looks: Looks) -> str:
    """Which differences a study finds, as the sentence has it."""
    told, none = [], []
    for each in compared:
        found = each.studies.difference(each.what, looks)
        if math.isinf(found):
            none.append(each.what)
        else:
            told.append(f"{100 * found:.1f} points between {each.what}")
    if not told:
        return f"no difference between {' or '.join(none)}, however large,"
    told += [f"none between {what}" for what in none]
    return f"a difference of {listed(told)}"


def _taken(compared: Comparison, points: float, unit: str) -> str:
    needed = compared.studies.seeds(compared.what, points / 100)
    many = f"more than {MOST_SEEDS:,} {unit}s" if needed is None else count(needed, unit)
    return f"{many} between {compared.what}"


def _in_points(share: float) -> str:
    points = f"{100 * share:g}"
    return f"{points} point" if points == "1" else f"{points} points"
