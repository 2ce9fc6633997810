"""A table that the report writes: on the page, as CSV, as Parquet and as LaTeX."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from headstart.report.words.numbers import MINUS, size


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

    def latex(self) -> str:
        """A `table` for a paper, in booktabs' form: text set as it is, numbers to three digits."""
        columns = "".join("r" if name in self.numeric else "l" for name in self.columns)
        head = " & ".join(_escaped(name) for name in self.columns)
        rows = [" & ".join(map(_in_latex, row)) for row in zip(*self.columns.values(), strict=True)]
        body = "".join(f"    {row} \\\\\n" for row in rows)
        return (
            "% needs \\usepackage{booktabs}\n\\begin{table}\n  \\centering\n"
            f"  \\caption{{{_escaped(self.caption)}}}\n  \\label{{tab:{self.slug}}}\n"
            f"  \\begin{{tabular}}{{{columns}}}\n    \\toprule\n    {head} \\\\\n    \\midrule\n{body}"
            "    \\bottomrule\n  \\end{tabular}\n\\end{table}\n"
        )

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), []))


_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(letter, letter) for letter in " ".join(text.split()))


FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""How a cell begins that a spreadsheet computes and does not show (OWASP, CSV injection)."""


def csv_text(
    columns: Mapping[str, list[Any]], shown: Callable[[Any], Any] = lambda value: value, end: str = "\n"
) -> bytes:
    """The table as CSV: text is text also in a spreadsheet, numbers stay numbers; `shown` shortens values."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end)
    writer.writerow(map(_harmless, columns))
    writer.writerows([_harmless(shown(value)) for value in line] for line in zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _harmless(value: Any) -> Any:
    """
    >>> [_harmless(value) for value in ("=1+1", "-mu", "-0.5", -0.5, "sgd", None)]
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
