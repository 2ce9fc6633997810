"""Arrow tables of plain values and of numbers, made and read without pandas.

`pa.array`, `pa.table`, `pa.Table.from_pylist` and `to_numpy` import pandas where it is installed,
to see whether they were given something of it: 30 MiB and a third of a second, in each process.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from numbers import Integral, Real
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def table(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Return the table of some rows; what a row does not say is None there.

    >>> schema = pa.schema([("run", pa.string()), ("seed", pa.int64())])
    >>> table([{"run": "a", "seed": 3}, {"run": "b"}], schema).to_pylist()
    [{'run': 'a', 'seed': 3}, {'run': 'b', 'seed': None}]
    """
    columns = []
    for field in schema:
        columns.append(column([row.get(field.name) for row in rows], field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def column(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return the array of some texts, whole numbers, numbers or truth values, of which any may be
    None.
    """
    known = [value is not None for value in values]
    valid = None if all(known) else _bits(known)
    if pa.types.is_string(kind):
        contents = ["" if value is None else value for value in values]
        written = [text.encode() for text in contents]
        ends = array("i", accumulate(map(len, written), initial=0))
        buffers = [valid, pa.py_buffer(ends), pa.py_buffer(b"".join(written))]
        return pa.Array.from_buffers(kind, len(values), buffers)
    if pa.types.is_boolean(kind):
        return pa.Array.from_buffers(kind, len(values), [valid, _bits(map(bool, values))])
    if pa.types.is_null(kind):
        return pa.nulls(len(values))
    items = array(_CODES[kind], [0 if value is None else value for value in values])
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(items)])


def columns(values: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Return the table of some columns by name, each of the type that holds its values.

    >>> columns({"start": ["random", "proxy"], "gain": [None, 1.5]}).to_pylist()
    [{'start': 'random', 'gain': None}, {'start': 'proxy', 'gain': 1.5}]
    """
    arrays = [column(each, _kind_of(each)) for each in values.values()]
    return pa.Table.from_arrays(arrays, names=list(values))


def numbers(values: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """Return the numbers of a column, of which none may be missing; they may not be written to.

    >>> numbers(column([3, 4], pa.int64()))
    array([3, 4])

    Raises:
        ValueError: one is missing.
    """
    if values.null_count:
        raise ValueError(f"expected a number in every row, got {values.null_count} rows without")
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return np.from_dlpack(values)


def coded(texts: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Return the texts of a column as whole numbers, in the order in which they first come, and
    what each stands for.
    """
    found = texts.combine_chunks().cast(pa.string()).dictionary_encode()
    return numbers(found.indices).astype(np.int64), found.dictionary.to_pylist()


def mask(rows: NDArray[np.bool_]) -> pa.Array:
    """Return the rows that are meant, as `pa.Table.filter` takes them."""
    return pa.Array.from_buffers(pa.bool_(), len(rows), [None, _bits(rows)])


def _kind_of(values: Iterable[Any]) -> pa.DataType:
    """The first type that holds all values, as pyarrow finds it."""
    classes = {type(value) for value in values if value is not None}
    if not classes:
        return pa.null()
    for of_values, kind in _KINDS:
        if all(issubclass(each, of_values) for each in classes):
            return kind
    raise TypeError(f"expected values of one type, got {sorted(each.__name__ for each in classes)}")


_KINDS: tuple[tuple[Any, pa.DataType], ...] = (
    (str, pa.string()),
    (bool | np.bool_, pa.bool_()),
    (Integral, pa.int64()),
    (Real, pa.float64()),
)

_CODES = {pa.int64(): "q", pa.float64(): "d"}
"""How the standard library's arrays call the types of numbers."""


def _bits(values: Iterable[bool] | NDArray[np.bool_]) -> pa.Buffer:
    truths = values if isinstance(values, np.ndarray) else np.array(list(values), dtype=bool)
    return pa.py_buffer(np.packbits(truths, bitorder="little"))
