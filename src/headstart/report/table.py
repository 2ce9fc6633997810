"""A table that the report writes: on the page, as CSV, as Parquet and as LaTeX."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from headstart.report.answers import MINUS, size


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
    return "".join(_SPECIAL.get(letter, letter) for letter in text)


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
