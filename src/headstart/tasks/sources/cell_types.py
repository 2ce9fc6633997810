"""The types of cells of a column: whether they are text or bytes, and those that others made."""

import pyarrow as pa

VIEWS = {"string_view": pa.large_string(), "binary_view": pa.large_binary()}
"""The types of a value that stand for one of a view."""


def is_text(kind: pa.DataType) -> bool:
    """Whether the cells of a column are text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether the cells of a column are bytes."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def without_extension(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """The cells as they are stored, where their type is one that others made of it; a UUID is its
    text.
    """
    if not isinstance(cells.type, pa.BaseExtensionType):
        return cells
    if str(cells.type) == "extension<arrow.uuid>":
        return pa.chunked_array(
            [[None if cell is None else str(cell) for cell in cells.to_pylist()]], pa.string()
        )
    return pa.chunked_array([chunk.storage for chunk in cells.chunks], cells.type.storage_type)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type of the values themselves, where they are in a dictionary or a view."""
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return VIEWS.get(str(kind), kind)
