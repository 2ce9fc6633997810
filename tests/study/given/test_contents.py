"""The digest of a Python value: equal where it holds the same, another where it does not."""

import functools
import types

import numpy as np
import pytest
import torch
from torch import nn

from headstart.study.given.contents import digest


def function(text, name="f", **names):
    """A function as a program of its own would have it."""
    module = types.ModuleType("tests_own_digest")
    vars(module).update(names)
    exec(compile(text, "anywhere.py", "exec"), vars(module))
    return getattr(module, name)


def same(a, b):
    return digest(a)[0] == digest(b)[0]


def test_comments_names_of_variables_docstrings_and_places_do_not_count():
    plain = function("def f(x):\n    y = x + 1\n    return y")
    other = function("\n\n# why\ndef f(x):\n    'What it does.'\n    z = x + 1  # the next\n    return z")
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
def test_what_a_function_does_counts(one, two):
    assert same(function(one), function(one))
    assert not same(function(one), function(two))


def test_a_global_that_is_not_read_does_not_count():
    text = "def f(x): return x.n"
    assert same(function(text, n=1), function(text, n=2))


def test_a_lambda_is_itself_and_not_the_line_that_it_stands_in():
    here, there = (lambda: nn.Linear(2, 3)), [lambda: nn.Linear(2, 3), 1, 2]
    assert same(here, there[0])
    assert not same(here, lambda: nn.Linear(2, 4))


def test_what_a_function_closes_over_counts():
    def made(value):
        return lambda: value

    assert same(made(3), made(3))
    assert not same(made(3), made(4))
    assert same(made(torch.ones(2)), made(torch.ones(2)))
    assert not same(made(torch.ones(2)), made(torch.zeros(2)))
    assert not same(made(np.ones(2)), made(np.ones(2, np.float32)))
    assert not same(functools.partial(max, 1), functools.partial(max, 2))


def test_a_module_counts_by_its_weights_and_its_kind():
    def linear(fill):
        layer = nn.Linear(2, 2)
        nn.init.constant_(layer.weight, fill)
        nn.init.constant_(layer.bias, 0.0)
        return layer

    assert same(linear(0.5), linear(0.5))
    assert not same(linear(0.5), linear(0.25))
    assert not same(nn.Sequential(nn.ReLU()), nn.Sequential(nn.ELU()))
    assert not same(nn.Sequential(nn.ELU(0.5)), nn.Sequential(nn.ELU(1.0)))


def test_cycles_end_and_tell_what_stands_in_them():
    def cycle(value):
        found = [value]
        found.append(found)
        return found

    assert same(cycle(1), cycle(1))
    assert not same(cycle(1), cycle(2))
    rises = function("def f(n): return n and f(n - 1)")
    assert same(rises, rises)


def test_what_cannot_be_read_is_named():
    assert digest([1, iter([1])])[1] == "list_iterator"
    assert digest(lambda: torch.Generator())[1] == ""
    assert digest(torch.Generator())[1] == "Generator"


def test_tensors_count_by_shape_type_and_numbers_and_not_by_layout():
    x = torch.arange(6.0).reshape(2, 3)
    assert same(x, x.clone())
    assert same(x.T.contiguous(), x.T)
    assert not same(x, x.reshape(3, 2))
    assert not same(x, x.double())
    assert same(torch.ones(2, dtype=torch.bfloat16), torch.ones(2, dtype=torch.bfloat16))
    assert same(torch.tensor(1.0), torch.tensor(1.0))
    assert not same(torch.zeros(0, 2), torch.zeros(0, 3))
