"""Modules that clients could not train alike are refused, each in one line."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.conversion.group_norm import to_group_norm
from headstart.models.network import Network

INPUTS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


def refusal(build: Callable[[], nn.Module], inputs: Tensor = INPUTS, outputs: int = 3) -> str:
    with pytest.raises(HeadstartError) as caught:
        Network(build).check(inputs, outputs)
    return str(caught.value)


@pytest.mark.parametrize("bare", [False, True])
def test_batch_norm_is_refused_with_the_offer_to_convert(bare: bool) -> None:
    def build() -> nn.Module:
        return (
            nn.BatchNorm1d(4)
            if bare
            else nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.BatchNorm1d(3)))
        )

    with pytest.raises(HeadstartError, match=r"BatchNorm .*to_group_norm\(module, groups=2\)"):
        Network(build)
    Network(lambda: to_group_norm(build(), groups=1)).check(INPUTS, 4 if bare else 3)


def test_lazy_layers_are_refused() -> None:
    assert "the parameter '0.weight' has no shape" in refusal(
        lambda: nn.Sequential(nn.LazyLinear(3))
    )


class Frozen(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 2)
        self.weight.requires_grad_(False)


@pytest.mark.parametrize(
    ("build", "line"),
    [
        (lambda: 3, "the model is int, expected a torch.nn.Module"),
        (
            Frozen,
            "the parameter 'weight' is frozen (requires_grad=False), but `trainable` says what is "
            "trained",
        ),
        (
            lambda: nn.Linear(3, 2, dtype=torch.complex64),
            "the parameter 'weight' is of torch.complex64, expected",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused(build: Callable[[], Any], line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        Network(build)
    assert str(caught.value).startswith(line)


class Undefined(nn.Linear):
    """A layer whose weights nobody drew."""

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, float("nan"))


REFUSED = {
    "nan": (
        lambda: Undefined(3, 2, bias=False),
        "the parameter 'weight' of the newly built model has values that",
    ),
    "meta": (
        lambda: nn.Linear(3, 2, device="meta"),
        "the parameter 'weight' is on the device 'meta', where",
    ),
    "counting": (
        lambda: nn.Sequential(nn.Embedding(5, 2, scale_grad_by_freq=True)),
        "the embedding '0' has scale_grad_by_freq=True",
    ),
    "memory": (
        lambda: nn.Linear(64, 10**11),
        "this machine has not enough memory for 23,841.9 GiB at once; choose",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_gets_one_line(name: str) -> None:
    build, line = REFUSED[name]
    with pytest.raises(HeadstartError, match=re.escape(line)) as refused:
        Network(build).check(torch.zeros(2, 3), 2)
    assert "\n" not in str(refused.value)
