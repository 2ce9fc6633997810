"""Text of a study inside Markdown: nothing in a name or a title becomes markup."""

import re

from headstart.escapes import printable


def escaped(text: object) -> str:
    r"""One line, in which only letters stand for themselves.

    >>> print(escaped("<b>*a*|b_c</b>"))
    &lt;b>\*a\*\|b\_c&lt;/b>
    """
    line = _line(text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", line)


def code(text: object) -> str:
    """One line as code, between more backticks than it has anywhere.

    >>> code("mlp(hidden=[8])"), code("a`<b>``c`")
    ('`mlp(hidden=[8])`', '``` a`<b>``c` ```')
    """
    line = _line(text) or " "
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    space = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{space}{line}{space}{fence}"


def row(*cells: object) -> str:
    """A row of a table.

    >>> row(1, "a|b")
    '| 1 | a\\\\|b |'
    """
    return f"| {' | '.join(map(escaped, cells))} |"


def _line(text: object) -> str:
    return " ".join(printable(text).split())
