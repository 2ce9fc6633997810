"""The rows of `rates:` in a study file: which of them gives a run its learning rates."""

from collections.abc import Callable, Sequence
from typing import Any

from headstart.errors import HeadstartError
from headstart.parts.registry import Component
from headstart.study.file.keys import RateRow

Conditions = dict[str, str | Component | float]
"""What fields of a run a row asks for: a part, a bare name for a part with any parameters, or a
number.
"""

Shape = tuple[tuple[str, bool], ...]
"""The fields that a row asks for, and of each whether it is a part that is asked for by its bare
name.
"""

PLAIN = ("local_epochs", "trainable")
"""The fields that are no parts."""


class RateRows:
    """The rows in their order, found by what they ask for: many rows cost a run no more than few.

    `component(field, written, path)` reads a part. Rows of one shape ask for values of the same
    fields, so that one look-up tells which of them a run meets first.
    """

    def __init__(
        self, rows: Sequence[RateRow], fields: Sequence[str], component: Callable[..., Component]
    ) -> None:
        self.rows = rows
        self.used: set[int] = set()
        self._before: dict[int, int] = {}
        self._first: dict[Shape, dict[tuple[Any, ...], int]] = {}
        for i, row in enumerate(rows):
            conditions = _conditions(row, fields, component, f"rates[{i}]")
            shape = []
            for name, value in conditions.items():
                shape.append((name, name not in PLAIN and isinstance(value, str)))
            alike = self._first.setdefault(tuple(shape), {})
            earlier = alike.setdefault(tuple(conditions.values()), i)
            if earlier != i:
                self._before[i] = earlier

    def of(self, run: Any) -> RateRow | None:
        """The first row that matches a run; None where none does."""
        matching = []
        for shape, first in self._first.items():
            values = tuple(_asked(run, name, by_name) for name, by_name in shape)
            if values in first:
                matching.append(first[values])
        if not matching:
            return None
        chosen = min(matching)
        self.used.add(chosen)
        for i in matching:
            self._before.setdefault(i, chosen)
        return self.rows[chosen]

    @property
    def unused(self) -> list[int]:
        """The rows that gave no run its rates."""
        return sorted(set(range(len(self.rows))) - self.used)

    def refuse_unused(self) -> None:
        """Refuse rows that gave no run its rates.

        Raises:
            HeadstartError: one did not, with the row that runs take theirs from instead.
        """
        for i in self.unused:
            if i not in self._before:
                raise HeadstartError(
                    f"rates[{i}]: matches no run of the grid; correct it or remove it"
                )
            raise HeadstartError(
                f"rates[{i}]: its runs take the rates of rates[{self._before[i]}], which matches "
                "them first (a bare name is of every preset and parameter: adam is of adam@torch "
                "too); put the narrower row first, or remove it"
            )


def _asked(run: Any, name: str, by_name: bool) -> Any:
    field = getattr(run, name)
    return field.name if by_name else field


def _conditions(
    row: RateRow, fields: Sequence[str], component: Callable[..., Component], path: str
) -> Conditions:
    conditions: Conditions = {}
    for name in fields:
        if (written := getattr(row, name)) is not None:
            part = component(name, written, f"{path}.{name}")
            conditions[name] = part.name if written == part.name else part
    for name in PLAIN:
        if (value := getattr(row, name)) is not None:
            conditions[name] = value
    return conditions
