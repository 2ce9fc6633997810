"""The parts that a study file names, as they are written there: read here without loading any."""

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

GIVEN = "python"
"""The name of every part that a Python program gave: `python(name='net', sha256='2f0c...')`."""

FILE = "path"
"""The parameter that says where a file lies."""

SHOWN = 12
"""Digits of a sha256 that are shown."""

Arguments = Mapping[str, Any]

_PART = re.compile(r"([\w.-]+(?::[^\W\d]\w*)?)(?:@[\w.-]+)?(\(.*\))?", re.DOTALL)
_GIVEN = re.compile(rf"{GIVEN}\(name=\\?'([^'\\]+)\\?', sha256=\\?'([0-9a-f]{{64}})\\?'\)")


def parts(value: Any) -> Iterator[tuple[str, Arguments]]:
    """All that may be parts in the values of a study: their names and what they are given."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from parts(each)
    if isinstance(value, str) and (match := _PART.fullmatch(value)):
        given = arguments(value)
        yield match[1], given
        for key, each in given.items():
            if _is_part(key, each):
                yield from parts(each)


def by_name(written: str) -> str:
    """The text with each part that a program gave by its name alone.

    >>> by_name("python(name='net', sha256='" + 64 * "0" + "')"), by_name("mlp(hidden=[8])")
    ('net', 'mlp(hidden=[8])')
    """
    return _GIVEN.sub(r"\1", written)


def shortened(written: str) -> str:
    """The text with each sha256 of a part that a program gave cut to its first digits.

    >>> shortened("python(name='net', sha256='" + 64 * "0" + "')")
    "python(name='net', sha256='000000000000...')"
    """
    return _GIVEN.sub(lambda found: found[0].replace(found[2], f"{found[2][:SHOWN]}..."), written)


def _is_part(name: str, value: Any) -> bool:
    """Whether a parameter is a part too: a column may be called `site:id`, and is none."""
    return name in ("task", "like") or (isinstance(value, str) and value.endswith(")"))


def arguments(written: str) -> Arguments:
    """The parameters of a part; none where what stands in brackets is something else.

    >>> arguments("proximal(mu=0.1)"), arguments("sgd")
    ({'mu': 0.1}, {})
    """
    try:
        call = ast.parse(f"part({written.partition('(')[2] or ')'}", mode="eval").body
        keywords = call.keywords if isinstance(call, ast.Call) else []
        return {str(each.arg): ast.literal_eval(each.value) for each in keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}
