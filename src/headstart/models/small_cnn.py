"""A small convolutional network without normalisation, for small images."""

from typing import Annotated

from pydantic import Field
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.network import MODELS


@MODELS.register("small-cnn", source="ours: 3x3 convolutions in the manner of VGG, arXiv 1409.1556")
def small_cnn(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: Annotated[
        int,
        Field(ge=1, description="channels of the first layer; then twice and four times as many"),
    ] = 16,
    dropout: Annotated[
        float,
        Field(ge=0, lt=1, description="probability of dropping a feature before the last layer"),
    ] = 0.0,
) -> nn.Module:
    """Three 3x3 convolutions of width w, 2w, 4w with ReLU and 2x2 max pooling, then one linear
    layer.

    Pooling stops where it would leave less than 2x2 pixels, so [C, 8, 8] ends in 2x2 and [C, 32,
    32] in 4x4 pixels; the linear layer sees them all, since where a stroke is tells digits apart.

    Raises:
        HeadstartError: the inputs are not images [channels, height, width].
    """
    if len(input_shape) != 3:
        raise HeadstartError(
            "the model 'small-cnn' needs images [channels, height, width], got inputs "
            f"{list(input_shape)}"
        )
    channels, height, across = input_shape
    layers: list[nn.Module] = []
    for following in (width, 2 * width, 4 * width):
        layers += [nn.Conv2d(channels, following, 3, padding=1), nn.ReLU()]
        if min(height, across) >= 4:
            layers.append(nn.MaxPool2d(2))
            height, across = height // 2, across // 2
        channels = following
    layers += [nn.Flatten(), *([nn.Dropout(dropout)] if dropout else [])]
    return nn.Sequential(*layers, nn.Linear(channels * height * across, outputs))
