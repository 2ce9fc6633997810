"""The cells of a study, and where to look for each question, whatever the study file called its
grids.

A **cell** is one start x pair x setting with a run per seed; a setting is (partition, devices,
local epochs, what is trained). Where a cell was run at several rates (a tuning), the rates with the
best mean accuracy stand for it and the page lists all.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headstart.looks.competitors import Pair, Row, Setting, deciding_setting, family
from headstart.looks.decided import Decided, decided
from headstart.looks.plans import plan_of
from headstart.report.runs.cells import Cell, replaced
from headstart.report.runs.records import Curve, Records, any_measured
from headstart.report.runs.standings import Standing, standing
from headstart.report.words.methods import short_method
from headstart.statistics import effects

Place = tuple[str, Pair, Setting]
"""Where a cell stands: start, pair, setting."""


@dataclass(frozen=True)
class Slice:
    """Runs that differ along one axis of the setting; `rest` is the setting at that axis' base
    value.
    """

    axis: str
    rest: Setting
    values: tuple[str | float, ...]
    pairs: tuple[Pair, ...]

    def at(self, value: str | float) -> Setting:
        """The setting with this value of the axis."""
        return replaced(self.rest, self.axis, value)


@dataclass(frozen=True)
class Block:
    """The pairs that can be compared over some settings, and how many were left out and why."""

    pairs: tuple[Pair, ...]
    diverged: int
    short: int


@dataclass(frozen=True)
class Grid:
    """All cells of a study, and where to look for each question."""

    records: Records
    starts: tuple[str, ...]
    cells: Mapping[Place, Cell]
    rates: Mapping[Place, tuple[Cell, ...]]  # every rate that was tried, best first

    @cached_property
    def base(self) -> Setting:
        """The setting that the verdict is of."""
        runs: list[Setting] = []
        for (_, _, setting), cell in self.cells.items():
            runs += [setting] * len(cell.runs)
        return deciding_setting(runs)

    @cached_property
    def standings(self) -> dict[str, Standing]:
        """How the pairs of the base setting stand from each start."""
        pairs = self.comparable()
        short = len(self.pairs()) - len(pairs)
        found = {}
        for start in self.starts:
            cells = [self.cell(start, pair) for pair in pairs]
            found[start] = standing(start, cells, short, self.decided)
        return found

    @cached_property
    def between(self) -> tuple[str, str] | None:
        """The two starts that the sentences compare; None where only one was run.

        They are the first (random, where there is one) and the best of the others, by its best
        pair.
        """
        if len(self.starts) < 2:
            return None
        reference, *others = self.starts

        def quality(start: str) -> float:
            means = [cell.mean for cell in self.standings[start].cells]
            return float(np.nanmax(means)) if np.isfinite(means).any() else -1.0

        return reference, max(others, key=quality)

    @cached_property
    def decided(self) -> Decided:
        """What the study has decided so far."""
        plan = self.records.plan
        if plan is None:
            plan = plan_of({"seeds": self.seeds, **self.records.settings})
        return decided(self._compared(), plan)

    def _compared(self) -> list[Row]:
        """The runs in their order, with the names under which they are compared."""
        places = {}
        for (_, pair, setting), cells in self.rates.items():
            names = pair._asdict() | setting._asdict()
            for cell in cells:
                places.update(dict.fromkeys((run.run for run in cell.runs), names))
        return [vars(run) | places[run.run] for run in self.records.runs]

    @property
    def margin(self) -> float:
        """A difference in accuracy that is no more than this does not matter."""
        return self.decided.plan.margin

    def best(self, start: str) -> Cell | None:
        """The cell of the pair with the highest mean from a start: at the last look, or of all runs
        where none was taken. None where each has a diverged run.
        """
        last, starts = self.decided.last, self.decided.starts
        if last is None or start not in starts:
            return self.standings[start].best_cell
        place = last.best[starts.index(start)]
        return None if place is None else self.cell(start, self.decided.pairs[place][0])

    def pairs(self) -> list[Pair]:
        """The pairs that every start has in the base setting, in the study's order."""
        there = dict.fromkeys(pair for _, pair, at in self.cells if at == self.base)
        return self.everywhere(there, [self.base])

    def everywhere(self, pairs: Iterable[Pair], settings: Sequence[Setting]) -> list[Pair]:
        """Of `pairs`, those that every start has in all `settings`."""
        return [pair for pair in pairs if self._has(pair, settings)]

    def _has(self, pair: Pair, settings: Sequence[Setting]) -> bool:
        places = itertools.product(self.starts, [pair], settings)
        return self.cells.keys() >= set(places)

    def comparable(self) -> list[Pair]:
        """The pairs of the base setting that means and ranks are taken over."""
        return self.together(self.pairs(), [self.base])

    def together(self, pairs: Sequence[Pair], settings: Sequence[Setting]) -> list[Pair]:
        """The largest block of pairs x seeds that every start has in all `settings`.

        Of equal blocks the one with more seeds. A pair that lacks seeds would otherwise take them
        from every mean over pairs.
        """
        if not pairs:
            return []
        common = {pair: self.common_seeds(pair, settings) for pair in pairs}
        candidates = [*common.values(), frozenset.intersection(*common.values())]

        def size(seeds: frozenset[int]) -> tuple[int, int]:
            return len(seeds) * sum(seeds <= own for own in common.values()), len(seeds)

        best = max(candidates, key=size)
        return [pair for pair, own in common.items() if best <= own]

    def common_seeds(self, pair: Pair, settings: Sequence[Setting]) -> frozenset[int]:
        """The seeds that the pair was run with from every start in all `settings`."""
        cells = self.cells_of(pair, settings)
        return frozenset.intersection(*[cell.seeds for cell in cells])

    def diverged(self, pair: Pair) -> bool:
        """Whether a run of the pair diverged in the base setting."""
        return any(cell.diverged for cell in self.cells_of(pair))

    def block(
        self,
        pairs: Iterable[Pair],
        settings: Sequence[Setting],
        starts: Sequence[str] | None = None,
    ) -> Block:
        """Of `pairs`, those that are compared over `settings`.

        Every start has them there, with seeds in common, and no run of `starts` (all) diverged.
        """
        ran = self.everywhere(pairs, settings)
        together = self.together(ran, settings)
        kept = []
        for pair in together:
            cells = self.cells_of(pair, settings, starts)
            if all(cell.accuracy for cell in cells):
                kept.append(pair)
        return Block(tuple(kept), len(together) - len(kept), len(ran) - len(together))

    def cells_of(
        self,
        pair: Pair,
        settings: Sequence[Setting] | None = None,
        starts: Sequence[str] | None = None,
    ) -> list[Cell]:
        """The cells of a pair, which was run from these starts (all) in these settings (the
        base).
        """
        starts, settings = starts or self.starts, settings or [self.base]
        return [self.cells[place] for place in itertools.product(starts, [pair], settings)]

    def mean_by_seed(
        self, start: str, pairs: Iterable[Pair], setting: Setting | None = None
    ) -> dict[int, float]:
        """Final accuracy by seed, mean over pairs."""
        return effects.mean_over([self.cell(start, pair, setting).accuracy for pair in pairs])

    def brief(self, pair: Pair) -> str:
        """The method for a figure: without parameters where no other variant of a part was run."""
        names = []
        for place, name in enumerate(pair):
            beside = {other[place] for _, other, _ in self.cells}
            variants = [other for other in beside if family(other) == family(name)]
            names.append(family(name) if len(variants) == 1 else name)
        return short_method(Pair(*names))

    def cell(self, start: str, pair: Pair, setting: Setting | None = None) -> Cell:
        """The cell of a start and pair in a setting (the base setting)."""
        return self.cells[start, pair, setting or self.base]

    def places(self) -> list[tuple[Pair, Setting]]:
        """The pairs and settings that any start has."""
        return list(dict.fromkeys((pair, setting) for _, pair, setting in self.cells))

    def at_base(self) -> list[Cell]:
        """All cells of the base setting."""
        return [cell for (_, _, setting), cell in self.cells.items() if setting == self.base]

    def varied(self, axis: str, beside: str | None = None) -> Slice | None:
        """The largest group of pairs that were run along one axis of the setting.

        Every start has them at two values or more of `axis` (a field of Setting) with all else
        equal; of equal groups the one around the base setting. None where nothing varies.

        Args:
            axis: a field of Setting.
            beside: a value that each of the pairs must have among them.
        """
        groups: dict[Setting, dict[Pair, set[str | float]]] = defaultdict(lambda: defaultdict(set))
        for _, pair, setting in self.cells:
            if self._has(pair, [setting]):
                rest = replaced(setting, axis, getattr(self.base, axis))
                groups[rest][pair].add(getattr(setting, axis))
        slices = []
        for rest, by_pair in groups.items():
            pairs, values = [], set()
            for pair, own in by_pair.items():
                if len(own) > 1 and (beside is None or beside in own):
                    pairs.append(pair)
                    values |= own
            ordered = sorted(values, key=lambda value: (isinstance(value, str), value))
            slices.append(Slice(axis, rest, tuple(ordered), tuple(pairs)))

        def size(each: Slice) -> tuple[int, bool]:
            return len(each.pairs) * len(each.values), each.rest == self.base

        best = max(slices, key=size, default=None)
        return best if best and best.pairs else None

    def curves(self, cell: Cell, metric: str) -> dict[int, Curve]:
        """Each seed's rounds and values of a metric."""
        found = {}
        for run in cell.runs:
            curve = self.records.curves.get((run.run, metric))
            if curve is not None:
                found[run.seed] = curve
        return found

    def metrics(self, cell: Cell) -> dict[str, None]:
        """The metrics that any run of a cell has, in the order of the records."""
        found: dict[str, None] = {}
        for run in cell.runs:
            found |= dict.fromkeys(self.records.metrics.get(run.run, ()))
        return found

    @property
    def target(self) -> float | None:
        """The target accuracy, where the study set one."""
        value = self.records.settings.get("target_accuracy")
        return float(value) if isinstance(value, int | float) else None

    @property
    def rounds(self) -> int | None:
        """The rounds of each run, where the study file says so."""
        value = self.records.settings.get("rounds")
        return value if isinstance(value, int) else None

    @property
    def measured(self) -> bool:
        """Whether accuracy was: any run has one, or none lived to have one."""
        return any_measured(self.records.runs)

    @property
    def seeds(self) -> list[int]:
        """All seeds of the study."""
        return self.records.distinct("seed")

    @property
    def independent(self) -> int:
        """How many results of a cell are independent: one a seed, or one a repeat of the tuning
        where these are fewer.
        """
        repeats = self.records.repeats
        return min(len(self.seeds), repeats) if repeats > 1 else len(self.seeds)

    @property
    def measure(self) -> str:
        """What accuracy was measured on, in words."""
        on_validation = self.records.settings.get("evaluate_on") == "validation"
        return "validation accuracy" if on_validation else "test accuracy"
