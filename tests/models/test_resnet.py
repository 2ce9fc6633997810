"""ResNet-18 under torchvision's names, with GroupNorm: sizes, the function,
and what a BatchNorm checkpoint leaves.
"""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, relu

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.trees import Tree


def network(
    shape: tuple[int, ...] = (3, 32, 32),
    outputs: int = 1000,
    dtype: torch.dtype = torch.float32,
    **parameters: Any,
) -> Network:
    component = MODELS.component({"resnet18": parameters})
    return Network(lambda: MODELS.build(component, shape, outputs), dtype)


def torchvisions_shapes() -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters in torchvision's `resnet18` checkpoints."""
    shapes: dict[str, tuple[int, ...]] = {
        "conv1.weight": (64, 3, 7, 7),
        "bn1.weight": (64,),
        "bn1.bias": (64,),
    }
    channels = 64
    for layer, width in enumerate((64, 128, 256, 512), start=1):
        for block in (0, 1):
            at = f"layer{layer}.{block}"
            for i, inner in ((1, channels), (2, width)):
                shapes |= {f"{at}.conv{i}.weight": (width, inner, 3, 3)}
                shapes |= {f"{at}.bn{i}.weight": (width,), f"{at}.bn{i}.bias": (width,)}
            if channels != width:
                shapes |= {f"{at}.downsample.0.weight": (width, channels, 1, 1)}
                shapes |= {
                    f"{at}.downsample.1.weight": (width,),
                    f"{at}.downsample.1.bias": (width,),
                }
            channels = width
    return shapes | {"fc.weight": (1000, 512), "fc.bias": (1000,)}


def normalised(inputs: Tensor, w: Tree, name: str, groups: int) -> Tensor:
    """arXiv 1803.08494, Eq. 1, 6 and 7, written out."""
    grouped = inputs.reshape(len(inputs), groups, -1)
    centred = grouped - grouped.mean(-1, keepdim=True)
    scaled = (centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()).reshape(
        inputs.shape
    )
    return scaled * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]


def written_out(w: Tree, images: Tensor, groups: int, stem: str) -> Tensor:
    """The network from Table 1 of arXiv 1512.03385, with nothing but functions."""
    if stem == "imagenet":
        hidden = relu(
            normalised(conv2d(images, w["conv1.weight"], stride=2, padding=3), w, "bn1", groups)
        )
        hidden = max_pool2d(hidden, 3, 2, 1)
    else:
        hidden = relu(normalised(conv2d(images, w["conv1.weight"], padding=1), w, "bn1", groups))
    for layer in (1, 2, 3, 4):
        for block in (0, 1):
            at, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            inner = conv2d(hidden, w[f"{at}.conv1.weight"], stride=stride, padding=1)
            inner = relu(normalised(inner, w, f"{at}.bn1", groups))
            inner = normalised(
                conv2d(inner, w[f"{at}.conv2.weight"], padding=1), w, f"{at}.bn2", groups
            )
            if stride == 2:
                projected = conv2d(hidden, w[f"{at}.downsample.0.weight"], stride=2)
                hidden = normalised(projected, w, f"{at}.downsample.1", groups)
            hidden = relu(hidden + inner)
    return hidden.mean((2, 3)) @ w["fc.weight"].T + w["fc.bias"]


def test_it_has_torchvisions_names_shapes_and_number_of_parameters() -> None:
    params = network().initial(0)
    assert {name: tuple(leaf.shape) for name, leaf in params.items()} == torchvisions_shapes()
    # Torchvision: ResNet18_Weights, num_params.
    assert sum(leaf.numel() for leaf in params.values()) == 11_689_512


def test_with_the_small_stem_only_the_first_convolution_differs() -> None:
    shapes = {name: tuple(leaf.shape) for name, leaf in network(stem="cifar").initial(0).items()}
    assert shapes == torchvisions_shapes() | {"conv1.weight": (64, 3, 3, 3)}


@pytest.mark.parametrize(
    ("pixels", "groups", "stem"),
    [(32, 2, "imagenet"), (67, 8, "imagenet"), (15, 1, "cifar"), (12, 64, "cifar")],
)
def test_it_is_the_network_of_the_table(pixels: int, groups: int, stem: str) -> None:
    net = network((3, pixels, pixels), 10, torch.float64, groups=groups, stem=stem)
    generator = torch.Generator().manual_seed(0)
    params = net.initial(1)
    for name, leaf in params.items():
        if leaf.ndim == 1:  # affine weights other than 1 and 0, so that their places count
            params[name] = leaf + 0.3 * torch.randn(
                leaf.shape, generator=generator, dtype=torch.float64
            )
    images = torch.randn(2, 3, pixels, pixels, generator=generator, dtype=torch.float64)
    expected = written_out(params, images, groups, stem)
    torch.testing.assert_close(net(params, images), expected, rtol=1e-10, atol=1e-10)


def test_nothing_inside_normalises_over_the_batch() -> None:
    module = MODELS.build(MODELS.component("resnet18(groups=4)"), (3, 32, 32), 10)
    kinds = [part for part in module.modules() if not list(part.children())]
    assert not any(isinstance(part, nn.modules.batchnorm._BatchNorm) for part in kinds)
    norms = [part for part in kinds if isinstance(part, nn.GroupNorm)]
    assert [part.num_groups for part in norms] == [4] * 20  # 1 + 8 blocks of 2 + 3 projections
    assert not list(module.buffers())


def test_convolutions_begin_with_kaimings_spread() -> None:
    """Normal, variance 2 / fan_out (arXiv 1502.01852, Eq. 14); the smallest has 8,192 weights:
    5 errors are 4 %.
    """
    for name, leaf in network().initial(0).items():
        if leaf.ndim == 4:
            fan_out = leaf.shape[0] * leaf[0, 0].numel()
            assert leaf.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.04), name


@pytest.mark.parametrize("groups", [3, 48])
def test_groups_that_do_not_divide_the_channels_are_refused(groups: int) -> None:
    with pytest.raises(HeadstartError, match=f"expected a divisor of 64 .* got {groups}"):
        network(groups=groups)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(HeadstartError, match=r"needs images .* got inputs \[64\]"):
        network((64,))
