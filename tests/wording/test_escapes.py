"""What a terminal or a page would obey is written out; what it shows stays."""

import pytest

from headstart.wording.escapes import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("K\u00f6ln, 1\t2\nend", "K\u00f6ln, 1\t2\nend"),
        ("\x1b[2J", "\\x1b[2J"),
        ("a\u202eb", "a\\u202eb"),
        ("a\u061cb", "a\\u061cb"),
        ("half\ud800", "half\\ud800"),
        ("\r", "\\r"),
        (3, "3"),
    ],
)
def test_what_is_obeyed_is_written_out(text: object, shown: str) -> None:
    assert printable(text) == shown
