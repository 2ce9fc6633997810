"""Every answer of docs/findings.md counted again from the published tables, with nothing of
Headstart imported.

    python benchmarks/recount.py docs/results/*

It reads `results/runs.parquet` and `results/rounds.parquet` of each folder and computes, by its own
code from pyarrow, numpy and scipy, the nine differences with their intervals, their p-values, the
correction, and whether each finding holds; then it compares with the folder's `findings.json`. It
ends with 1 where a number differs. Folders without tables are named and left out.
"""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from published_study import (
    EQUAL,
    IID,
    LEVEL,
    BySeed,
    Estimate,
    Pair,
    Setting,
    Study,
    family,
    interval,
    over_pairs,
    paired,
)
from scipy import stats


class Judged(NamedTuple):
    """What is judged of a finding: the difference, what it is told from, its margin,
    and its answer alone.
    """

    estimate: Estimate | None
    against: float = 0.0
    margin: float | None = None
    alone: str = "undecided"


def p_different(e: Estimate, against: float) -> float | None:
    if e.error is None:
        return None
    if e.error == 0:
        return float(e.value == against)
    return float(2 * stats.t.sf(abs(e.value - against) / e.error, e.n - 1))


def p_within(e: Estimate, margin: float) -> float | None:
    if e.error is None:
        return None
    if e.error == 0:
        return float(abs(e.value) >= margin)
    return float(
        max(
            stats.t.sf((e.value + margin) / e.error, e.n - 1),
            stats.t.cdf((e.value - margin) / e.error, e.n - 1),
        )
    )


def side(e: Estimate | None, against: float = 0.0) -> str:
    if e is None or e.low is None or e.high is None:
        return "undecided"
    if e.low > against or (against and e.low == against):
        return "yes"
    return "no" if e.high < against else "undecided"


POWER, MOST_SEEDS = 0.8, 1000


def seeds_for(effect: float, tail: float) -> int | None:
    """Seeds after which a t test that errs with this chance on one side finds a difference of so
    many spreads.
    """
    for n in range(2, MOST_SEEDS + 1):
        edge, shift = stats.t.ppf(1 - tail, n - 1), math.sqrt(n) * effect
        if shift - edge > 5 or stats.nct.sf(edge, n - 1, shift) >= POWER:
            return n
    return None


def more_seeds(judged: "Judged", tests: int, picked: int) -> int | None:
    """Seeds that would decide an open question: that there is a difference, where it was picked
    from several, or that none matters.
    """
    e = judged.estimate
    if e is None or e.error is None:
        return None
    spread_of_seeds, needed = e.error * math.sqrt(e.n), []
    alpha = (1 - LEVEL) / tests
    if e.value != judged.against:
        apart = abs(e.value - judged.against)
        needed.append(
            seeds_for(apart / spread_of_seeds, alpha / picked / 2) if spread_of_seeds else 3
        )
    if judged.margin is not None and abs(e.value) < judged.margin:
        room = judged.margin - abs(e.value)
        needed.append(seeds_for(room / spread_of_seeds, alpha) if spread_of_seeds else 3)
    found = [each for each in needed if each is not None]
    return max(1, min(found) - e.n) if found else None


def corrected(tests: dict[int, list[float | None]]) -> dict[int, list[float | None]]:
    """Shaffer's step-down: p times the number of questions that still have a hypothesis."""
    order = sorted(
        (p, key, i)
        for key, p_values in tests.items()
        for i, p in enumerate(p_values)
        if p is not None
    )
    left = {key: len(p_values) for key, p_values in tests.items()}
    found: dict[int, list[float | None]] = {
        key: [None] * len(p_values) for key, p_values in tests.items()
    }
    largest = 0.0
    for p, key, i in order:
        largest = max(largest, min(1.0, p * sum(many > 0 for many in left.values())))
        found[key][i] = largest
        left[key] -= 1
    return found


def across_seeds(values: np.ndarray) -> float:
    """The variance between pairs [P, N], by products of two seeds,
    so without what a seed does to each pair.
    """
    n = values.shape[1]
    products = []
    for i in range(n):
        for j in range(n):
            if i != j:
                products.append(np.cov(values[:, i], values[:, j])[0, 1])
    return float(np.mean(products))


