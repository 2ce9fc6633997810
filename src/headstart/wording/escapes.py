"""Characters that are obeyed and not shown, written out in text that somebody else wrote."""

import re

_OBEYED = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, separators of lines, marks of direction, halves of letters."""


def printable(text: object) -> str:
    r"""The text with all that a terminal or a page would obey written out; line ends and tabs stay.

    >>> print(printable("K\u00f6ln\x1b[2J"), printable("a\u202eb"))
    Köln\x1b[2J a\u202eb
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode(), str(text))
