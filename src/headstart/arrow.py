"""Arrow tables of plain values, made without pandas.

`pa.array`, `pa.table` and `pa.Table.from_pylist` import pandas where it is installed, to see
whether they were given something of it: 40 MiB and a third of a second, in each process.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import pyarrow as pa


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
    numbers = array(_CODES[kind], [0 if value is None else value for value in values])
    return pa.Array.from_buffers(kind, len(values), [valid, pa.py_buffer(numbers)])


_CODES = {pa.int64(): "q", pa.float64(): "d"}
"""How the standard library's arrays call the types of numbers."""


def _bits(values: Iterable[bool]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(np.array(list(values), dtype=bool), bitorder="little"))
