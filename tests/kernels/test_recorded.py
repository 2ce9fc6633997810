"""Networks that torch records with strides, views or memory of other kinds than it replays:
all equal the loop.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.conftest import RELATIVE, distance
from torch import nn
from torch.nn import functional as F  # noqa: N812

import headstart
from headstart import rng
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS, Assignment
from headstart.engine.executors.loop import by_loop
from headstart.engine.plan import Population, Schedule, plan
from headstart.kernels.recorded import RecordingError
from headstart.models.network import Network
from headstart.tasks.base import Examples, Task, classification

EXECUTORS_ = ("stacked", "threads", "threads(channels_last=False)")


def assert_equals_the_loop(
    build: Callable[[], nn.Module],
    shape: Sequence[int],
    tokens: int = 0,
    executors: Sequence[str] = EXECUTORS_,
) -> None:
    """The updates of two clients, with one and two steps of two rows."""
    draw = rng.torch_generator(0, "rows")
    inputs = torch.randn(6, *shape, generator=draw, dtype=torch.float64)
    if tokens:
        inputs = torch.randint(tokens, (6, *shape), generator=draw)
    rows = Examples(inputs, torch.randint(2, (6,), generator=draw))
    task = Task("rows", rows, rows, rows, 2, classification)
    clients = Population([np.arange(2), np.arange(2, 6)])
    devices = DEVICES.build(DEVICES.component("equal"))
    now = plan(0, 1, clients, Schedule(2, 1, 2, "minibatch", "samples", devices))
    network, client = Network(build, torch.float64), CLIENTS.build(CLIENTS.component("sgd"))
    network.check(inputs[:2], 2)
    x = network.initial(0)
    asked = {0: Assignment(x, {}, [{}, {}], 0.1, now)}
    expected = by_loop(network, task, client)(asked, 1)[0]
    assert (
        float(torch.stack([leaf.abs().max() for leaf in expected.mean_update.values()]).max())
        > 1e-4
    )
    for name in executors:
        execute = EXECUTORS.build(EXECUTORS.component(name)).compute_for(network, task, client)
        cohort = execute(asked, 1)[0]
        assert distance(cohort.mean_update, expected.mean_update) < RELATIVE, name


ACTIVATIONS: dict[
    str, tuple[type[nn.Module], Callable[..., torch.Tensor], Callable[..., Any] | None]
] = {
    "ELU": (nn.ELU, F.elu, F.elu_),
    "CELU": (nn.CELU, F.celu, F.celu_),
    "SELU": (nn.SELU, F.selu, F.selu_),
    "ReLU6": (nn.ReLU6, F.relu6, lambda x: F.relu6(x, inplace=True)),
    "Hardtanh": (nn.Hardtanh, F.hardtanh, F.hardtanh_),
    "Hardswish": (nn.Hardswish, F.hardswish, lambda x: F.hardswish(x, inplace=True)),
    "Hardsigmoid": (nn.Hardsigmoid, F.hardsigmoid, lambda x: F.hardsigmoid(x, inplace=True)),
    "Softplus": (nn.Softplus, F.softplus, None),
}
"""Each as a module, as a function and in place."""

CONVOLUTIONS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "1d": (lambda: nn.Conv1d(2, 3, 3), (2, 6)),
    "2d": (lambda: nn.Conv2d(2, 3, 3), (2, 5, 5)),
    "3d": (lambda: nn.Conv3d(2, 3, 2), (2, 3, 3, 3)),
    "transposed 1d": (lambda: nn.ConvTranspose1d(2, 3, 2), (2, 4)),
    "transposed 2d": (lambda: nn.ConvTranspose2d(2, 3, 2), (2, 3, 3)),
    "transposed 3d": (lambda: nn.ConvTranspose3d(2, 3, 2), (2, 2, 2, 2)),
}


class Branch(nn.Module):
    """A convolution that goes straight into an activation, and from there, flat,
    into a layer of its own.
    """

    def __init__(
        self, convolution: nn.Module, shape: Sequence[int], activation: Callable[..., Any]
    ) -> None:
        super().__init__()
        self.convolution, self.activation = convolution, activation
        width = convolution(torch.zeros(1, *shape)).numel()
        self.last = nn.Linear(width, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.activation(self.convolution(x)).flatten(1))


class Branches(nn.ModuleList):
    """The sum of what several branches make of the same rows: each has a gradient of its own."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.stack([branch(x) for branch in self]).sum(0)


@pytest.mark.parametrize(
    ("convolution", "form"),
    [("2d", "module"), ("2d", "in place"), *((name, "function") for name in CONVOLUTIONS)],
)
def test_activations_straight_after_a_convolution_equal_the_loop(
    convolution: str, form: str
) -> None:
    make, shape = CONVOLUTIONS[convolution]

    def build() -> nn.Module:
        branches = []
        for module, function, in_place in ACTIVATIONS.values():
            activation = {"module": module(), "function": function, "in place": in_place}[form]
            if activation is not None:
                branches.append(Branch(make(), shape, activation))  # type: ignore[arg-type]
        return Branches(branches)

    assert_equals_the_loop(build, shape, executors=("stacked",))


