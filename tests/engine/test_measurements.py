"""What a run has measured is a sequence of rows, in few bytes each, and a table of them."""

import pickle
import sys

import pyarrow as pa
import pytest

from headstart.engine.measurements import Measurements, Row
from headstart.tables import ROUNDS

ROWS: list[Row] = [
    (0, "loss", 0.1 + 0.2),
    (1, "loss", 1e-300),
    (1, "accuracy", 1.0),
    (2, "loss", -0.0),
]


def test_rows_come_back_as_they_were_given() -> None:
    measured = Measurements(ROWS[:1])
    measured.extend(iter(ROWS[1:]))
    assert list(measured) == ROWS
    assert measured[1:3] == ROWS[1:3]
    assert measured[-1] == ROWS[-1]
    assert list(reversed(measured)) == ROWS[::-1]
    assert measured == Measurements(ROWS)
    assert measured != Measurements(ROWS[1:])
    with pytest.raises(IndexError):
        measured[4]


def test_they_pass_through_a_pipe() -> None:
    assert pickle.loads(pickle.dumps(Measurements(ROWS))) == Measurements(ROWS)


def test_their_table_has_a_line_for_each() -> None:
    rounds, metrics, values = zip(*ROWS, strict=True)
    expected = pa.table([["k"] * 4, rounds, metrics, values], schema=ROUNDS)
    assert Measurements(ROWS).table("k").equals(expected)
    assert Measurements().table("k").equals(ROUNDS.empty_table())


def test_a_row_takes_24_bytes() -> None:
    measured = Measurements((round_, "loss", round_ / 7) for round_ in range(10_000))
    held = sum(sys.getsizeof(part) for part in vars(measured).values())
    assert held < 24 * 10_000 * 1.2
