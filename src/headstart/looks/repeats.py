"""Seeds that were run with the rates of one repeat of a study's tuning, taken together.

Runs with the same rates are alike in what the tuning came to, so that an interval over their seeds
holds the spread of the seeds alone. The mean over the seeds of a repeat is one independent result
of tuning and training, and the interval over the means of R repeats, with R - 1 degrees of freedom,
holds both: exactly, for normal values, where each has as many seeds (Searle, Casella and McCulloch,
Variance Components, 1992, chapter 3), and at most a little wide where they have not (Ibragimov and
Mueller, J. Bus. Econ. Stat. 28 (2010) 453-468). To run every seed with the rates of every repeat
would cost R times as much, and its mean has a variance of three components, without an exact
interval.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from headstart.looks.competitors import Row, labels, setting_of


def repeats_of(settings: Mapping[str, Any]) -> int:
    """How often a study was tuned, by the keys of its file; 0 where it was not.

    >>> repeats_of({"tuning": {"repeats": 3}}), repeats_of({"tuning": {}}), repeats_of({})
    (3, 1, 0)
    """
    tuning = settings.get("tuning")
    if not isinstance(tuning, Mapping):
        return int(tuning is not None)
    repeats = tuning.get("repeats", 1)
    return repeats if isinstance(repeats, int) else 1


def first_of_repeat(seeds: Sequence[int], repeats: int) -> dict[int, int]:
    """Of each seed the first that is run with the rates of the same repeat.

    Seeds are dealt over the repeats in turn. Empty where no two share one: there seeds are
    independent as they are.

    >>> first_of_repeat([0, 1, 2, 3, 4], 2), first_of_repeat([0, 1], 2), first_of_repeat([0, 1], 1)
    ({0: 0, 1: 1, 2: 0, 3: 1, 4: 0}, {}, {})
    """
    if repeats < 2:
        return {}
    first: dict[int, int] = {}
    for seed in seeds:
        first.setdefault(seed % repeats, seed)
    return {seed: first[seed % repeats] for seed in seeds} if len(first) < len(seeds) else {}


def together(rows: Sequence[Row], seeds: Sequence[int], repeats: int) -> list[Row]:
    """A row for each start, pair, setting and repeat, in place of those of its seeds.

    It has the mean accuracy and loss, and stands under the first seed, without the rates and
    parameters, which differ between repeats. It diverged where a run did, and has not ended where
    one has not.

    Args:
        rows: runs; those that are planned, too.
        seeds: in the order in which the study runs them.
        repeats: how often it was tuned.
    """
    if repeats < 2:
        return list(rows)
    first = {seed % repeats: seed for seed in reversed(seeds)}
    clients, servers = labels(rows, "client"), labels(rows, "server")
    alike: dict[tuple[object, ...], list[Row]] = {}
    for row in rows:
        seed = first.get(row["seed"] % repeats, row["seed"])
        named = {**row, "client": clients[row["client"]], "server": servers[row["server"]]}
        named |= {"seed": seed, "client_rate": math.nan, "server_rate": math.nan}
        place = named["start"], named["client"], named["server"], setting_of(row), seed
        alike.setdefault(place, []).append(named)
    return list(map(_mean, alike.values()))


def _mean(rows: Sequence[Row]) -> Row:
    statuses = [row.get("status") for row in rows]
    if "diverged" in statuses:
        return rows[statuses.index("diverged")]
    if None in statuses:
        return rows[statuses.index(None)]
    accuracy, loss = _mean_of(rows, "test_accuracy"), _mean_of(rows, "test_loss")
    return {**rows[0], "test_accuracy": accuracy, "test_loss": loss}


def _mean_of(rows: Sequence[Row], column: str) -> float | None:
    values = [row.get(column) for row in rows]
    return None if None in values else float(np.mean(np.array(values, dtype=float)))
