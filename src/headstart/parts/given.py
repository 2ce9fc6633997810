"""Parts that are values of this process, such as a function or tensors, and how a study names them.

    python(name='net', sha256='2f0c...')

is what a resolved study says in place of such a value: its name and a digest of its contents. The
process that has the value finds it here; another one reads the name, and can tell which value it
lacks. A value stays as long as somebody holds its `Given`.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from weakref import WeakValueDictionary

from headstart.errors import HeadstartError
from headstart.parts.validation import as_name, at

GIVEN = "python"
"""The name of all such parts, among those of a registry."""

_WRITTEN = re.compile(r"python\(name=('[^']+'), sha256='[0-9a-f]{64}'\)")


@dataclass(frozen=True, eq=False)
class Given:
    """A value under its name. `factory` takes what the factories of its kind take, and returns the
    part.
    """

    kind: str
    name: str
    sha256: str
    factory: Callable[..., Any]

    def __str__(self) -> str:
        return f"{GIVEN}(name={self.name!r}, sha256={self.sha256!r})"


_here: WeakValueDictionary[tuple[str, str, str], Given] = WeakValueDictionary()


def keep(given: Given) -> Given:
    """Have this process find the value, as long as somebody holds what is returned.

    Raises:
        HeadstartError: its name is none that tables and pages can show.
    """
    as_name(given.name, given.kind)
    _here[given.kind, given.name, given.sha256] = given
    return given


def find(kind: str, name: str, sha256: str, path: str = "") -> Given:
    """The value of that name and those contents.

    Raises:
        HeadstartError: this process has no such value.
    """
    found = _here.get((kind, name, sha256))
    if found is None:
        raise HeadstartError(
            f"{at(path)}the {kind} {name!r} was given by a Python program (sha256 "
            f"{sha256[:12]}), and is not here; run that program again"
        )
    return found


def brief(written: object) -> str:
    """A parameter as tables and pages show it: a given part by its name.

    >>> brief("python(name='net', sha256='" + 64 * "0" + "')"), brief("mlp"), brief(0.1)
    ("'net'", "'mlp'", '0.1')
    """
    match = _WRITTEN.fullmatch(written) if isinstance(written, str) else None
    return repr(ast.literal_eval(match[1])) if match else repr(written)
