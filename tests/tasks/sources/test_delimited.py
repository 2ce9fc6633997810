"""CSV files: the sign between cells, cells without anything, and faults with their row."""

from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.tasks.sources import delimited


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_the_sign_between_cells_is_that_of_the_header(sign: str, tmp_path: Path) -> None:
    path = written(tmp_path, f"\n\na{sign}b\n1{sign}\n{sign}x\n")
    assert delimited.names(path) == ["a", "b"]
    found = delimited.table(path, ["b", "a"])
    assert found.to_pydict() == {"b": [None, "x"], "a": ["1", None]}


def test_quotes_hold_signs_and_lines(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"x, y","one\ntwo"\n')
    assert delimited.table(path, ["a", "b"]).to_pylist() == [{"a": "x, y", "b": "one\ntwo"}]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a,b\n1,2\n3\n", "row 1: Expected 2 columns, got 1"),
        ('a,b\n1,2\n3,"x\n4,y\n', "row 1 begins a quote that nothing ends"),
        (b"a,b\n" + b"1,2\n" * 5000 + b"1,\xff\n", "save it as UTF-8"),
    ],
)
def test_a_fault_is_one_line_with_its_row(text: str | bytes, line: str, tmp_path: Path) -> None:
    with pytest.raises(HeadstartError) as raised:
        delimited.table(written(tmp_path, text), ["a", "b"])
    assert line in str(raised.value)
    assert "t.csv" in str(raised.value)


def test_a_header_that_is_no_text_says_where(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"invalid .* at byte 2; save it as UTF-8"):
        delimited.names(written(tmp_path, b"a,\xff\n"))