class SqueezeExcite(nn.Module):
    """Weighs each channel by what it holds on average."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool, self.less = nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 4, 1)
        self.more, self.gate = nn.Conv2d(4, channels, 1), nn.Hardsigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.gate(self.more(F.relu(self.less(self.pool(x)))))


class InvertedResidual(nn.Module):
    """The block of MobileNetV3 (arXiv 1905.02244, Figure 4)."""

    def __init__(
        self, width: int, wide: int, out: int, kernel: int, stride: int, act: type
    ) -> None:
        super().__init__()
        depthwise = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False)
        self.body = nn.Sequential(
            nn.Conv2d(width, wide, 1, bias=False), nn.BatchNorm2d(wide), act(inplace=True),
            depthwise, nn.BatchNorm2d(wide), act(inplace=True), SqueezeExcite(wide),
            nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out),
        )  # fmt: skip
        self.adds = stride == 1 and width == out

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.body(x) if self.adds else self.body(x)


def mobilenet_v3() -> nn.Module:
    """What torchvision's `mobilenet_v3_small` is made of, with two blocks of eleven,
    for images of 16x16 pixels.
    """
    stem = [nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.Hardswish(inplace=True)]
    blocks = [
        InvertedResidual(8, 16, 8, 3, 1, nn.ReLU),
        InvertedResidual(8, 24, 12, 5, 2, nn.Hardswish),
    ]
    head = [nn.Conv2d(12, 24, 1, bias=False), nn.BatchNorm2d(24), nn.Hardswish(inplace=True)]
    head += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 16), nn.Hardswish(inplace=True)]
    head += [nn.Dropout(0.2, inplace=True), nn.Linear(16, 2)]
    return nn.Sequential(*stem, *blocks, *head)


@pytest.mark.slow
def test_a_converted_mobilenet_v3_equals_the_loop() -> None:
    assert_equals_the_loop(lambda: headstart.to_group_norm(mobilenet_v3()), (3, 16, 16))


@pytest.mark.parametrize("activation", [nn.ReLU, nn.Hardswish, nn.ELU])
def test_a_group_norm_whose_gradient_comes_in_another_order_of_memory_equals_the_loop(
    activation: Any,
) -> None:
    """The mean's gradient lies with channels first; that of Hardswish follows it,
    and was recorded as it does not.
    """

    def build() -> nn.Module:
        maps = [
            nn.Conv2d(3, 4, 3),
            nn.GroupNorm(2, 4),
            activation(),
            nn.Conv2d(4, 6, 3),
            nn.GroupNorm(3, 6),
        ]
        return nn.Sequential(
            *maps, activation(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2)
        )

    assert_equals_the_loop(build, (3, 8, 7))


class Calls(nn.Module):
    """Layers, and what is made of them."""

    def __init__(
        self, forward: Callable[..., torch.Tensor], **layers: nn.Module | nn.Parameter
    ) -> None:
        super().__init__()
        self._call = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self._call(self, x)


def flattened_then_written(net: Any, x: torch.Tensor) -> torch.Tensor:
    """What was flattened is a view, and so sees the activation, where it is no copy."""
    maps = net.maps(x)
    flat = maps.flatten(1)
    F.relu_(maps)
    return net.last(flat)


def copied_then_written(net: Any, x: torch.Tensor) -> torch.Tensor:
    """Other strides would make a view of what is a copy, and so change the maps, too."""
    maps = F.gelu(net.maps(x))
    rows = maps.permute(0, 2, 3, 1).reshape(len(x), -1)
    rows.mul_(2.0)
    return net.last(rows) + net.last(maps.flatten(1))


def viewed_then_written(net: Any, x: torch.Tensor) -> torch.Tensor:
    maps = net.maps(x)
    rows = maps.view(x.size(0), -1)
    rows.mul_(2.0)
    return net.last(maps.flatten(1) + rows)


@pytest.mark.parametrize(
    "forward", [flattened_then_written, copied_then_written, viewed_then_written]
)
def test_what_is_a_view_in_one_layout_alone_is_not_silently_a_copy(
    forward: Callable[..., torch.Tensor],
) -> None:
    """Threads go on in the layout of the loop; the stacked executor leaves it to the loop."""

    def build() -> nn.Module:
        return Calls(forward, maps=nn.Conv2d(3, 4, 3), last=nn.Linear(16, 2))

    assert_equals_the_loop(build, (3, 4, 4), executors=("threads", "threads(channels_last=False)"))
    with pytest.raises(
        RecordingError, match="it changes in place what it also reads under another name"
    ):
        assert_equals_the_loop(build, (3, 4, 4), executors=("stacked",))


def test_a_parameter_without_dimensions_and_one_that_is_not_used_equal_the_loop() -> None:
    def scaled(net: Any, x: torch.Tensor) -> torch.Tensor:
        return net.last(x) * net.scale

    scale = nn.Parameter(torch.tensor(2.0))
    assert_equals_the_loop(
        lambda: Calls(scaled, last=nn.Linear(4, 2), scale=scale, unused=nn.Linear(3, 3)), (4,)
    )
