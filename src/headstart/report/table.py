"""A table that the report writes: on the page, as CSV and as Parquet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa


@dataclass(frozen=True)
class Table:
    """Columns of equal length, in order; `percent` names those that the page shows as percentages."""

    slug: str
    caption: str
    columns: Mapping[str, list[Any]]
    percent: frozenset[str] = field(default_factory=frozenset)

    @property
    def numeric(self) -> frozenset[str]:
        """Columns that hold numbers, whose cells are set to the right."""
        return frozenset(
            name
            for name, values in self.columns.items()
            if any(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
        )

    def arrow(self) -> pa.Table:
        return pa.table({name: pa.array(values) for name, values in self.columns.items()})

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))
