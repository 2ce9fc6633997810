"""What columns look like is seen in one reading of the file, by the beginnings of cells."""

from pathlib import Path

import pytest

from headstart.tools import column_guesses
from headstart.tools.column_guesses import LONGEST, columns_of

ROWS = 40


def wide(path: Path, columns: int) -> Path:
    """A table of so many columns of numbers beside a client and a label."""
    lines = [",".join(["client", "label", *(f"x{j}" for j in range(columns))])]
    for i in range(ROWS):
        lines.append(
            ",".join([f"c{i % 4}", "ab"[i % 2], *(str(i * j % 7) for j in range(columns))])
        )
    path.write_text("\n".join(lines))
    return path


def readings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many columns are read together, each time."""
    found: list[int] = []
    whole = column_guesses.read  # type: ignore[attr-defined]

    def counted(path: Path, names: list[str], with_gaps: list[str]) -> object:
        found.append(len(names))
        return whole(path, names, with_gaps)

    monkeypatch.setattr(column_guesses, "read", counted)
    return found


def test_a_wide_table_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = readings(monkeypatch)
    found = columns_of(wide(tmp_path / "wide.csv", 1000))
    assert read == [1002]
    assert [column.kind for column in found] == ["words", "words", *["number"] * 1000]
    assert found[0].values == ("c0", "c1", "c2", "c3")


def test_a_large_table_is_read_a_few_columns_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = wide(tmp_path / "wide.csv", 10)
    whole = columns_of(path)
    monkeypatch.setattr(column_guesses, "READ_AT_ONCE", -(-path.stat().st_size // 4))
    read = readings(monkeypatch)
    assert columns_of(path) == whole
    assert read == [3, 3, 3, 3]


def test_a_long_cell_is_looked_at_by_its_beginning(tmp_path: Path) -> None:
    rows = [f"c{i % 4},word {i}" for i in range(ROWS)]
    (tmp_path / "long.csv").write_text("\n".join(["client,note", *rows, f"c0,{'word ' * LONGEST}"]))
    _, note = columns_of(tmp_path / "long.csv")
    assert note.kind == "text"
    assert max(map(len, note.values)) <= LONGEST


def test_a_damaged_column_spoils_no_other(tmp_path: Path) -> None:
    rows = [f'{{"client": "c{i % 4}", "x": {i if i else "[1]"}}}' for i in range(ROWS)]
    (tmp_path / "mixed.jsonl").write_text("\n".join(rows))
    client, mixed = columns_of(tmp_path / "mixed.jsonl")
    assert (client.kind, len(client.values)) == ("words", 4)
    assert (mixed.kind, mixed.rows) == ("other", 0)
