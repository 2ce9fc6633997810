"""Finds the slices of a study that a question needs, whatever the study file called its grids.

A **cell** is one start x pair x setting with a run per seed; a setting is (partition, devices, local epochs, what is
trained). Where a cell was run at several rates (a tuning), the rates with the best mean accuracy stand for it and the
page lists all.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from headstart.escapes import printable
from headstart.report.runs.cells import ALL, DEFAULT_DEVICES, IID, Cell, Pair, Setting, family, replaced
from headstart.report.runs.records import Curve, Results, Run


@dataclass(frozen=True)
class Slice:
    """Runs that differ along one axis of the setting; `rest` is the setting with that axis at its base value."""

    axis: str
    rest: Setting
    values: tuple[str | float, ...]
    pairs: tuple[Pair, ...]

    def at(self, value: str | float) -> Setting:
        return replaced(self.rest, self.axis, value)


@dataclass(frozen=True)
class Study:
    """All cells of a study, and where to look for each question."""

    results: Results
    starts: tuple[str, ...]
    cells: Mapping[tuple[str, Pair, Setting], Cell]
    rates: Mapping[tuple[str, Pair, Setting], tuple[Cell, ...]]  # every rate that was tried, best first

    @cached_property
    def base(self) -> Setting:
        """The setting with the most runs; ties go to equal devices, heterogeneous data, all weights, fewer epochs."""
        count: Counter[Setting] = Counter()
        for (_, _, setting), cell in self.cells.items():
            count[setting] += len(cell.runs)

        def rank(s: Setting) -> tuple[int, bool, bool, bool, float]:
            plain = s.devices == DEFAULT_DEVICES, s.partition != IID, s.trainable == ALL
            return (count[s], *plain, -s.local_epochs)

        return max(count, key=rank)

    def pairs(self, setting: Setting | None = None) -> list[Pair]:
        """Pairs that every start has in this setting (the base setting), in the order of the study."""
        setting = setting or self.base
        found = dict.fromkeys(pair for _, pair, s in self.cells if s == setting)
        return [p for p in found if all((start, p, setting) in self.cells for start in self.starts)]

    def comparable(self, setting: Setting | None = None) -> list[Pair]:
        """The pairs of a setting that means and ranks are taken over."""
        return self.together(self.pairs(setting), [setting or self.base])

    def together(self, pairs: Sequence[Pair], settings: Sequence[Setting]) -> list[Pair]:
        """Of `pairs`, the largest block of pairs x seeds that every start has in all `settings`; of equal blocks the
        one with more seeds. A pair that lacks seeds would otherwise take them from every mean over pairs."""
        common = {pair: self.common_seeds(pair, settings) for pair in pairs}
        if not common:
            return []
        candidates = [*common.values(), frozenset.intersection(*common.values())]

        def block(seeds: frozenset[int]) -> tuple[int, int]:
            return len(seeds) * sum(seeds <= own for own in common.values()), len(seeds)

        best = max(candidates, key=block)
        return [pair for pair, own in common.items() if best <= own]

    def common_seeds(self, pair: Pair, settings: Sequence[Setting]) -> frozenset[int]:
        """Seeds that the pair was run with from every start in all `settings`."""
        cells = [self.cell(start, pair, setting) for start in self.starts for setting in settings]
        return frozenset.intersection(*(frozenset(run.seed for run in cell.runs) for cell in cells))

    def brief(self, pair: Pair) -> str:
        """The pair for a figure: without parameters where no other variant of the component was run."""
        parts = []
        for part in ("client", "server"):
            name = getattr(pair, part)
            variants = {getattr(p, part) for _, p, _ in self.cells if family(getattr(p, part)) == family(name)}
            parts.append(family(name) if len(variants) == 1 else name)
        return " + ".join(parts)

    def cell(self, start: str, pair: Pair, setting: Setting | None = None) -> Cell:
        return self.cells[start, pair, setting or self.base]

    def varied(self, axis: str, beside: str | None = None) -> "Slice | None":
        """The largest group of pairs that every start has at two values or more of `axis` (a field of Setting) with
        all else equal; of equal groups the one around the base setting. None where nothing varies.

        `beside`: a value that each of the pairs must have among them.
        """
        found: dict[Setting, dict[Pair, set[str | float]]] = defaultdict(lambda: defaultdict(set))
        for _, pair, setting in self.cells:
            if all((start, pair, setting) in self.cells for start in self.starts):
                found[self._at_base(setting, axis)][pair].add(getattr(setting, axis))
        slices = []
        for rest, by_pair in found.items():
            pairs = [pair for pair, values in by_pair.items() if len(values) > 1]
            if beside is not None:
                pairs = [pair for pair in pairs if beside in by_pair[pair]]
            values = {v for pair in pairs for v in by_pair[pair]}
            slices.append(Slice(axis, rest, tuple(sorted(values, key=lambda v: (isinstance(v, str), v))), tuple(pairs)))
        best = max(slices, key=lambda s: (len(s.pairs) * len(s.values), s.rest == self.base), default=None)
        return best if best and best.pairs else None

    def _at_base(self, setting: Setting, axis: str) -> Setting:
        return replaced(setting, axis, getattr(self.base, axis))

    def curves(self, cell: Cell, metric: str) -> dict[int, Curve]:
        """Each seed's rounds and values of a metric."""
        found = {run.seed: self.results.curves.get((run.run, metric)) for run in cell.runs}
        return {seed: curve for seed, curve in found.items() if curve is not None}

    @property
    def target(self) -> float | None:
        value = self.results.settings.get("target_accuracy")
        return float(value) if isinstance(value, int | float) else None

    @property
    def measured(self) -> bool:
        """Whether accuracy was: any run has one, or none lived to have one."""
        ended = [run for run in self.results.runs if run.finished]
        return not ended or any(run.test_accuracy is not None for run in ended)

    @property
    def seeds(self) -> list[int]:
        return sorted({run.seed for run in self.results.runs})

    @property
    def measure(self) -> str:
        return "validation accuracy" if self.results.settings.get("evaluate_on") == "validation" else "test accuracy"


