"""Multinomial logistic regression: one linear layer, a convex loss."""

import math

from torch import nn

from headstart.models.network import MODELS


@MODELS.register("logistic", source="Cox 1958; the convex case of most federated theory")
def logistic(input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    """One linear layer on the flattened input: a convex loss, so the start decides nothing but the
    speed.
    """
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), outputs))
