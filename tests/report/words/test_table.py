"""Tables as LaTeX and CSV: what a paper's source and a spreadsheet can take in as they are."""

import csv
import io
from typing import Any

from headstart.report.words.table import Table, csv_text


def test_a_table_in_latex_is_escaped_aligned_and_whole() -> None:
    columns = {
        "client_rate": [0.1, 1.23e-5],
        "pair": ["a & b", "50%"],
        "best": [True, False],
        "n": [3, None],
    }
    columns |= {"MB": [1936.4, -0.5]}
    text = Table("rates", "Rates_1", columns).latex()  # type: ignore[arg-type]
    assert r"\begin{tabular}{rllrr}" in text
    assert r"client\_rate & pair & best & n & MB \\" in text
    assert "    $0.1$ & a \\& b & yes & 3 & $1{,}936$ \\\\\n" in text
    assert "    $1.23 \\times 10^{-5}$ & 50\\% &  & -- & $-0.5$ \\\\\n" in text
    assert r"\caption{Rates\_1}" in text
    assert r"\label{tab:rates}" in text
    assert text.count("\\begin{") == text.count("\\end{") == 2


def test_cells_are_text_in_a_spreadsheet_too_and_numbers_stay_numbers() -> None:
    columns: dict[str, list[Any]] = {
        "@start": ["=cmd|' /C calc'!A0", "+1", "-mu", "\t=1", "\uff1d1", "a=b", "-1e-3"],
        "d": [-0.5, 1.0, -2.0, 3.0, 4.0, None, 5.0],
    }
    rows = list(csv.reader(io.StringIO(csv_text(columns).decode())))
    assert rows[0] == ["'@start", "d"]
    assert [row[0] for row in rows[1:]] == [
        "'=cmd|' /C calc'!A0",
        "+1",
        "'-mu",
        "'\t=1",
        "'\uff1d1",
        "a=b",
        "-1e-3",
    ]
    assert [row[1] for row in rows[1:]] == ["-0.5", "1.0", "-2.0", "3.0", "4.0", "", "5.0"]
