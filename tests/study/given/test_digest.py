"""The digest of a Python value: equal where it holds the same, another where it does not."""

import collections
import enum
import functools
import importlib
import os
import random
import subprocess
import sys
import types
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from headstart.study.given.digest import digest


def function(text: str, name: Any = "f", **names: Any) -> Any:
    """A function as a program of its own would have it."""
    module = types.ModuleType("tests_own_digest")
    vars(module).update(names)
    exec(compile(text, "anywhere.py", "exec"), vars(module))
    return getattr(module, name)


def same(a: Any, b: Any) -> Any:
    return digest(a)[0] == digest(b)[0]


def test_comments_names_of_variables_docstrings_and_places_do_not_count() -> None:
    plain = function("def f(x):\n    y = x + 1\n    return y")
    other = function(
        "\n\n# why\ndef f(x):\n    'What it does.'\n    z = x + 1  # the next\n    return z"
    )
    assert same(plain, other)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("def f(x): return x + 1", "def f(x): return x + 2"),
        ("def f(x): return x + 1", "def f(x): return x - 1"),
        ("def f(x, n=1): return n", "def f(x, n=2): return n"),
        ("def f(x, *, n=1): return n", "def f(x, *, n=2): return n"),
        ("def f(x): return x.real", "def f(x): return x.imag"),
        ("def f(x): return [i * 2 for i in x]", "def f(x): return [i * 3 for i in x]"),
        ("n = 1\ndef f(x): return n", "n = 2\ndef f(x): return n"),
        ("def g(): return 1\ndef f(x): return g()", "def g(): return 2\ndef f(x): return g()"),
        ("class A:\n    n = 1\ndef f(x): return A()", "class A:\n    n = 2\ndef f(x): return A()"),
        (
            "class A:\n    def m(self): return 1\ndef f(x): return A().m()",
            "class A:\n    def m(self): return 2\ndef f(x): return A().m()",
        ),
        ("def f(x): return x in {1, 2}", "def f(x): return x in {1, 3}"),
        ("def f(x): return 'a'", "def f(x): return b'a'"),
        ("def f(x): return 1", "def f(x): return True"),
        ("def f(x): return 1", "def f(x): return 1.0"),
    ],
)
def test_what_a_function_does_counts(one: str, two: str) -> None:
    assert same(function(one), function(one))
    assert not same(function(one), function(two))


def test_a_global_that_is_not_read_does_not_count() -> None:
    text = "def f(x): return x.n"
    assert same(function(text, n=1), function(text, n=2))


def test_a_lambda_is_itself_and_not_the_line_that_it_stands_in() -> None:
    here, there = (lambda: nn.Linear(2, 3)), [lambda: nn.Linear(2, 3), 1, 2]
    assert same(here, there[0])
    assert not same(here, lambda: nn.Linear(2, 4))


def test_what_a_function_closes_over_counts() -> None:
    def made(value: Any) -> Any:
        return lambda: value

    assert same(made(3), made(3))
    assert not same(made(3), made(4))
    assert same(made(torch.ones(2)), made(torch.ones(2)))
    assert not same(made(torch.ones(2)), made(torch.zeros(2)))
    assert not same(made(np.ones(2)), made(np.ones(2, np.float32)))
    assert not same(functools.partial(max, 1), functools.partial(max, 2))


def test_a_module_counts_by_its_weights_and_its_kind() -> None:
    def linear(fill: Any) -> Any:
        layer = nn.Linear(2, 2)
        nn.init.constant_(layer.weight, fill)
        nn.init.constant_(layer.bias, 0.0)
        return layer

    assert same(linear(0.5), linear(0.5))
    assert not same(linear(0.5), linear(0.25))
    assert not same(nn.Sequential(nn.ReLU()), nn.Sequential(nn.ELU()))
    assert not same(nn.Sequential(nn.ELU(0.5)), nn.Sequential(nn.ELU(1.0)))


def test_cycles_end_and_tell_what_stands_in_them() -> None:
    def cycle(value: Any) -> Any:
        found = [value]
        found.append(found)
        return found

    assert same(cycle(1), cycle(1))
    assert not same(cycle(1), cycle(2))
    rises = function("def f(n): return n and f(n - 1)")
    assert same(rises, rises)


def test_what_cannot_be_read_is_named() -> None:
    assert digest([1, iter([1])])[1] == "list_iterator"
    assert digest(lambda: torch.Generator())[1] == ""
    assert digest(torch.Generator())[1] == "Generator"


def test_tensors_count_by_shape_type_and_numbers_and_not_by_layout() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert same(x, x.clone())
    assert same(x.T.contiguous(), x.T)
    assert not same(x, x.reshape(3, 2))
    assert not same(x, x.double())
    assert same(torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16))
    assert same(torch.tensor(1.0), torch.tensor(1.0))
    assert not same(torch.zeros(0, 2), torch.zeros(0, 3))


