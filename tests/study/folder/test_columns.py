"""The columns of the tables are those of the classes that declare them, with their types."""

from dataclasses import dataclass

import pyarrow as pa
import pytest

from headstart.study.folder.columns import RunRow, TrialRow, schema_of


@dataclass
class Row:
    """One field of each kind of column."""

    text: str
    number: int
    share: float | None
    flag: bool


def test_a_schema_has_the_fields_in_order_with_their_types() -> None:
    schema = schema_of(Row)
    assert schema.names == ["text", "number", "share", "flag"]
    assert schema.types == [pa.string(), pa.int64(), pa.float64(), pa.bool_()]


@pytest.mark.parametrize("row", [RunRow, TrialRow])
def test_whole_rates_and_epochs_are_still_numbers_with_fractions(row: type) -> None:
    for name in ("client_rate", "server_rate", "local_epochs"):
        assert schema_of(row).field(name).type == pa.float64()
