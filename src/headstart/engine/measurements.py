"""What a run has measured, in memory: 24 bytes a row, where a tuple of Python's takes five times as
much.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Any, overload

import pyarrow as pa

from headstart import arrow
from headstart.tables import ROUNDS

Row = tuple[int, str, float]
"""(round, metric, value)."""


class Measurements(Sequence[Row]):
    """The rows of a run in the order in which they were measured; each is made when it is asked
    for.

    >>> measured = Measurements([(0, "test_loss", 2.3), (1, "test_loss", 2.1)])
    >>> measured[-1], len(measured)
    ((1, 'test_loss', 2.1), 2)
    """

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._rounds, self._metrics, self._values = array("q"), array("q"), array("d")
        self.metrics: list[str] = []
        """Every metric, in the order in which they came first."""
        self._number: dict[str, int] = {}
        self.extend(rows)

    def extend(self, rows: Iterable[Row]) -> None:
        """Add rows behind the others."""
        for round_, metric, value in rows:
            if metric not in self._number:
                self._number[metric] = len(self.metrics)
                self.metrics.append(metric)
            self._rounds.append(round_)
            self._metrics.append(self._number[metric])
            self._values.append(value)

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        metric = self.metrics[self._metrics[index]]
        return self._rounds[index], metric, self._values[index]

    def __len__(self) -> int:
        return len(self._rounds)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Measurements) and self[:] == other[:]

    __hash__ = None  # type: ignore[assignment]

    def table(self, run: str) -> pa.Table:
        """All rows as those of a run, in the columns of `ROUNDS`."""
        texts = arrow.column([*self.metrics, run], pa.string())
        runs = array("q", [len(self.metrics)]) * len(self)
        columns = [
            texts.take(_numbers(runs, pa.int64())),
            _numbers(self._rounds, pa.int64()),
            texts.take(_numbers(self._metrics, pa.int64())),
            _numbers(self._values, pa.float64()),
        ]
        return pa.Table.from_arrays(columns, schema=ROUNDS)


def _numbers(values: Any, kind: pa.DataType) -> pa.Array:
    """The numbers as they lie in memory."""
    return pa.Array.from_buffers(kind, len(values), [None, pa.py_buffer(values)])