def left_out(values: np.ndarray) -> np.ndarray:
    """The jackknife's values of this variance, one a seed."""
    n, whole = values.shape[1], across_seeds(values)
    if n == 2:
        return np.array([whole, whole])
    without = [across_seeds(np.delete(values, i, axis=1)) for i in range(n)]
    return n * whole - (n - 1) * np.array(without)


def apart(first: Sequence[BySeed], other: Sequence[BySeed]) -> Estimate | None:
    """By how much further the pairs of the first start truly lie apart:
    standard deviations over seeds in common.
    """
    seeds = sorted(set.intersection(*[set(cell) for cell in (*first, *other)]))
    if len(seeds) < 2:
        return None
    values = [
        left_out(np.array([[cell[seed] for seed in seeds] for cell in cells]))
        for cells in (first, other)
    ]
    change = interval(values[0] - values[1])
    scale = sum(math.sqrt(max(float(np.mean(each)), 0.0)) for each in values)
    if change.low is not None and change.high is not None:
        scale = max(scale, math.sqrt((change.high - change.low) / 2))
    return interval((values[0] - values[1]) / (scale or 1.0))


def mean_of_known(values: Sequence[float]) -> list[float]:
    """The mean of what is a number, in a list; an empty one where nothing is."""
    known = [value for value in values if not math.isnan(value)]
    return [float(np.mean(known))] if known else []


def ranking(s: Study, a: str, b: str) -> Judged | None:
    pairs = s.block(s.pairs(), [s.base])
    if len(pairs) < 2:
        return None
    outcomes = {
        start: [s.outcomes(s.cells[start, pair, s.base]) for pair in pairs] for start in (a, b)
    }
    seeds = sorted(set.intersection(*[set(each) for every in outcomes.values() for each in every]))
    if len(seeds) < 3:
        return Judged(None)
    scores = {}
    for start, every in outcomes.items():
        scores[start] = np.nan_to_num(
            np.array([[each[seed] for seed in seeds] for each in every]), nan=-1.0
        )

    def tau(first: str, i: int, second: str, j: int) -> float:
        return float(stats.kendalltau(scores[first][:, i], scores[second][:, j]).statistic)

    within, across = [], []
    for i in range(len(seeds)):
        others = [j for j in range(len(seeds)) if j != i]
        within += mean_of_known([tau(start, i, start, j) for start in (a, b) for j in others])
        across += mean_of_known(
            [each for j in others for each in (tau(a, i, b, j), tau(a, j, b, i))]
        )
    if len(within) < 3 or len(within) != len(across):
        return Judged(None)
    change = np.subtract(within, across)
    step = 2 / math.comb(len(pairs), 2) / (len(seeds) - 1)
    centre = float(np.mean(change))
    found = interval([centre + 2 * (each - centre) for each in change], 2 * step)
    fell = any(s.diverged(s.cells[start, pair, s.base]) for start in (a, b) for pair in pairs)
    if len(pairs) < 3 or found.low is None or found.high is None:
        return Judged(found)
    if found.low > 0:
        return Judged(found, alone="yes")
    if found.high < 0.1 and np.mean(within) > 0.7 and not fell:
        return Judged(found, 0.1, alone="no")
    return Judged(found)


def step_cost(
    s: Study, a: str, b: str, axis: str, before: Any, after: Any, rest: Setting, pairs: list[Pair]
) -> Judged:
    settings = [s.moved(rest, axis, before), s.moved(rest, axis, after)]
    kept = s.whole(pairs, settings)
    drops = {}
    for start in (a, b):
        easier, harder = (s.mean_over(start, kept, setting) for setting in settings)
        drops[start] = {seed: easier[seed] - harder[seed] for seed in easier if seed in harder}
    found = paired(drops[a], drops[b])
    return Judged(found, margin=s.margin(axis_slug(axis), s.points) / 100, alone=side(found))


