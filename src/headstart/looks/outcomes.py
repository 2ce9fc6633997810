"""What came of the runs in the setting that decides, by start, pair and seed.

Shapes: A starts, P pairs, N seeds.
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headstart.looks.competitors import Pair, Row, Setting, deciding_setting, labels, setting_of

SAME_LOSS = 1e-4
"""Of two runs that differ by rounding, losses differ by less than this share. Of the demo's pairs
that are one, by 2e-6 at most.
"""


Names = tuple[str, str, str]
"""A start, a client and a server."""


COLUMNS = (
    "run",
    "start",
    "client",
    "server",
    "partition",
    "devices",
    "local_epochs",
    "trainable",
    "client_rate",
    "server_rate",
    "seed",
    "status",
    "test_accuracy",
    "test_loss",
    "test_predictions",
)
"""What is read of a run's row."""


@dataclass(frozen=True)
class Outcomes:
    """The final accuracies in one setting.

    Attributes:
        setting: the one that decides.
        starts: in the order of the rows.
        pairs: of each that is compared, the pairs that are one with it, itself first.
        values: [A, P, N]; NaN where a run has not ended, -inf where it diverged.
        wanted: [A, P]; whether the study has runs there.
        places: by start, client and server, as the rows name them, the place of their accuracies.
            A pair that is one with an earlier one has none.
    """

    setting: Setting
    starts: tuple[str, ...]
    pairs: tuple[tuple[Pair, ...], ...]
    values: NDArray[np.float64]
    wanted: NDArray[np.bool_]
    places: Mapping[Names, tuple[int, int]]


class _Outcome(NamedTuple):
    """What came of a run: its accuracy, -inf where it diverged and NaN where it has not ended."""

    accuracy: float
    loss: float


_NOT_RUN = _Outcome(math.nan, math.nan)

_Cell = dict[int, _Outcome]
"""By seed."""

_Cells = dict[tuple[str, Pair], _Cell]
"""By start and pair."""


def outcomes(rows: Sequence[Row], seeds: Sequence[int], first: int) -> Outcomes:
    """Sort the rows of runs by start, pair and seed.

    Args:
        rows: runs in any setting; those that are planned, too.
        seeds: in the order in which the study runs them.
        first: how many of them the first look takes. What these seeds came to says which pairs are
            one, and which rates stand for a pair that was run at several: so neither changes when
            seeds are added.
    """
    setting, cells, named = _cells(rows, seeds[:first])
    starts = tuple(dict.fromkeys(start for start, _ in cells))
    pairs = _merged(cells, starts, seeds[:first])
    values = np.full((len(starts), len(pairs), len(seeds)), np.nan)
    wanted = np.zeros(values.shape[:2], bool)
    for (a, start), (p, alike) in itertools.product(enumerate(starts), enumerate(pairs)):
        for pair in reversed(alike):  # the first of them has the last word
            cell = cells.get((start, pair), {})
            wanted[a, p] |= bool(cell)
            for n, seed in enumerate(seeds):
                accuracy = cell.get(seed, _NOT_RUN).accuracy
                values[a, p, n] = values[a, p, n] if math.isnan(accuracy) else accuracy
    places = {}
    first_of = [alike[0] for alike in pairs]
    for names, (start, pair) in named.items():
        if pair in first_of:
            places[names] = starts.index(start), first_of.index(pair)
    return Outcomes(setting, starts, pairs, values, wanted, places)


def step_of(rows: Iterable[Row]) -> float:
    """The smallest difference that accuracy can show: that of one prediction. 0 where nobody knows
    how many were judged.
    """
    numbers = [row.get("test_predictions") or math.inf for row in rows]
    return 1 / min(numbers)


def _outcome(row: Row) -> _Outcome:
    if row.get("status") == "diverged":
        return _Outcome(-math.inf, math.nan)
    accuracy, loss = row.get("test_accuracy"), row.get("test_loss")
    if accuracy is None:
        return _NOT_RUN
    return _Outcome(accuracy, math.nan if loss is None else loss)


def _cells(
    rows: Sequence[Row], first: Sequence[int]
) -> tuple[Setting, _Cells, dict[Names, tuple[str, Pair]]]:
    """The setting that decides, the outcomes there, and what stands where by its names."""
    clients, servers = labels(rows, "client"), labels(rows, "server")
    by_setting: dict[Setting, dict[tuple[str, Pair], dict[object, _Cell]]] = {}
    runs, named = {}, {}
    for row in rows:
        setting, pair = setting_of(row), Pair(clients[row["client"]], servers[row["server"]])
        rates = row["client_rate"], row["server_rate"], row["client"], row["server"]
        by_rates = by_setting.setdefault(setting, {}).setdefault((row["start"], pair), {})
        by_rates.setdefault(rates, {})[row["seed"]] = _outcome(row)
        named[row["start"], row["client"], row["server"]] = row["start"], pair
        runs[setting, row["start"], pair, row["seed"]] = setting
    decides = deciding_setting(runs.values())

    def goodness(cell: _Cell) -> tuple[int, float]:
        found = [cell.get(seed, _NOT_RUN).accuracy for seed in first]
        return len(found) - int(np.isnan(found).sum()), float(np.nansum(found))

    best: _Cells = {}
    for place, by_rates in by_setting[decides].items():
        cell = best[place] = {}
        for of_rates in sorted(by_rates.values(), key=goodness, reverse=True):
            if cell.keys().isdisjoint(of_rates):  # tuned several times, a seed has its own rates
                cell |= of_rates
    return decides, best, {names: place for names, place in named.items() if place in best}


def _merged(
    cells: _Cells, starts: Sequence[str], first: Sequence[int]
) -> tuple[tuple[Pair, ...], ...]:
    """The pairs; together those that came to the same from every start at all these seeds."""
    merged: dict[Pair, list[Pair]] = {}
    for pair in dict.fromkeys(pair for _, pair in cells):
        for other, alike in merged.items():
            places = itertools.product(starts, first)
            if all(_are_same(cells, start, seed, pair, other) for start, seed in places):
                alike.append(pair)
                break
        else:
            merged[pair] = [pair]
    return tuple(map(tuple, merged.values()))


def _are_same(cells: _Cells, start: str, seed: int, one: Pair, other: Pair) -> bool:
    """Whether the runs of two pairs came to the same, but for rounding."""
    a = cells.get((start, one), {}).get(seed, _NOT_RUN)
    b = cells.get((start, other), {}).get(seed, _NOT_RUN)
    return a.accuracy == b.accuracy and math.isclose(a.loss, b.loss, rel_tol=SAME_LOSS)
