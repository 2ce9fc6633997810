"""A table that the report writes: on the page, as CSV, as Parquet and as LaTeX."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from headstart import arrow
from headstart.report.words.numbers import MINUS, size


@dataclass(frozen=True)
class Table:
    """Columns of equal length, in order; `percent` names those that the page shows as
    percentages.
    """

    slug: str
    caption: str
    columns: Mapping[str, list[Any]]
    percent: frozenset[str] = field(default_factory=frozenset)

    @property
    def numeric(self) -> frozenset[str]:
        """Columns that hold numbers, whose cells are set to the right."""
        return frozenset(
            name for name, values in self.columns.items() if any(map(_is_value, values))
        )

    def arrow(self) -> pa.Table:
        """The table for a Parquet file."""
        return arrow.columns(self.columns)

    def latex(self) -> str:
        """A `table` for a paper, in booktabs' form: text set as it is, numbers to three digits."""
        columns = "".join("r" if name in self.numeric else "l" for name in self.columns)
        head = " & ".join(map(_escaped, self.columns))
        body = ""
        for row in zip(*self.columns.values(), strict=True):
            body += f"    {' & '.join(map(_in_latex, row))} \\\\\n"
        return (
            "% needs \\usepackage{booktabs}\n\\begin{table}\n  \\centering\n"
            f"  \\caption{{{_escaped(self.caption)}}}\n  \\label{{tab:{self.slug}}}\n"
            f"  \\begin{{tabular}}{{{columns}}}\n    \\toprule\n    {head} \\\\\n"
            f"    \\midrule\n{body}    \\bottomrule\n  \\end{{tabular}}\n\\end{{table}}\n"
        )

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


def titles(names: Iterable[str]) -> list[str]:
    """Names of columns as a reader would write them."""
    return [name.replace("_", " ") for name in names]


class Rows:
    """Columns that are filled row by row."""

    def __init__(self, *names: str) -> None:
        self.columns: dict[str, list[Any]] = {name: [] for name in names}

    def add(self, *values: Any) -> None:
        """Add a row: a value for each column, in their order."""
        for column, value in zip(self.columns.values(), values, strict=True):
            column.append(value)

    def table(self, slug: str, caption: str, *percent: str) -> Table:
        """The rows so far as a table; `percent`: the columns that are shares."""
        return Table(slug, caption, self.columns, frozenset(percent))

    def __bool__(self) -> bool:
        return any(self.columns.values())


_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How a cell begins that a spreadsheet computes and does not show (OWASP, CSV injection)."""


def csv_text(
    columns: Mapping[str, list[Any]],
    shown: Callable[[Any], Any] = lambda value: value,
    end: str = "\n",
) -> bytes:
    """Write the columns as CSV: text is text also in a spreadsheet, numbers stay numbers.

    Args:
        columns: values of equal number by name.
        shown: shortens a value.
        end: of a line.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(map(_harmless, columns))
    for row in zip(*columns.values(), strict=True):
        writer.writerow([_harmless(shown(value)) for value in row])
    return text.getvalue().encode()


def _is_value(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _harmless(value: Any) -> Any:
    """The value of a cell, so that no spreadsheet takes it for a formula.

    >>> list(map(_harmless, ("=1+1", "-mu", "-0.5", -0.5, "sgd", None)))
    ["'=1+1", "'-mu", '-0.5', -0.5, 'sgd', None]
    """
    if not isinstance(value, str) or not value.startswith(FORMULA) or _is_number(value):
        return value
    return f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()


def _in_latex(value: Any) -> str:
    if value is None or value != value:
        return "--"
    if isinstance(value, bool):
        return "yes" if value else ""
    if not isinstance(value, float):
        return _escaped(str(value))
    digits, _, exponent = size(value).replace(MINUS, "-").replace(",", "{,}").partition("e")
    times = rf" \times 10^{{{int(exponent)}}}" if exponent else ""
    return f"${digits}{times}$"
