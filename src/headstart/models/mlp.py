"""Fully connected layers with ReLU."""

import math
from itertools import pairwise
from typing import Annotated

from pydantic import Field
from torch import nn

from headstart.models.network import MODELS


@MODELS.register(
    "mlp", source="McMahan et al., arXiv 1602.05629, section 3 ('2NN' is hidden=[200, 200])"
)
def mlp(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    hidden: Annotated[
        tuple[Annotated[int, Field(ge=1)], ...], Field(description="widths of the hidden layers")
    ] = (64,),
    dropout: Annotated[
        float, Field(ge=0, lt=1, description="probability of dropping a hidden unit")
    ] = 0.0,
) -> nn.Module:
    """Fully connected layers with ReLU: the cheapest model that is not convex."""
    layers: list[nn.Module] = [nn.Flatten()]
    widths = (math.prod(input_shape), *hidden)
    for width, following in pairwise(widths):
        layers += [
            nn.Linear(width, following),
            nn.ReLU(),
            *([nn.Dropout(dropout)] if dropout else []),
        ]
    return nn.Sequential(*layers, nn.Linear(widths[-1], outputs))
