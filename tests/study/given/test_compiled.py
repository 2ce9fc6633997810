"""What code reads from outside, found without running it."""

import types
from collections.abc import Callable
from typing import Any

from headstart.study.given.compiled import globals_of, imports_of, read_of_modules


def code_of(text: str) -> types.CodeType:
    names: dict[str, Callable[..., Any]] = {}
    exec(text, names)
    return names["f"].__code__


def test_globals_also_of_functions_inside() -> None:
    code = code_of(
        "def f(x):\n    y = first(x)\n    return [lambda z: second + z + y for _ in third]\n"
    )
    assert globals_of(code) == ["first", "second", "third"]


def test_modules_that_import_statements_reach() -> None:
    code = code_of(
        "def f():\n"
        "    import os.path\n"
        "    def inner():\n"
        "        from json import dumps, loads\n"
        "    return inner\n"
    )
    assert imports_of(code, "") == ["json", "os"]


def test_attributes_of_globals() -> None:
    code = code_of("def f(x):\n    return np.linalg.norm(x) + math.pi + x.shape[0]\n")
    assert read_of_modules(code) == [("math", "pi"), ("np", "linalg")]
