"""The tables of a study as a repository keeps them: small, and enough to write every page again.

They are those of its results folder, in the same form, so that what reads the one reads the other.
Left out is what no page shows: of the accuracies of single clients all but the last, and what tells
a study that goes on which of its runs have changed.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pyarrow as pa

from headstart import arrow
from headstart.parquet_files import sealed_file
from headstart.tables import OF_CLIENT, ROUNDS, StudyTables, results_files

MOST_BYTES = 2_000_000
"""Of all tables of a study in a repository."""

smallest = partial(sealed_file, compression_level=19, row_group_size=2**20)
"""A table as a file, packed as tightly as zstd does at a reasonable speed."""


def compact(results: StudyTables) -> StudyTables:
    """The tables without what no page shows, the rounds in an order in which they are small.

    Where they would still be larger than `MOST_BYTES`, what was measured in rounds is kept to the
    seven digits of a number of 32 bits.
    """
    rounds = _by_metric(_last_of_clients(results.rounds.select(ROUNDS.names)))
    found = replace(results, rounds=rounds, about={})
    if sum(map(len, packed(found).values())) <= MOST_BYTES:
        return found
    place = rounds.schema.get_field_index("value")
    rounded = rounds.set_column(place, "value", rounds["value"].cast(pa.float32()))
    return replace(found, rounds=rounded)


def packed(results: StudyTables) -> dict[str, bytes]:
    """The tables as files of `results/`, by their names."""
    return dict(results_files(results, _packed))


def _packed(table: pa.Table) -> bytes:
    """A table as a file; of the rounds' values, which hardly repeat, the first bytes of all come
    first.
    """
    if "value" not in table.column_names:
        return smallest(table)
    texts = [name for name in table.column_names if name != "value"]
    return smallest(table, use_dictionary=texts, column_encoding={"value": "BYTE_STREAM_SPLIT"})


def _last_of_clients(rounds: pa.Table) -> pa.Table:
    """The rounds, and of the accuracies of each client of a run only the last that is a number."""
    metric, names = arrow.coded(rounds["metric"])
    run, _ = arrow.coded(rounds["run"])
    is_of_client = np.array([name.startswith(OF_CLIENT) for name in names], dtype=bool)[metric]
    kept = ~is_of_client
    own = np.flatnonzero(is_of_client)
    is_number = np.isfinite(arrow.numbers(rounds["value"].cast(pa.float64()))[own])
    last_first = own[np.argsort(is_number, kind="stable")][::-1]
    _, first = np.unique(run[last_first] * len(names) + metric[last_first], return_index=True)
    kept[last_first[first]] = True
    return rounds.filter(arrow.mask(kept))


def _by_metric(rounds: pa.Table) -> pa.Table:
    """The rounds metric by metric: numbers that are alike lie beside one another."""
    metric, _ = arrow.coded(rounds["metric"])
    return rounds.take(pa.array(np.argsort(metric, kind="stable")))
