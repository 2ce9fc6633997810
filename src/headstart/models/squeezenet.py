"""SqueezeNet 1.0 with torchvision's names of parameters, so that its ImageNet weights load.

Iandola et al., arXiv 1602.07360, Table 1 and Figure 1; the places of pooling, `ceil_mode` and the
initialisation are those of torchvision's `squeezenet1_0`. Differs from both in one point, which is
a parameter: whether the class scores pass a last ReLU before they are averaged over pixels
(`last_relu`).

Why this is off by default: the ReLU cuts negative scores to 0, where their gradient is 0 as well.
With skewed clients, each of them pushes a new head near zero towards the few classes it has; the
scores of the others can fall below 0 for every image, where no later gradient raises them, and the
head dies by classes until all logits are 0. Measured on 2,000 images of CIFAR-10 with ImageNet
weights (100 clients, Dirichlet(0.1), cohort 10, server momentum, client rate .01, 40 rounds, 2
seeds): with the ReLU 7 and 0 of 10 classes never scored above 0 on 600 test images, accuracy .10
and .23; without it none, .26 and .32. At rate .003 it is .33 and .33 against .39 and .39; at .02,
.10 and .18 against .25 and .10, where one seed goes the other way. Without it logits are an
ordinary linear read-out, as in ResNet. With it the network is exactly torchvision's: turn it on to
use the 1,000 outputs of a checkpoint as they are.
"""

from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.network import MODELS

SMALLEST = 21
"""Pixels on a side that leave one after the 7x7 convolution and three poolings (torchvision:
`min_size`).
"""


@MODELS.register(
    "squeezenet1_0", source="Iandola et al., arXiv 1602.07360; torchvision's names of parameters"
)
def squeezenet1_0(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="probability of dropping a feature before the head")
    ] = 0.5,
    last_relu: Annotated[
        bool,
        Field(
            description="cut class scores at 0 before averaging, as torchvision does; a new head "
            "may die of it"
        ),
    ] = False,
) -> nn.Module:
    """SqueezeNet 1.0: eight fire modules, no normalisation; 1,248,424 parameters at 3 channels and
    1,000 outputs.

    32x32 pixels leave 1x1 before the head, 224x224 leave 13x13. The head is the 1x1 convolution
    `classifier.1`.

    Raises:
        HeadstartError: the inputs are not images [channels, height, width] of at least 21x21
            pixels.
    """
    if len(input_shape) != 3 or min(input_shape[1:]) < SMALLEST:
        raise HeadstartError(
            "the model 'squeezenet1_0' needs images [channels, height, width] of at least "
            f"{SMALLEST}x{SMALLEST}, got inputs {list(input_shape)}"
        )
    return SqueezeNet(input_shape[0], outputs, dropout, last_relu)


class SqueezeNet(nn.Module):
    """Convolution, fire modules 2 to 9 with pooling after 1, 4 and 8, and a head that is averaged
    over pixels.
    """

    def __init__(self, channels: int, outputs: int, dropout: float, last_relu: bool) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(channels, 96, 7, stride=2),
            nn.ReLU(inplace=True),
            _pooling(),
            Fire(96, 16, 64),
            Fire(128, 16, 64),
            Fire(128, 32, 128),
            _pooling(),
            Fire(256, 32, 128),
            Fire(256, 48, 192),
            Fire(384, 48, 192),
            Fire(384, 64, 256),
            _pooling(),
            Fire(512, 64, 256),
        )
        head = nn.Conv2d(512, outputs, 1)
        self.classifier = nn.Sequential(
            nn.Dropout(dropout), head, nn.ReLU() if last_relu else nn.Identity()
        )
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.zeros_(part.bias)  # type: ignore[arg-type]
                if part is not head:
                    nn.init.kaiming_uniform_(part.weight)
        # From the generator that the layers above are drawn from.
        nn.init.normal_(head.weight, std=0.01, generator=torch.default_generator)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, outputs] for images [B, channels, height, width]."""
        return self.classifier(self.features(images)).mean((-2, -1))  # type: ignore[no-any-return]


class Fire(nn.Module):
    """Squeeze to few channels by 1x1, expand by 1x1 and 3x3 side by side: [B, in, H, W] -> [B, 2 *
    expanded, H, W].
    """

    def __init__(self, channels: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeezed, 1)
        self.expand1x1 = nn.Conv2d(squeezed, expanded, 1)
        self.expand3x3 = nn.Conv2d(squeezed, expanded, 3, padding=1)

    def forward(self, inputs: Tensor) -> Tensor:
        """One ReLU after the squeeze, one after the expansion."""
        squeezed = torch.relu_(self.squeeze(inputs))
        return torch.relu_(torch.cat([self.expand1x1(squeezed), self.expand3x3(squeezed)], 1))


def _pooling() -> nn.Module:
    return nn.MaxPool2d(3, stride=2, ceil_mode=True)
