"""A published study, read from its tables: its runs by cell, their accuracies by seed and their
curves, and intervals of paired differences. Nothing of Headstart is imported.

It is what `recount.py` and `contrary.py` count with.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
from scipy import stats

LEVEL = 0.95
EQUAL, IID = "equal", "iid"
BySeed = dict[int, float]
Pair = tuple[str, str]
Setting = tuple[str, str, float, str]
Place = tuple[str, Pair, Setting]
AXES = {"partition": 0, "devices": 1, "local_epochs": 2}


class Estimate(NamedTuple):
    """A mean over n seeds, its interval, and the standard error behind it."""

    value: float
    low: float | None
    high: float | None
    n: int
    error: float | None


def interval(values: Iterable[float], step: float | None = None) -> Estimate:
    x = np.array(list(values), dtype=float)
    n, mean = len(x), float(np.mean(x))
    if n == 1:
        return Estimate(mean, None, None, 1, None)
    error = max(float(np.std(x, ddof=1)), (step or 0.0) / 2) / math.sqrt(n)
    if error <= 1e-12 * abs(mean):
        exact = step is not None and n > 2
        return Estimate(
            mean, mean if exact else None, mean if exact else None, n, 0.0 if exact else None
        )
    low, high = stats.t.interval(LEVEL, n - 1, loc=mean, scale=error)
    return Estimate(mean, float(low), float(high), n, error)


def paired(a: BySeed, b: BySeed, step: float | None = None) -> Estimate | None:
    common = sorted(a.keys() & b.keys())
    return interval([a[seed] - b[seed] for seed in common], step) if common else None


def family(name: str) -> str:
    return re.split(r"[(@]", name, maxsplit=1)[0]


class Study:
    """The runs of a study, sorted into cells: start, pair and setting -> its runs at the rates that
    did best.
    """

    def __init__(self, folder: Path) -> None:
        table = pq.read_table(folder / "results/runs.parquet")
        self.runs = table.to_pylist()
        text = (table.schema.metadata or {})[b"study"].decode()
        self.keys = dict(re.findall(r"^(\w+): *(\S.*)$", text, re.MULTILINE))
        self.keys = {key: value for key, value in self.keys.items() if value != "null"}
        inner = re.findall(r"^(\w+):\n((?: +.*\n)+)", text + "\n", re.MULTILINE)
        self.nested = {
            key: dict(re.findall(r"^ +([\w-]+): *(\S.*)$", lines, re.MULTILINE))
            for key, lines in inner
        }
        tuned = re.search(r"^tuning:", text, re.MULTILINE) is not None
        self.repeats = int(self.nested.get("tuning", {}).get("repeats", 1)) if tuned else 0
        self.curves: dict[tuple[str, str], list[tuple[int, float]]] = defaultdict(list)
        self.clients: dict[str, dict[str, float]] = defaultdict(dict)
        rounds = pq.read_table(folder / "results/rounds.parquet")
        columns = [rounds[name].to_pylist() for name in ("run", "round", "metric", "value")]
        for run, at, metric, value in zip(*columns, strict=True):
            if metric.startswith("client_accuracy/"):
                if math.isfinite(value):
                    self.clients[run][metric] = value
            elif math.isfinite(value):
                self.curves[run, metric].append((at, value))
        for curve in self.curves.values():
            curve.sort()
        self._sort()

    def _sort(self) -> None:
        names = {part: self._labels(part) for part in ("client", "server")}
        seeds = sorted({run["seed"] for run in self.runs})
        first: dict[int, int] = {}
        if self.repeats > 1:
            for seed in seeds:
                first.setdefault(seed % self.repeats, seed)
        shared = self.repeats > 1 and len(first) < len(seeds)
        self.first = {seed: first[seed % self.repeats] if shared else seed for seed in seeds}
        tried: dict[Place, dict[Any, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for run in self.runs:
            rates = (run["client_rate"], run["server_rate"], run["client"], run["server"])
            pair = names["client"][run["client"]], names["server"][run["server"]]
            place = run["start"], pair, self.setting(run)
            tried[place][rates if self.repeats <= 1 else ()].append(run)
        self.cells = {
            place: max(by_rate.values(), key=self._goodness) for place, by_rate in tried.items()
        }
        starts = list(dict.fromkeys(start for start, _, _ in self.cells))
        self.starts = sorted(starts, key=lambda start: family(start) != "random")
        many = Counter(setting for (_, _, setting), runs in self.cells.items() for _ in runs)
        self.base = max(
            many, key=lambda s: (many[s], s[1] == EQUAL, s[0] != IID, s[3] == "all", -s[2])
        )

    def setting(self, run: Any) -> Setting:
        return (
            run["partition"],
            run["devices"],
            float(run["local_epochs"]),
            run.get("trainable", "all"),
        )

    def _labels(self, part: str) -> dict[str, str]:
        """Variants of a part that never stand beside each other go by the name of their family."""
        other = "server" if part == "client" else "client"
        beside: dict[Any, set[str]] = defaultdict(set)
        for run in self.runs:
            beside[run["start"], run[other], run["seed"], self.setting(run), family(run[part])].add(
                run[part]
            )
        compared = {key[-1] for key, found in beside.items() if len(found) > 1}
        named = {run[part] for run in self.runs}
        kinds = Counter(map(family, named))
        return {
            n: family(n) if kinds[family(n)] > 1 and family(n) not in compared else n for n in named
        }

    def _goodness(self, runs: list[Any]) -> tuple[int, int, float]:
        mean = self.mean(runs)
        return -self.diverged(runs), len(runs), -1.0 if math.isnan(mean) else mean

    def diverged(self, runs: list[Any]) -> int:
        return sum(run["status"] != "finished" for run in runs)

    def together(self, by_seed: BySeed) -> BySeed:
        """Seeds with the rates of one repeat of the tuning count as one."""
        groups: dict[int, list[float]] = defaultdict(list)
        for seed, value in by_seed.items():
            groups[self.first[seed]].append(value)
        return {seed: float(np.mean(values)) for seed, values in groups.items()}

    def outcomes(self, runs: list[Any]) -> BySeed:
        """Accuracy by seed, NaN where a run diverged."""
        found = {}
        for run in runs:
            is_there = run["status"] == "finished" and run["test_accuracy"] is not None
            found[run["seed"]] = run["test_accuracy"] if is_there else math.nan
        return self.together(found)

    def accuracy(self, place: Place) -> BySeed:
        found = self.outcomes(self.cells[place])
        return {} if any(map(math.isnan, found.values())) else found

    def mean(self, runs: list[Any]) -> float:
        return float(np.mean(list(self.outcomes(runs).values())))

    def pairs(self, setting: Setting | None = None) -> list[Pair]:
        at = setting or self.base
        return [
            pair
            for pair in dict.fromkeys(p for _, p, s in self.cells if s == at)
            if self.has(pair, at)
        ]

    def has(self, pair: Pair, setting: Setting) -> bool:
        return all((start, pair, setting) in self.cells for start in self.starts)

    def block(self, pairs: Sequence[Pair], settings: Sequence[Setting]) -> list[Pair]:
        """Of these pairs the largest block of pairs and seeds that every start has in all
        settings.
        """
        ran = [pair for pair in pairs if all(self.has(pair, setting) for setting in settings)]
        if not ran:
            return []
        seeds = {}
        for pair in ran:
            own = [
                {run["seed"] for run in self.cells[start, pair, s]}
                for start in self.starts
                for s in settings
            ]
            seeds[pair] = set.intersection(*own)
        candidates = [*seeds.values(), set.intersection(*seeds.values())]
        best = max(
            candidates,
            key=lambda some: (len(some) * sum(some <= own for own in seeds.values()), len(some)),
        )
        return [pair for pair in ran if best <= seeds[pair]]

    def whole(self, pairs: Sequence[Pair], settings: Sequence[Setting]) -> list[Pair]:
        """The block without pairs of which a run diverged."""
        found = []
        for pair in self.block(pairs, settings):
            if all(self.accuracy((start, pair, s)) for start in self.starts for s in settings):
                found.append(pair)
        return found

    def best(self, start: str) -> Pair | None:
        means = {
            pair: self.mean(self.cells[start, pair, self.base])
            for pair in self.block(self.pairs(), [self.base])
        }
        finite = {pair: mean for pair, mean in means.items() if math.isfinite(mean)}
        return max(finite, key=finite.__getitem__) if finite else None

    def between(self) -> tuple[str, str] | None:
        if len(self.starts) < 2:
            return None

        def quality(start: str) -> float:
            best = self.best(start)
            return -1.0 if best is None else self.mean(self.cells[start, best, self.base])

        return self.starts[0], max(self.starts[1:], key=quality)

    def curve(self, run: Any, metric: str) -> list[tuple[int, float]]:
        return self.curves.get((run["run"], metric), [])

    def before(self, start: str, metric: str) -> BySeed:
        """A metric before the first round by seed, mean over pairs."""
        found: dict[int, list[float]] = defaultdict(list)
        for pair in self.pairs():
            for run in self.cells[start, pair, self.base]:
                curve = self.curve(run, metric)
                if curve and curve[0][0] == 0:
                    found[run["seed"]].append(curve[0][1])
        return {seed: float(np.mean(values)) for seed, values in found.items()}

    def over_rounds(self, place: Place, metric: str) -> BySeed:
        found = {}
        for run in self.cells[place]:
            values = [value for at, value in self.curve(run, metric) if at > 0]
            if values:
                found[run["seed"]] = float(np.mean(values))
        return self.together(found)

    def varied(
        self, axis: str, beside: str | None = None
    ) -> tuple[Setting, list[Any], list[Pair]] | None:
        """The largest group of pairs along an axis: the setting around which, the values,
        and the pairs.
        """
        at = AXES[axis]
        groups: dict[Setting, dict[Pair, list[Any]]] = defaultdict(lambda: defaultdict(list))
        for _, pair, setting in self.cells:
            rest = self.moved(setting, axis, self.base[at])
            if self.has(pair, setting) and setting[at] not in groups[rest][pair]:
                groups[rest][pair].append(setting[at])
        best: tuple[Any, ...] | None = None
        for rest, by_pair in groups.items():
            chosen = {
                p: own
                for p, own in by_pair.items()
                if len(own) > 1 and (beside is None or beside in own)
            }
            values = sorted({value for own in chosen.values() for value in own})
            size = len(chosen) * len(values), rest == self.base
            if best is None or size > best[0]:
                best = size, rest, values, list(chosen)
        return (best[1], best[2], best[3]) if best and best[3] else None

    def moved(self, setting: Setting, axis: str, value: Any) -> Setting:
        at = AXES[axis]
        return (*setting[:at], value, *setting[at + 1 :])  # type: ignore[return-value]

    def mean_over(self, start: str, pairs: Sequence[Pair], setting: Setting) -> BySeed:
        return over_pairs([self.accuracy((start, pair, setting)) for pair in pairs], np.mean)

    def margin(self, slug: str, usual: float) -> float:
        stated = self.nested.get("margins", {}).get(slug)
        return float(stated) if stated else usual

    @property
    def points(self) -> float:
        return float(self.keys.get("margin", 0.5))


def over_pairs(cells: Sequence[BySeed], summary: Any) -> BySeed:
    seeds = set.intersection(*[set(cell) for cell in cells]) if cells else set()
    return {seed: float(summary([cell[seed] for cell in cells])) for seed in sorted(seeds)}
