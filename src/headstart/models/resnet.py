"""ResNet-18 with GroupNorm in the place of BatchNorm, under torchvision's names of parameters.

He et al., arXiv 1512.03385, Table 1. BatchNorm mixes the rows of a batch, and with federated
clients its running statistics mix clients; GroupNorm (Wu & He, arXiv 1803.08494, Eq. 7) takes mean
and variance of each sample over groups of channels, and has the same affine weights. They keep the
names that torchvision gives to those of BatchNorm (`bn1`, `layer1.0.bn1`, `layer2.0.downsample.1`),
so that a torchvision checkpoint loads; only the running statistics have no place here. A network so
loaded is not the function that was trained: features and affine weights are the checkpoint's, the
statistics are each image's own.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import relu

from headstart.errors import HeadstartError
from headstart.models.network import MODELS

WIDTHS = (64, 128, 256, 512)


@MODELS.register(
    "resnet18", source="He et al., arXiv 1512.03385, Table 1; GroupNorm: Wu & He, arXiv 1803.08494"
)
def resnet18(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    groups: Annotated[
        int,
        Field(
            ge=1, le=WIDTHS[0], description="groups of channels in every GroupNorm, a divisor of 64"
        ),
    ] = 2,
    stem: Annotated[
        Literal["imagenet", "cifar"],
        Field(
            description="first layers: 7x7 stride 2 and max pooling (checkpoints fit), or 3x3 "
            "stride 1 alone"
        ),
    ] = "imagenet",
) -> nn.Module:
    """ResNet-18 with GroupNorm; 11,689,512 parameters at 3 channels and 1,000 outputs, as with
    BatchNorm.

    `groups` is 2 as in Hsieh et al. (arXiv 1910.00189, section 5.2), who brought GroupNorm in
    against label skew; Wu & He take 32 for centralised training on ImageNet. 1 is LayerNorm over
    channels and pixels. `stem="cifar"` is that of He et al., section 4.2, for 32x32 pixels: no
    resolution is lost before the first block, at 15 times the multiplications, and `conv1.weight`
    no longer fits a checkpoint made for ImageNet.

    Raises:
        HeadstartError: the inputs are not images [channels, height, width], or 64 channels do not
            split into `groups`.
    """
    if len(input_shape) != 3:
        raise HeadstartError(
            "the model 'resnet18' needs images [channels, height, width], got inputs "
            f"{list(input_shape)}"
        )
    if WIDTHS[0] % groups:
        raise HeadstartError(
            f"resnet18.groups: expected a divisor of {WIDTHS[0]} (1, 2, 4, 8, 16, 32 or 64), got "
            f"{groups}"
        )
    return ResNet(input_shape[0], outputs, groups, stem)


class ResNet(nn.Module):
    """A stem, four stages of two basic blocks, the mean over pixels and a linear head `fc`."""

    def __init__(
        self, channels: int, outputs: int, groups: int, stem: Literal["imagenet", "cifar"]
    ) -> None:
        super().__init__()
        large = stem == "imagenet"
        self.conv1 = (
            nn.Conv2d(channels, WIDTHS[0], 7, 2, 3, bias=False)
            if large
            else _conv3x3(channels, WIDTHS[0])
        )
        self.bn1 = nn.GroupNorm(groups, WIDTHS[0])
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1) if large else nn.Identity()
        self.layer1 = _stage(64, 64, 1, groups)
        self.layer2 = _stage(64, 128, 2, groups)
        self.layer3 = _stage(128, 256, 2, groups)
        self.layer4 = _stage(256, 512, 2, groups)
        self.fc = nn.Linear(WIDTHS[-1], outputs)
        for part in self.modules():
            if isinstance(part, nn.Conv2d):  # He et al., arXiv 1502.01852, as torchvision has it
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, outputs] for images [B, channels, height, width]."""
        hidden = self.maxpool(relu(self.bn1(self.conv1(images))))
        hidden = self.layer4(self.layer3(self.layer2(self.layer1(hidden))))
        return self.fc(hidden.mean((-2, -1)))  # type: ignore[no-any-return]


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around which the input, projected where its shape changes, is added
    (Figure 2).
    """

    def __init__(self, channels: int, width: int, stride: int, groups: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv3x3(channels, width, stride), nn.GroupNorm(groups, width)
        self.conv2, self.bn2 = _conv3x3(width, width), nn.GroupNorm(groups, width)
        self.downsample: nn.Module | None = None
        if stride != 1 or channels != width:
            projection = nn.Conv2d(channels, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(projection, nn.GroupNorm(groups, width))

    def forward(self, inputs: Tensor) -> Tensor:
        """[B, channels, H, W] -> [B, width, H / stride, W / stride]."""
        hidden = self.bn2(self.conv2(relu(self.bn1(self.conv1(inputs)))))
        return relu(hidden + (inputs if self.downsample is None else self.downsample(inputs)))


def _conv3x3(channels: int, width: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(channels, width, 3, stride, 1, bias=False)


def _stage(channels: int, width: int, stride: int, groups: int) -> nn.Sequential:
    return nn.Sequential(
        BasicBlock(channels, width, stride, groups), BasicBlock(width, width, 1, groups)
    )
