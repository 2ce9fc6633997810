"""The convolutional network of federated learning's benchmarks."""

from typing import Annotated

from pydantic import Field
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.network import MODELS


@MODELS.register(
    "cnn", source="Reddi et al., arXiv 2003.00295, Table 4 (EMNIST character recognition)"
)
def cnn(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="for hidden units; features are dropped half as often")
    ] = 0.5,
) -> nn.Module:
    """Two 3x3 convolutions without padding (32, 64), 2x2 max pooling, 128 hidden units, dropout .25
    and .5.

    For [1, 28, 28] and 62 outputs it has 1,206,590 parameters, the paper's number.

    Raises:
        HeadstartError: the inputs are not images [channels, height, width] of at least 6x6 pixels.
    """
    if len(input_shape) != 3 or min(input_shape[1:]) < 6:
        raise HeadstartError(
            "the model 'cnn' needs images [channels, height, width] of at least 6x6, got inputs "
            f"{list(input_shape)}"
        )
    channels, height, width = input_shape
    features = 64 * ((height - 4) // 2) * ((width - 4) // 2)
    return nn.Sequential(
        nn.Conv2d(channels, 32, 3),
        nn.ReLU(),
        nn.Conv2d(32, 64, 3),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout(dropout / 2),
        nn.Flatten(),
        nn.Linear(features, 128),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(128, outputs),
    )
