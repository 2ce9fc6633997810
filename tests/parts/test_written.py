"""A part in each of the ways in which a study file may write it."""

from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.parts.written import named, read


@pytest.mark.parametrize(
    "written",
    [
        "proximal(mu=0.1)",
        " proximal(mu=0.1) ",
        {"proximal": {"mu": 0.1}},
        {"name": "proximal", "mu": 0.1},
        {"name": "proximal(mu=0.1)"},
    ],
)
def test_each_way_says_the_same(written: object) -> None:
    assert read(written, "client", "clients[0]") == ("proximal", None, {"mu": 0.1})


def test_presets_modules_and_bare_words() -> None:
    assert read("adam@torch(epsilon=1e-7)", "server", "") == ("adam", "torch", {"epsilon": 1e-7})
    assert read("my_model:net", "model", "") == ("my_model:net", None, {})
    found = read("part(a=true, b=null, c=word, d=[1, 'x'])", "part", "")
    assert found == ("part", None, {"a": True, "b": None, "c": "word", "d": [1, "x"]})
    assert read({"iid": None}, "partition", "") == ("iid", None, {})


@pytest.mark.parametrize(
    ("written", "line"),
    [
        ("sgd(0.9)", "clients[0]: expected parameters as 'name=value', got '0.9'"),
        ("sgd(mu=a b)", "clients[0]: expected parameters as 'name=value', got 'mu=a b'"),
        ("sgd(mu=1, mu=2)", "clients[0]: the parameter 'mu' is there twice; remove one"),
        ({"sgd(mu=1)": {"mu": 2}}, "clients[0]: the parameter 'mu' is there twice; remove one"),
        (3, "clients[0]: expected a client such as 'name', 'name(parameter=1)'"),
        ("dirichlet(alpha=0.1", "put it in quotes: in [a, b] a comma ends an item"),
    ],
)
def test_what_is_no_part_is_one_line(written: object, line: str) -> None:
    with pytest.raises(HeadstartError) as raised:
        read(written, "client", "clients[0]")
    assert line in str(raised.value)


@pytest.mark.parametrize(
    ("written", "rest", "name"),
    [
        ("sgd", "sgd", ""),
        ({"sgd": {"momentum": 0.9}}, {"sgd": {"momentum": 0.9}}, ""),
        ({"name": "sgd", "as": "ours"}, {"name": "sgd"}, "ours"),
        ({"sgd": {"momentum": 0.9, "as": "ours"}}, {"sgd": {"momentum": 0.9}}, "ours"),
    ],
)
def test_the_name_that_a_study_gives_stands_beside_or_among(
    written: Any, rest: Any, name: str
) -> None:
    assert named(written, "client", "clients[0]") == (rest, name)


def test_a_part_is_named_once() -> None:
    with pytest.raises(HeadstartError, match=r"clients\[0\]: the client is named twice \(as\)"):
        named({"sgd": {"as": "a"}, "as": "b"}, "client", "clients[0]")
