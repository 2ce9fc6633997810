"""ResNet-8 and ResNet-20 for images of 32 pixels, with GroupNorm in the place of BatchNorm.

He et al., arXiv 1512.03385, section 4.2: a 3x3 convolution, three stages of n basic blocks with 16,
32 and 64 channels, the last two of which begin with stride 2, the mean over pixels and a linear
layer: 6n + 2 layers with weights. GroupNorm: Wu & He, arXiv 1803.08494, Eq. 7; why, says
`headstart.models.resnet`.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, pad, relu

from headstart.errors import HeadstartError
from headstart.models.network import MODELS

WIDTHS = (16, 32, 64)

Groups = Annotated[
    int,
    Field(ge=1, le=WIDTHS[0], description="groups of channels in every GroupNorm, a divisor of 16"),
]
Shortcut = Literal["identity", "projection"]
ShortcutWhereShapesDiffer = Annotated[
    Shortcut,
    Field(
        description="where a block changes the shape: every second pixel and channels of zeros "
        "(option A of the paper), or a 1x1 convolution (option B)"
    ),
]


@MODELS.register(
    "resnet8", source="He et al., arXiv 1512.03385, section 4.2, n = 1; GroupNorm: 1803.08494"
)
def resnet8(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    groups: Groups = 2,
    shortcut: ShortcutWhereShapesDiffer = "identity",
) -> nn.Module:
    """ResNet-8 with GroupNorm; 75,290 parameters at 3 channels and 10 outputs.

    It is not in the paper's table, whose smallest network has 20 layers; `groups` is that of
    `resnet18`.

    Raises:
        HeadstartError: the inputs are not images [channels, height, width], or 16 channels do not
            split into `groups`.
    """
    return _built("resnet8", input_shape, outputs, 1, groups, shortcut)


@MODELS.register(
    "resnet20", source="He et al., arXiv 1512.03385, section 4.2, n = 3; GroupNorm: 1803.08494"
)
def resnet20(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    groups: Groups = 2,
    shortcut: ShortcutWhereShapesDiffer = "identity",
) -> nn.Module:
    """ResNet-20 with GroupNorm; 269,722 parameters at 3 channels and 10 outputs (Table 6: .27
    million).

    Raises:
        HeadstartError: the inputs are not images [channels, height, width], or 16 channels do not
            split into `groups`.
    """
    return _built("resnet20", input_shape, outputs, 3, groups, shortcut)


def _built(
    name: str,
    input_shape: tuple[int, ...],
    outputs: int,
    blocks: int,
    groups: int,
    shortcut: Shortcut,
) -> nn.Module:
    if len(input_shape) != 3:
        raise HeadstartError(
            f"the model {name!r} needs images [channels, height, width], got inputs "
            f"{list(input_shape)}"
        )
    if WIDTHS[0] % groups:
        raise HeadstartError(
            f"{name}.groups: expected a divisor of {WIDTHS[0]} (1, 2, 4, 8 or 16), got {groups}"
        )
    return SmallResNet(input_shape[0], outputs, blocks, groups, shortcut)


class SmallResNet(nn.Module):
    """A convolution, three stages of so many blocks, the mean over pixels and a linear head
    `fc`.
    """

    def __init__(
        self, channels: int, outputs: int, blocks: int, groups: int, shortcut: Shortcut
    ) -> None:
        super().__init__()
        self.conv1 = _conv3x3(channels, WIDTHS[0], 1)
        self.bn1 = nn.GroupNorm(groups, WIDTHS[0])
        first, second, third = WIDTHS
        self.layer1 = _stage(blocks, first, first, groups, shortcut)
        self.layer2 = _stage(blocks, first, second, groups, shortcut)
        self.layer3 = _stage(blocks, second, third, groups, shortcut)
        self.fc = nn.Linear(third, outputs)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):  # He et al., arXiv 1502.01852, as for resnet18
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, outputs] for images [B, channels, height, width]."""
        hidden = relu(self.bn1(self.conv1(images)))
        hidden = self.layer3(self.layer2(self.layer1(hidden)))
        return self.fc(hidden.mean((-2, -1)))  # type: ignore[no-any-return]


class SmallBlock(nn.Module):
    """Two 3x3 convolutions around which the input is added (Figure 2)."""

    def __init__(
        self, channels: int, width: int, stride: int, groups: int, shortcut: Shortcut
    ) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv3x3(channels, width, stride), nn.GroupNorm(groups, width)
        self.conv2, self.bn2 = _conv3x3(width, width, 1), nn.GroupNorm(groups, width)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != width:
            self.downsample = Subsampled(stride, width - channels)
            if shortcut == "projection":
                projection = nn.Conv2d(channels, width, 1, stride, bias=False)
                self.downsample = nn.Sequential(projection, nn.GroupNorm(groups, width))

    def forward(self, inputs: Tensor) -> Tensor:
        """[B, channels, H, W] -> [B, width, H / stride, W / stride]."""
        hidden = self.bn2(self.conv2(relu(self.bn1(self.conv1(inputs)))))
        return relu(hidden + self.downsample(inputs))


class Subsampled(nn.Module):
    """Every pixel of a stride, with further channels of zeros: option A, without parameters."""

    def __init__(self, stride: int, more: int) -> None:
        super().__init__()
        self.stride, self.more = stride, more

    def forward(self, inputs: Tensor) -> Tensor:
        """[B, channels, H, W] -> [B, channels + more, H / stride, W / stride]."""
        # Means of one pixel: unlike a slice's, their gradient lies in memory as the images do.
        return pad(avg_pool2d(inputs, 1, self.stride), (0, 0, 0, 0, 0, self.more))


def _conv3x3(channels: int, width: int, stride: int) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, stride, 1, bias=False)


def _stage(
    blocks: int, channels: int, width: int, groups: int, shortcut: Shortcut
) -> nn.Sequential:
    """So many blocks, the first with stride 2 where it has more channels than come in."""
    first = SmallBlock(channels, width, 1 if width == channels else 2, groups, shortcut)
    others = [SmallBlock(width, width, 1, groups, shortcut) for _ in range(blocks - 1)]
    return nn.Sequential(first, *others)