def _labels(runs: Iterable[Run], part: str) -> dict[str, str]:
    """Registry name -> label. Where a component's parameters were tuned by start (`proximal(mu=0.1)` from one start,
    `proximal(mu=1)` from another, never two beside each other) its variants are one competitor: the family's name."""
    beside: dict[tuple[object, ...], set[str]] = defaultdict(set)
    variants: dict[str, set[str]] = defaultdict(set)
    other = "server" if part == "client" else "client"
    for run in runs:
        name = getattr(run, part)
        place = (
            run.start,
            getattr(run, other),
            run.partition,
            run.devices,
            run.local_epochs,
            run.trainable,
            family(name),
        )
        beside[place].add(name)
        variants[family(name)].add(name)
    compared = {str(place[-1]) for place, names in beside.items() if len(names) > 1}
    return {n: f if len(v) > 1 and f not in compared else n for f, v in variants.items() for n in v}


def _goodness(cell: Cell) -> tuple[int, int, float]:
    return (-cell.diverged, len(cell.runs), np.nan_to_num(cell.mean, nan=-1.0))


def slice_up(results: Results) -> Study:
    """Sort the runs into cells. A start goes by its bare name where no other of its kind was run.

    From here on no text of the study holds characters that a page or a figure would obey and not show.
    """
    results = _with_brief_starts(_printable(results))
    clients, servers = (_labels(results.runs, part) for part in ("client", "server"))
    tried: dict[tuple[str, Pair, Setting], dict[tuple[object, ...], list[Run]]] = defaultdict(lambda: defaultdict(list))
    for run in results.runs:
        pair = Pair(clients[run.client], servers[run.server])
        setting = Setting(run.partition, run.devices, run.local_epochs, run.trainable)
        tried[run.start, pair, setting][run.client_rate, run.server_rate, run.client, run.server].append(run)
    rates = {
        key: tuple(sorted((Cell(*key, tuple(runs)) for runs in by_rate.values()), key=_goodness, reverse=True))
        for key, by_rate in tried.items()
    }
    starts = sorted(dict.fromkeys(run.start for run in results.runs), key=lambda start: family(start) != "random")
    return Study(results, tuple(starts), {key: cells[0] for key, cells in rates.items()}, rates)


TEXTS = (
    "start",
    "client",
    "server",
    "partition",
    "devices",
    "trainable",
    "status",
    "executor",
    "executor_fallback",
    "headstart",
    "machine",
    "torch",
    "ended",
    "data",
    "begun_with",
)
"""What a run's record says in words, some of them a user's: names of columns, of tensors, of parts."""


def _printable(results: Results) -> Results:
    runs = []
    for run in results.runs:
        texts: dict[str, Any] = {name: _shown(getattr(run, name)) for name in TEXTS}
        runs.append(replace(run, **texts))
    trials = tuple(_shown(trial) for trial in results.trials)
    shown = {name: _shown(getattr(results, name)) for name in ("settings", "failed")}
    return replace(results, **shown, runs=tuple(runs), trials=trials)


def _shown(value: Any) -> Any:
    """All text within a value of YAML or JSON, printable."""
    if isinstance(value, Mapping):
        return {_shown(key): _shown(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return printable(value) if isinstance(value, str) else value


def _with_brief_starts(results: Results) -> Results:
    names = dict.fromkeys(run.start for run in results.runs)
    count = Counter(map(family, names))
    brief = {name: family(name) if count[family(name)] == 1 else name for name in names}
    return replace(
        results,
        runs=tuple(replace(run, start=brief[run.start]) for run in results.runs),
        trials=tuple({**trial, "start": brief.get(trial["start"], trial["start"])} for trial in results.trials),
    )
