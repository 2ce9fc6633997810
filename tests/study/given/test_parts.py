"""Values of Python in the keys of a study, as a study file would name them."""

from typing import Any

import pytest
import torch
from torch import nn

from headstart.errors import HeadstartError
from headstart.study.given.parts import OwnPart, as_written, own_part


def net(input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))


def test_values_get_their_name_and_digest_and_text_stays() -> None:
    keys = {"task": "digits", "model": net, "starts": ["random", own_part(net, name="ours")]}
    with pytest.raises(HeadstartError, match=r"^starts\[1\]: "):
        as_written(keys)
    weights = {"1.weight": torch.zeros(10, 64), "1.bias": torch.zeros(10)}
    written, found = as_written({**keys, "starts": ["random", own_part(weights, name="ours")]})
    assert written["task"] == "digits"
    assert [one.name for one in found] == ["net", "ours"]
    assert written["model"] == str(found[0]) or str(found[0]) in str(written["model"])
    assert written["starts"][0] == "random"


def test_a_version_stands_for_the_contents() -> None:
    def digests(scale: float, version: str | None) -> str:
        value = {"w": torch.full((2,), scale)}
        _, (one,) = as_written({"starts": [own_part(value, name="w", version=version)]})
        return one.sha256

    assert digests(1.0, None) != digests(2.0, None)
    assert digests(1.0, "1") == digests(2.0, "1") != digests(1.0, "2")


@pytest.mark.parametrize(
    ("value", "keys", "line"),
    [
        ("sgd", {}, "own_part: expected a value such as a function or tensors, got 'sgd'"),
        (None, {}, "own_part: expected a value"),
        (net, {"name": ""}, "own_part: expected a text as name, got ''"),
        (net, {"version": 3}, "own_part: expected a text as version, got 3"),
    ],
)
def test_what_is_no_value_is_one_line(value: Any, keys: Any, line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        own_part(value, **keys)
    assert str(caught.value).startswith(line)


def test_it_shows_itself_briefly() -> None:
    assert repr(OwnPart(net, "ours")) == "<own part ours: function>"
    assert repr(OwnPart(net)) == "<own part: function>"
