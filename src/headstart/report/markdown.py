"""Text of a study inside Markdown: nothing in a name or a title becomes markup."""

import re


def escaped(text: object) -> str:
    r"""One line, in which only letters stand for themselves.

    >>> print(escaped("<b>*a*|b_c</b>"))
    &lt;b>\*a\*\|b\_c&lt;/b>
    """
    line = " ".join(str(text).split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", line)


def row(*cells: object) -> str:
    """A row of a table.

    >>> row(1, "a|b")
    '| 1 | a\\\\|b |'
    """
    return f"| {' | '.join(map(escaped, cells))} |"
