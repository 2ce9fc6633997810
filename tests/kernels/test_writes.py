"""What is written in place after it was viewed, where the view may be a copy."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from headstart.kernels.writes import depends_on_layout


def flattened_then_written(x: Tensor) -> Tensor:
    h = x + 1
    flat = h.flatten(1)
    h.mul_(2)
    return flat.sum()


def written_then_flattened(x: Tensor) -> Tensor:
    h = x + 1
    h.mul_(2)
    return h.flatten(1).sum()


def read_under_its_own_name(x: Tensor) -> Tensor:
    h = x + 1
    flat = h.flatten(1)
    total = flat.sum()
    h.mul_(2)
    return total + h.sum()


def copied_in_any_layout(x: Tensor) -> Tensor:
    h = x + 1
    kept = h.clone()
    h.mul_(2)
    return kept.sum() + h.sum()


def transposed_then_written(x: Tensor) -> Tensor:
    """A transposed view is one in any layout."""
    h = x + 1
    turned = h.transpose(0, 1)
    h.mul_(2)
    return turned.sum()


@pytest.mark.parametrize(
    ("function", "depends"),
    [
        (flattened_then_written, True),
        (written_then_flattened, False),
        (read_under_its_own_name, False),
        (copied_in_any_layout, False),
        (transposed_then_written, False),
    ],
)
def test_only_a_stale_name_depends_on_the_layout(function: Any, depends: bool) -> None:
    recorded = make_fx(function, tracing_mode="fake")(torch.ones(2, 3, 4))
    assert depends_on_layout(recorded) is depends