def axis_slug(axis: str) -> str:
    return {"partition": "iid-gap", "local_epochs": "local-epochs", "devices": "devices"}[axis]


def iid_gap(s: Study, a: str, b: str) -> Judged | None:
    part = s.varied("partition", IID)
    if part is None:
        return None
    rest, values, pairs = part

    def quality(value: str) -> float:
        at = s.moved(rest, "partition", value)
        cells = [
            s.cells[start, pair, at]
            for start in s.starts
            for pair in pairs
            if (start, pair, at) in s.cells
        ]
        return float(np.nanmean([s.mean(cell) for cell in cells]))

    others = [value for value in values if value != IID]
    hard = s.base[0] if s.base[0] in others else min(others, key=quality)
    return step_cost(s, a, b, "partition", IID, hard, rest, pairs)


def local_epochs(s: Study, a: str, b: str) -> Judged | None:
    part = s.varied("local_epochs")
    return (
        step_cost(s, a, b, "local_epochs", part[1][0], part[1][-1], part[0], part[2])
        if part
        else None
    )


def devices(s: Study, a: str, b: str) -> Judged | None:
    part = s.varied("devices")
    if part is None:
        return None
    rest, values, pairs = part
    even = EQUAL if EQUAL in values else values[0]
    uneven = next(value for value in values if value != even)
    at = s.moved(rest, "devices", uneven)
    kept = s.whole(pairs, [at])
    if len(kept) > 2:
        found = apart(*[[s.accuracy((start, pair, at)) for pair in kept] for start in (a, b)])
        if found is not None:
            return Judged(found, margin=s.margin("devices", s.points) / 100, alone=side(found))
    return step_cost(s, a, b, "devices", even, uneven, rest, pairs)


def curvature(s: Study, a: str, b: str) -> Judged | None:
    found = {start: s.before(start, "hessian_top_1") for start in s.starts}
    if not all(found.values()):
        return None
    if min(*found[a].values(), *found[b].values()) <= 0:
        difference = paired(found[a], found[b], 0.0)
        return Judged(difference, alone=side(difference))
    logs = [{seed: math.log(value) for seed, value in found[start].items()} for start in (a, b)]
    ratio = paired(logs[0], logs[1], 0.0)
    return Judged(ratio, margin=math.log1p(s.margin("curvature", 10) / 100), alone=side(ratio))


OF_ALIGNMENT = [
    "gradient_diversity",
    "cosine_between_clients",
    "cosine_over_time",
    "distance_to_final",
    "local_drift",
]
OF_ALIGNMENT += ["client_spread", "aggregate_noise"]
OF_TRAINING = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]


def alignment(s: Study, a: str, b: str) -> Judged | None:
    def recorded(pair: Pair) -> list[str]:
        cells = [s.cells[start, pair, s.base] for start in s.starts]
        every = OF_TRAINING + OF_ALIGNMENT
        return [m for m in every if all(any(s.curve(run, m) for run in cell) for cell in cells)]

    def preference(pair: Pair) -> tuple[int, bool]:
        return len(recorded(pair)), (family(pair[0]), family(pair[1])) == ("sgd", "adam")

    pair = max(s.pairs(), key=preference, default=None)
    if pair is None or not set(OF_ALIGNMENT) & set(recorded(pair)):
        return None
    first, other = (
        s.over_rounds((start, pair, s.base), "cosine_between_clients") for start in (a, b)
    )
    found = paired(other, first, 0.0)
    return Judged(found, margin=s.margin("alignment", 0.02), alone=side(found))


