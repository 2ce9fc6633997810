"""The types of cells of a column."""

import pyarrow as pa
import pytest

from headstart.tasks.sources.cell_types import is_bytes, is_text, plain_type, without_extension


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_text_is_text_and_no_bytes(kind: pa.DataType) -> None:
    assert is_text(kind)
    assert not is_bytes(kind)


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary(3)])
def test_bytes_are_bytes_and_no_text(kind: pa.DataType) -> None:
    assert is_bytes(kind)
    assert not is_text(kind)


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (pa.dictionary(pa.int32(), pa.string()), pa.string()),
        (pa.string_view(), pa.large_string()),
        (pa.binary_view(), pa.large_binary()),
        (pa.int64(), pa.int64()),
    ],
)
def test_dictionaries_and_views_have_the_type_of_their_values(
    kind: pa.DataType, plain: pa.DataType
) -> None:
    assert plain_type(kind) == plain


def test_what_others_made_of_a_type_is_as_it_is_stored() -> None:
    stored = pa.array([b"\0" * 16], pa.binary(16))
    unique = pa.chunked_array([pa.ExtensionArray.from_storage(pa.uuid(), stored)])
    assert without_extension(unique).to_pylist() == ["00000000-0000-0000-0000-000000000000"]
    plain = pa.chunked_array([[1, 2]])
    assert without_extension(plain) is plain
