"""ResNet-8 and ResNet-20 of section 4.2: sizes, names, and the function written out."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn.functional import conv2d, relu

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.trees import Tree

BLOCKS = {"resnet8": 1, "resnet20": 3}


def network(
    name: str,
    shape: tuple[int, ...] = (3, 32, 32),
    dtype: torch.dtype = torch.float32,
    **parameters: Any,
) -> Network:
    component = MODELS.component({name: parameters})
    return Network(lambda: MODELS.build(component, shape, 10), dtype)


def normalised(inputs: Tensor, w: Tree, name: str, groups: int) -> Tensor:
    """arXiv 1803.08494, Eq. 1, 6 and 7, written out."""
    grouped = inputs.reshape(len(inputs), groups, -1)
    centred = grouped - grouped.mean(-1, keepdim=True)
    scaled = (centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()).reshape(
        inputs.shape
    )
    return scaled * w[f"{name}.weight"][:, None, None] + w[f"{name}.bias"][:, None, None]


def shortcut(hidden: Tensor, w: Tree, at: str, stride: int, width: int, groups: int) -> Tensor:
    """Option A: every second pixel, and zeros in further channels;
    option B where there are weights for it.
    """
    if stride == 1:
        return hidden
    if f"{at}.downsample.0.weight" in w:
        projected = conv2d(hidden, w[f"{at}.downsample.0.weight"], stride=stride)
        return normalised(projected, w, f"{at}.downsample.1", groups)
    small = hidden[:, :, ::2, ::2]
    zeros = small.new_zeros(len(small), width - small.shape[1], *small.shape[2:])
    return torch.cat([small, zeros], 1)


def written_out(w: Tree, images: Tensor, blocks: int, groups: int) -> Tensor:
    """The network of section 4.2 with nothing but functions."""
    hidden = relu(normalised(conv2d(images, w["conv1.weight"], padding=1), w, "bn1", groups))
    for layer, width in ((1, 16), (2, 32), (3, 64)):
        for block in range(blocks):
            at, stride = f"layer{layer}.{block}", 2 if layer > 1 and block == 0 else 1
            inner = conv2d(hidden, w[f"{at}.conv1.weight"], stride=stride, padding=1)
            inner = relu(normalised(inner, w, f"{at}.bn1", groups))
            inner = normalised(
                conv2d(inner, w[f"{at}.conv2.weight"], padding=1), w, f"{at}.bn2", groups
            )
            hidden = relu(inner + shortcut(hidden, w, at, stride, width, groups))
    return hidden.mean((2, 3)) @ w["fc.weight"].T + w["fc.bias"]


@pytest.mark.parametrize(("name", "size"), [("resnet8", 75_290), ("resnet20", 269_722)])
def test_it_has_the_papers_number_of_parameters(name: str, size: int) -> None:
    """Added up by layers: 3x3 convolutions, a scale and a shift a channel, the head; Table 6:
    0.27M for 20 layers.
    """
    n = BLOCKS[name]
    convolutions, norms, channels = 9 * 3 * 16, 2 * 16, 16
    for width in (16, 32, 64):
        convolutions += 9 * (channels * width + (2 * n - 1) * width * width)
        norms += 2 * n * 2 * width
        channels = width
    assert convolutions + norms + 64 * 10 + 10 == size
    params = network(name).initial(0)
    assert sum(leaf.numel() for leaf in params.values()) == size
    layers_with_weights = [leaf for leaf in params.values() if leaf.ndim > 1]
    assert len(layers_with_weights) == 6 * n + 2


def test_a_projection_adds_two_convolutions_and_their_norms() -> None:
    plain, projected = (
        network("resnet20", shortcut=way).initial(0) for way in ("identity", "projection")
    )
    more = {name: tuple(leaf.shape) for name, leaf in projected.items() if name not in plain}
    assert more == {
        "layer2.0.downsample.0.weight": (32, 16, 1, 1),
        "layer2.0.downsample.1.weight": (32,),
        "layer2.0.downsample.1.bias": (32,),
        "layer3.0.downsample.0.weight": (64, 32, 1, 1),
        "layer3.0.downsample.1.weight": (64,),
        "layer3.0.downsample.1.bias": (64,),
    }


def test_its_names_are_those_of_resnet18() -> None:
    ours = network("resnet8", shortcut="projection").initial(0)
    theirs = Network(lambda: MODELS.build(MODELS.component("resnet18"), (3, 32, 32), 10)).initial(0)
    assert set(ours) <= set(theirs)


@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize(
    ("pixels", "groups", "way"), [(32, 2, "identity"), (9, 16, "identity"), (12, 1, "projection")]
)
def test_it_is_the_network_of_the_paper(name: str, pixels: int, groups: int, way: str) -> None:
    net = network(name, (3, pixels, pixels), torch.float64, groups=groups, shortcut=way)
    generator = torch.Generator().manual_seed(0)
    params = net.initial(1)
    for leaf_name, leaf in params.items():
        if leaf.ndim == 1:  # affine weights other than 1 and 0, so that their places count
            params[leaf_name] = leaf + 0.3 * torch.randn(
                leaf.shape, generator=generator, dtype=torch.float64
            )
    images = torch.randn(2, 3, pixels, pixels, generator=generator, dtype=torch.float64)
    expected = written_out(params, images, BLOCKS[name], groups)
    torch.testing.assert_close(net(params, images), expected, rtol=1e-10, atol=1e-10)


def test_convolutions_begin_with_kaimings_spread() -> None:
    """Normal, variance 2 / fan_out (arXiv 1502.01852, Eq. 14); the smallest has 432 weights:
    4 errors are 14 %.
    """
    for name, leaf in network("resnet8").initial(0).items():
        if leaf.ndim == 4:
            fan_out = leaf.shape[0] * leaf[0, 0].numel()
            assert leaf.std().item() == pytest.approx((2 / fan_out) ** 0.5, rel=0.14), name


@pytest.mark.parametrize("groups", [3, 12])
def test_groups_that_do_not_divide_the_channels_are_refused(groups: int) -> None:
    with pytest.raises(
        HeadstartError, match=rf"^resnet20.groups: expected a divisor of 16 .* got {groups}"
    ):
        network("resnet20", groups=groups)


def test_what_is_no_image_is_refused() -> None:
    with pytest.raises(
        HeadstartError, match=r"^the model 'resnet8' needs images .* got inputs \[64\]"
    ):
        network("resnet8", (64,))