class Colour(enum.Enum):
    RED = 1


class Marked(dict):  # type: ignore[type-arg]
    pass


def marked(value: Any) -> Any:
    made = Marked(a=1)
    made.shift = value  # type: ignore[attr-defined]
    return made


def attributed(value: Any) -> Any:
    def settings() -> None: ...

    settings.h = value  # type: ignore[attr-defined]
    return settings


def valued(value: Any) -> Any:
    return enum.Enum("Size", {"H": value}, module="tests_own_digest").H  # type: ignore[attr-defined]


def tensor_with(value: Any) -> Any:
    made = torch.ones(2)
    made.scale = value  # type: ignore[attr-defined]
    return made


def in_main(text: str) -> Any:
    made = function(text)
    made.__module__ = "__main__"
    return functools.lru_cache(made)


@pytest.mark.parametrize(
    ("made", "one", "two"),
    [
        (in_main, "def f(): return 1", "def f(): return 2"),
        (valued, 1, 2),
        (attributed, 1, 2),
        (tensor_with, 1, 2),
        (marked, 1, 2),
        (lambda n: collections.defaultdict((lambda: 1) if n == 1 else (lambda: 2)), 1, 2),
        (lambda n: np.ma.array([1.0, 2.0], mask=[False, n == 1]), 1, 2),
        (lambda n: collections.deque([n]), 1, 2),
        (lambda n: random.Random(n), 1, 2),
        (lambda n: {"a": n}.get, 1, 2),
        (lambda n: pd.DataFrame({"a": [n]}), 1, 2),
        (lambda n: torch.ones(2, requires_grad=n == 1), 1, 2),
    ],
)
def test_what_hangs_on_a_value_counts(made: Any, one: int | str, two: int | str) -> None:
    assert digest(made(one))[1] == ""
    assert same(made(one), made(one))
    assert not same(made(one), made(two))


def test_what_is_looked_up_by_a_text_is_named_as_unread() -> None:
    assert digest(function("def f(): return globals()['n']", n=1))[1] == "globals()"
    assert (
        digest(function("def f(): return importlib.import_module('a')", importlib=importlib))[1]
        == "import_module()"
    )
    assert digest(function("def f(): import no_such_module"))[1] == "module without a file"


def test_functions_that_draw_from_a_generator_of_all_count_by_their_names() -> None:
    before = digest([random.gauss, np.random.normal])
    random.random(), np.random.rand()  # noqa: NPY002
    assert digest([random.gauss, np.random.normal]) == before
    assert before[1] == ""
    assert digest(np.random.RandomState(0).normal)[1] == "RandomState"


def test_own_classes_of_every_sort_are_read() -> None:
    @dataclass(slots=True)
    class Width:
        n: int

    Point = collections.namedtuple("Point", "x y")
    assert digest(lambda: (Width(1), Point(1, 2), Colour.RED, Colour))[1] == ""
    assert not same(Width(1), Width(2))
    assert not same(Point(1, 2), Point(1, 3))


FILES = {
    "own_lib/__init__.py": "from . import deep\nH = 1\n",
    "own_lib/deep.py": "import own_other\ndef build(): return own_other.n\n",
    "own_other.py": "n = 1\n",
    "own_single.py": "def hidden(): return 1\n",
}
PROGRAM = """
import own_lib, own_other
from headstart.study.given.digest import digest

def called(): return own_lib.deep.build()

def constant(): return own_lib.H

def inside():
    from own_lib import deep
    return deep.build()

def by_its_name():
    import own_lib.deep
    return own_lib.deep.build()

def looked_up(): return globals()["n"]

def many(): return own_lib.H in {"a", "b", "c"} | {1, 2}

for f in (called, constant, inside, by_its_name, looked_up, many):
    print(f.__name__, digest(f)[0])
"""


def digests_in_a_process(folder: Path, seed: str) -> Any:
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(content)
    (folder / "program.py").write_text(PROGRAM)
    environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, folder / "program.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # type: ignore[arg-type]
    return done.stdout.splitlines()


@pytest.mark.slow
def test_own_modules_count_by_their_files_with_what_these_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = digests_in_a_process(tmp_path / "a", "1")
    monkeypatch.setitem(FILES, "own_single.py", "def hidden(): return 2\n")  # nothing imports it
    assert digests_in_a_process(tmp_path / "b", "2") == first  # elsewhere, with other hashes
    monkeypatch.setitem(FILES, "own_other.py", "n = 2\n")
    assert not set(digests_in_a_process(tmp_path / "b", "2")) & set(first)
