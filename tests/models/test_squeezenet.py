"""SqueezeNet 1.0 is torchvision's: its names, sizes and function,
on real ImageNet weights where they are at hand.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import conv2d, max_pool2d, relu

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.tasks.base import classification
from headstart.trees import Tree

WEIGHTS = (
    Path(os.environ.get("HEADSTART_DATA", ""))
    / "squeezenet1_0"
    / "squeezenet1_0_imagenet.safetensors"
)
needs_weights = pytest.mark.skipif(
    not WEIGHTS.is_file(),
    reason="needs squeezenet1_0/squeezenet1_0_imagenet.safetensors in $HEADSTART_DATA",
)

FIRES = {3: (96, 16, 64), 4: (128, 16, 64), 5: (128, 32, 128), 7: (256, 32, 128)}
FIRES |= {8: (256, 48, 192), 9: (384, 48, 192), 10: (384, 64, 256), 12: (512, 64, 256)}
"""Places in `features`: channels in, squeezed, expanded by each of 1x1 and 3x3 (arXiv 1602.07360,
Table 1).
"""
POOLED_BEFORE = {3, 7, 12}


def network(
    shape: tuple[int, ...] = (3, 32, 32),
    outputs: int = 1000,
    dtype: torch.dtype = torch.float32,
    **parameters: Any,
) -> Network:
    component = MODELS.component({"squeezenet1_0": parameters})
    return Network(lambda: MODELS.build(component, shape, outputs), dtype)


def images(pixels: int, rows: int = 2) -> Tensor:
    return torch.randn(
        rows, 3, pixels, pixels, generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )


def written_out(w: Tree, inputs: Tensor, last_relu: bool) -> Tensor:
    """The network from its table, with nothing but functions."""

    def convolved(hidden: Tensor, name: str, **how: int) -> Tensor:
        return relu(conv2d(hidden, w[f"{name}.weight"], w[f"{name}.bias"], **how))

    hidden = convolved(inputs, "features.0", stride=2)
    for place in FIRES:
        if place in POOLED_BEFORE:
            hidden = max_pool2d(hidden, 3, 2, ceil_mode=True)
        squeezed = convolved(hidden, f"features.{place}.squeeze")
        small = convolved(squeezed, f"features.{place}.expand1x1")
        large = convolved(squeezed, f"features.{place}.expand3x3", padding=1)
        hidden = torch.cat([small, large], dim=1)
    scores = torch.einsum("ok,bkhw->bohw", w["classifier.1.weight"][:, :, 0, 0], hidden)
    scores = scores + w["classifier.1.bias"][:, None, None]
    return (scores.clamp(min=0) if last_relu else scores).flatten(2).mean(-1)


def test_it_has_torchvisions_names_shapes_and_number_of_parameters() -> None:
    expected: dict[str, tuple[int, ...]] = {
        "features.0.weight": (96, 3, 7, 7),
        "features.0.bias": (96,),
    }
    for place, (channels, squeezed, expanded) in FIRES.items():
        for name, shape in (
            ("squeeze", (squeezed, channels, 1, 1)),
            ("expand1x1", (expanded, squeezed, 1, 1)),
            ("expand3x3", (expanded, squeezed, 3, 3)),
        ):
            expected |= {
                f"features.{place}.{name}.weight": shape,
                f"features.{place}.{name}.bias": shape[:1],
            }
    expected |= {"classifier.1.weight": (1000, 512, 1, 1), "classifier.1.bias": (1000,)}
    params = network().initial(0)
    assert {name: tuple(leaf.shape) for name, leaf in params.items()} == expected
    # Torchvision: SqueezeNet1_0_Weights, num_params.
    assert sum(leaf.numel() for leaf in params.values()) == 1_248_424


@pytest.mark.parametrize("last_relu", [False, True])
@pytest.mark.parametrize("pixels", [21, 32, 67])
def test_it_is_the_network_of_the_table(pixels: int, last_relu: bool) -> None:
    net = network(outputs=10, dtype=torch.float64, last_relu=last_relu)
    params, inputs = net.initial(1), images(pixels)
    torch.testing.assert_close(
        net(params, inputs), written_out(params, inputs, last_relu), rtol=1e-12, atol=1e-12
    )


@needs_weights
def test_real_weights_load_strictly_and_give_the_same_outputs() -> None:
    saved = load_file(WEIGHTS)
    component = MODELS.component({"squeezenet1_0": {"last_relu": True}})
    module = MODELS.build(component, (3, 224, 224), 1000).double()
    module.load_state_dict(saved, strict=True)
    net = network(dtype=torch.float64, last_relu=True)
    params = {name: leaf.double() for name, leaf in saved.items()}
    inputs = images(224)
    expected = written_out(params, inputs, last_relu=True)
    assert expected.std() > 0.1  # the scores differ between classes: the comparison says something
    torch.testing.assert_close(net(params, inputs), expected, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(module.eval()(inputs), expected, rtol=1e-10, atol=1e-10)


def test_initial_weights_have_torchvisions_spread() -> None:
    """Kaiming's uniform bound sqrt(6 / fan_in), .01 for the head, biases 0;
    standard errors are below 2 percent.
    """
    params = network().initial(0)
    for name, leaf in params.items():
        if name.endswith("bias"):
            assert not leaf.any()
        elif name == "classifier.1.weight":
            assert leaf.std().item() == pytest.approx(0.01, rel=0.02)
        else:
            bound = (6 / leaf[0].numel()) ** 0.5
            assert leaf.abs().max() <= bound
            assert leaf.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_a_score_cut_at_zero_gets_no_gradient_and_without_the_last_relu_it_does() -> None:
    """Why `last_relu` is off by default: class 2, pushed below zero for all images,
    could never come back.
    """
    inputs, labels = images(32), torch.tensor([2, 2])
    for last_relu in (True, False):
        net = network(outputs=3, dtype=torch.float64, last_relu=last_relu)
        params = net.initial(0)
        params["classifier.1.bias"] = torch.tensor(
            [0.0, 0.0, -50.0], dtype=torch.float64
        ).requires_grad_()
        classification(net(params, inputs), labels).loss_B.mean().backward()
        gradient = params["classifier.1.bias"].grad
        assert gradient is not None
        if last_relu:
            assert gradient[2] == 0
        else:
            # Softmax - 1, where softmax is e^-50.
            assert gradient[2].item() == pytest.approx(-1, abs=1e-9)


def test_dropout_is_before_the_head() -> None:
    """With features of one pixel, an output is the mean over pixels of a head on features dropped
    with p.
    """
    net = network(outputs=4, dtype=torch.float64, dropout=0.25)
    params = net.initial(0)
    params["classifier.1.weight"] = torch.zeros(4, 512, 1, 1, dtype=torch.float64)
    params["classifier.1.weight"][0, 0] = 1
    params["features.12.expand1x1.weight"] = torch.zeros(256, 64, 1, 1, dtype=torch.float64)
    params["features.12.expand1x1.bias"] = torch.ones(256, dtype=torch.float64)
    outputs = net(params, images(32, rows=64), torch.tensor(5, dtype=torch.int32))
    kept = torch.tensor(1 / 0.75, dtype=torch.float64)
    assert ((outputs[:, 0] == 0) | torch.isclose(outputs[:, 0], kept)).all()
    assert 0 < (outputs[:, 0] == 0).sum() < 64
    assert not outputs[:, 1:].any()


@pytest.mark.parametrize("shape", [(64,), (3, 20, 32), (3, 32, 20)])
def test_what_is_no_image_or_too_small_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(HeadstartError, match="at least 21x21"):
        network(shape)
