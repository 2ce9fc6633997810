"""JSON as a table: objects by lines, a list of them, and LEAF's users."""

import json
from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.tasks.sources import objects


def written(folder: Path, text: str) -> Path:
    path = folder / "t.json"
    path.write_text(text)
    return path


def test_an_object_a_line_and_a_list_say_the_same(tmp_path: Path) -> None:
    rows = [{"a": 1, "b": "x"}, {"b": "y"}]
    lines = written(tmp_path, "\n".join(map(json.dumps, rows)) + "\n\n")
    expected = {"a": [1, None], "b": ["x", "y"]}
    assert objects.names(lines, lines=True) == ["a", "b"]
    assert objects.table(lines, ["a", "b"], lines=True).to_pydict() == expected
    listed = written(tmp_path, json.dumps(rows))
    assert objects.table(listed, ["a", "b"], lines=False).to_pydict() == expected


def test_users_of_leaf_are_rows(tmp_path: Path) -> None:
    data = {"u": {"x": [[1, 2], [3, 4]], "y": [0, 1]}, "v": {"x": [[5, 6]], "y": [1]}}
    path = written(tmp_path, json.dumps({"users": ["u", "v"], "user_data": data}))
    assert objects.table(path, ["user", "x", "y"], lines=False).to_pydict() == {
        "user": ["u", "u", "v"],
        "x": [[1, 2], [3, 4], [5, 6]],
        "y": [0, 1, 1],
    }


@pytest.mark.parametrize(
    ("text", "lines", "line"),
    [
        ('{"a": 1, "a": 2}', True, "row 0 has the key 'a' twice; leave one out"),
        ("[1]", False, "row 0 is 1, expected an object {column: value}"),
        ("[[1]]", True, "a list of objects is a file .json"),
        ('{"a": 1}', False, "expected a list of objects, or LEAF's object"),
        ('{"a": 1}\n{"a": 2}', False, "an object a line is a file .jsonl"),
        ('{"a": 1}\n{"a": "x"}', True, "'a'"),
    ],
)
def test_a_fault_is_one_line(text: str, lines: bool, line: str, tmp_path: Path) -> None:
    path = written(tmp_path, text)
    with pytest.raises(HeadstartError) as raised:
        objects.table(path, ["a"], lines)
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)