def speedup(s: Study, a: str, b: str) -> Judged | None:
    if not any(
        s.curve(run, "test_accuracy") for pair in s.pairs() for run in s.cells[a, pair, s.base]
    ):
        return None
    couples = [
        (s.cells[a, pair, s.base], s.cells[b, pair, s.base])
        for pair in s.block(s.pairs(), [s.base])
    ]
    couples = [couple for couple in couples if not any(map(s.diverged, couple))]
    if "target_accuracy" not in s.keys:
        kept = s.whole(s.pairs(), [s.base])
        means = [
            over_pairs([s.over_rounds((st, p, s.base), "test_accuracy") for p in kept], np.mean)
            for st in (a, b)
        ]
        gain = paired(means[1], means[0])
        return Judged(gain, margin=s.points / 100, alone=side(gain))
    both = [
        couple
        for couple in couples
        if any(run["rounds_to_target"] is not None for cell in couple for run in cell)
    ]
    if not both:
        return Judged(None)
    reached = [[[run["rounds_to_target"] for run in couple[i]] for couple in both] for i in (0, 1)]
    seeds = set.intersection(*[{run["seed"] for run in cell} for couple in both for cell in couple])
    for ours, rest, says in ((1, 0, "yes"), (0, 1, "no")):
        at_once = all(each == 0 for cell in reached[ours] for each in cell)
        if (
            len(seeds) >= 3
            and at_once
            and all(each is None for cell in reached[rest] for each in cell)
        ):
            return Judged(None, alone=says)
    needed = []
    for i in (0, 1):
        cells = []
        for couple in both:
            taken = {
                r["seed"]: r["rounds"] if r["rounds_to_target"] is None else r["rounds_to_target"]
                for r in couple[i]
            }
            cells.append(s.together({seed: float(rounds) for seed, rounds in taken.items()}))
        needed.append(over_pairs(cells, np.mean))
    every = s.keys.get("every")
    saved = paired(needed[0], needed[1], float(every) if every else None)
    return Judged(
        saved, margin=s.margin("speedup", 5) / 100 * int(s.keys["rounds"]), alone=side(saved)
    )


def initial_loss(s: Study, a: str, b: str) -> Judged | None:
    found = {start: s.before(start, "test_loss") for start in s.starts}
    if not all(found.values()):
        return None
    lower = paired(found[a], found[b], 0.0)
    return Judged(lower, margin=s.margin("initial-loss", 0.02), alone=side(lower))


def gd_vs_sgd(s: Study, a: str, b: str) -> Judged | None:
    couples = {}
    for sgd in s.pairs():
        for gd in s.pairs():
            if (family(sgd[0]), family(gd[0])) == ("sgd", "gd") and sgd[1] == gd[1]:
                couples[sgd[1]] = gd, sgd
    if not couples:
        return None

    def quality(server: str) -> tuple[bool, float]:
        mean = s.mean(s.cells[b, couples[server][0], s.base])
        is_adam = family(server) == "adam"
        return is_adam, 0.0 if is_adam else -1.0 if math.isnan(mean) else mean

    gd, sgd = couples[max(couples, key=quality)]
    found = paired(s.accuracy((b, gd, s.base)), s.accuracy((b, sgd, s.base)))
    against = -s.margin("gd-vs-sgd", 1.0) / 100
    return Judged(found, against, alone=side(found, against))


def clients(s: Study, a: str, b: str) -> Judged | None:
    """Not a finding of the paper, and yet a question of the page,
    so that its answer is corrected with the others.
    """
    pairs = s.best(a), s.best(b)
    if pairs[0] is None or pairs[1] is None:
        return None
    ends = []
    for start, pair in zip((a, b), pairs, strict=True):
        done = [run for run in s.cells[start, pair, s.base] if run["status"] == "finished"]
        ends.append(
            {run["seed"]: s.clients[run["run"]] for run in done if s.clients.get(run["run"])}
        )
    middles = []
    for seed in sorted(ends[0].keys() & ends[1].keys()):
        shared = ends[0][seed].keys() & ends[1][seed].keys()
        if shared:
            middles.append(
                float(np.median([ends[1][seed][each] - ends[0][seed][each] for each in shared]))
            )
    return Judged(interval(middles)) if middles else None


FINDINGS = [
    ranking,
    iid_gap,
    local_epochs,
    devices,
    curvature,
    alignment,
    speedup,
    initial_loss,
    gd_vs_sgd,
]
OF_FIRST_WEIGHTS = (5, 8)
CLIENTS = 10


def picked_from(s: Study, number: int) -> int:
    """As many differences as the one of an answer was picked from: that of the best of the other
    starts, and of clients that of its best pair.
    """
    return max(len(s.starts) - 1, 1) * (len(s.pairs()) if number == CLIENTS else 1)


