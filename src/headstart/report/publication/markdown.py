"""Text of a study inside Markdown: nothing in a name or a title becomes markup."""

import re

from headstart.wording.escapes import printable


def escaped(text: object) -> str:
    r"""One line, in which only letters stand for themselves.

    >>> print(escaped("<b>*a*|b_c</b>"))
    &lt;b>\*a\*\|b\_c&lt;/b>
    """
    line = _line(text).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"([\\`*_\[\]|~$#])", r"\\\1", line)


def code(text: object) -> str:
    r"""One line as code; where it has backticks or tags itself, with these escaped.

    >>> print(code("mlp(hidden=[8])"), code("a`<b>"))
    `mlp(hidden=[8])` <code>a\`&lt;b></code>
    """
    line = _line(text)
    if not line or "`" in line or "<" in line:
        return f"<code>{escaped(line)}</code>"
    return f"`{line}`"


def row(*cells: object) -> str:
    """A row of a table.

    >>> row(1, "a|b")
    '| 1 | a\\\\|b |'
    """
    return f"| {' | '.join(map(escaped, cells))} |"


def _line(text: object) -> str:
    return " ".join(printable(text).split())
