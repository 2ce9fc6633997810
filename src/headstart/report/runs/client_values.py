"""What was measured of single clients, apart from the curves of runs: there may be thousands."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from headstart import arrow
from headstart.tables import OF_CLIENT

ByClient = Mapping[int, float]
"""The last value of each client, by its number."""


def apart(rounds: pa.Table) -> tuple[pa.Table, dict[str, ByClient]]:
    """Part the rounds of a study from the accuracies of single clients, which are by run.

    Args:
        rounds: the table `rounds.parquet`.
    """
    codes, names = arrow.coded(rounds["metric"])
    is_of_client = np.array([name.startswith(OF_CLIENT) for name in names], dtype=bool)
    if not is_of_client.any():
        return rounds, {}
    numbers = [
        _number(name) if of_client else -1
        for name, of_client in zip(names, is_of_client, strict=True)
    ]
    rows = is_of_client[codes]
    client = np.asarray(numbers, dtype=np.int64)[codes[rows]]
    own = rounds.filter(arrow.mask(rows))
    value = arrow.numbers(own["value"].cast(pa.float64()))
    run, runs = arrow.coded(own["run"])
    found: dict[str, ByClient] = {}
    for i, key in enumerate(runs):
        here = (run == i) & (client >= 0) & np.isfinite(value)
        found[key] = dict(zip(client[here].tolist(), value[here].tolist(), strict=True))
    return rounds.filter(arrow.mask(~rows)), found


def _number(name: str) -> int:
    number = name.removeprefix(OF_CLIENT)
    return int(number) if number.isdecimal() else -1