def p_picked(p: float | None, s: Study, number: int) -> float | None:
    """Bonferroni's, over what it was picked from."""
    return None if p is None else min(1.0, picked_from(s, number) * p)


def answers(folder: Path) -> dict[int, dict[str, Any]]:
    """Finding -> its answer, difference, interval, seeds and p, as this file counts them."""
    s = Study(folder)
    between = s.between()
    if between is None:
        return {}
    a, b = between
    begin, ends = (
        s.before(a, "test_accuracy"),
        [s.mean(s.cells[a, pair, s.base]) for pair in s.pairs()],
    )
    floor = bool(begin) and np.nanmax(ends) - np.mean(list(begin.values())) < 0.02
    judged: dict[int, Judged] = {}
    for number, count in enumerate([*FINDINGS, clients], 1):
        found = count(s, a, b)
        if found is not None:
            is_floored = floor and number not in (*OF_FIRST_WEIGHTS, CLIENTS)
            judged[number] = Judged(None, margin=found.margin) if is_floored else found
    tests: dict[int, list[float | None]] = {}
    for number, each in judged.items():
        if each.estimate is not None and p_different(each.estimate, each.against) is not None:
            tests[number] = [p_picked(p_different(each.estimate, each.against), s, number)]
            tests[number] += (
                [p_within(each.estimate, each.margin)] if each.margin is not None else []
            )
    standing = corrected(tests)
    found_answers = {}
    for number, each in judged.items():
        p, within = (*standing.get(number, [None]), None)[:2]
        says, shown = each.alone, p
        if within is not None and within < 1 - LEVEL:
            says, shown = "no difference", within
        elif says in ("yes", "no") and p is not None and p >= 1 - LEVEL:
            says = "undecided"
        e = each.estimate
        known: dict[str, Any] = (
            {"value": e.value, "low": e.low, "high": e.high, "n": e.n} if e else {}
        )
        only_falls = number == 1 and (e is None or e.value <= 0)
        picked = picked_from(s, number)
        more = (
            more_seeds(each, len(tests), picked) if says == "undecided" and not only_falls else None
        )
        known |= {"answer": says, "p_holm": shown, "margin": each.margin, "more_seeds": more}
        found_answers[number] = known
    found_answers.pop(CLIENTS, None)
    return found_answers


def differing(folder: Path) -> list[str]:
    """What the folder's findings.json says otherwise, a line each."""
    counted, said, lines = answers(folder), json.loads((folder / "findings.json").read_text()), []
    runs = pq.read_table(folder / "results/runs.parquet").to_pylist()
    taken = sum(run["seconds"] for run in runs)
    if len(runs) != said["run"]["runs"] or not math.isclose(
        taken, said["run"]["run_seconds"], abs_tol=0.1
    ):
        lines.append(
            f"{folder}: {len(runs)} runs of {taken} s counted again, {said['run']} as published"
        )
    for told in said["findings"]:
        number, mine = told["number"], counted.get(told["number"])
        if mine is None or "needs" in told:
            if (mine is None) != ("needs" in told or told["answer"] is None):
                lines.append(f"{folder} finding {number}: asked here or there alone")
            continue
        theirs = {**told, **(told["judged"] or {})}
        for name, value in mine.items():
            there = theirs.get(name)
            alike = value == there
            if isinstance(value, float) and isinstance(there, float | int):
                alike = math.isclose(value, there, rel_tol=1e-4, abs_tol=1e-9)
            if not alike:
                lines.append(
                    f"{folder} finding {number}: {name} is {value} counted again, {there} as "
                    "published"
                )
    return lines


def main(folders: Sequence[str]) -> int:
    lines = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            continue
        if not (folder / "results/runs.parquet").exists():
            print(f"{folder}: published without its tables; left out")
            continue
        found = differing(folder)
        lines += found
        print(
            f"{folder}: {len(answers(folder))} findings counted again, {len(found)} numbers differ"
        )
    print("\n".join(lines))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
