"""How far the weights are from where they end: |x_t - x_T|, L2 over all parameters, and by layer.

x_T is known when the run is over, so something of every measured x_t is kept until then. Of a leaf
with more numbers than `width` that is a sketch S x of `width` numbers instead of the leaf: the
count sketch (Charikar, Chen, Farach-Colton, ICALP 2002; as a map that keeps norms: Weinberger et
al., arXiv 0902.2206, Lemma 2),

    (S x)_b = sum over j with h(j) = b of s(j) x_j,

with h(j) uniform over the buckets and s(j) = +1 or -1, drawn once a run.

S is linear, so |S x_t - S x_T|^2 = |S d|^2 for d = x_t - x_T. It is unbiased, E|S d|^2 = |d|^2,
with variance 2/width (|d|_2^4 - |d|_4^4): its relative standard error is at most sqrt(2 / width),
that of its root about half of it. Leaves have sketches of their own, so the bound holds for every
layer and for the whole; smaller leaves are exact.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from headstart import rng
from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Metrics, Probe
from headstart.trees import Tree


@PROBES.register(
    "distance", source="arXiv 2206.15387, Figure 5; the sketch: arXiv 0902.2206, Lemma 2"
)
def distance(
    federation: Federation,
    *,
    width: Annotated[
        int,
        Field(
            ge=1,
            description="numbers kept of a larger leaf; a distance errs by about sqrt(1/(2 width))",
        ),
    ] = 4096,
    layers: Annotated[
        bool, Field(description="also by layer, as distance_to_final.<layer>")
    ] = True,
) -> Probe:
    """distance_to_final, of all weights and by layer, once the run is over; keeps a sketch of the
    measured weights.
    """

    def keep(x: Tree) -> Tree:
        return {name: sketch(leaf, width, federation.seed, name) for name, leaf in x.items()}

    def look_back(kept: Mapping[int, Tree], final: Tree) -> Iterator[tuple[int, Metrics]]:
        end = keep(final)
        for round_, then in kept.items():
            yield round_, _distances(then, end, layers)

    return Probe(measure=lambda moment: {}, keep=keep, look_back=look_back)


def sketch(leaf: Tensor, width: int, seed: int, name: str) -> Tensor:
    """The count sketch of a leaf in float64, [width]; of a leaf of at most `width` numbers, these
    numbers.
    """
    numbers = leaf.detach().flatten().double()
    if len(numbers) <= width:
        return numbers
    hashed = rng.bits(seed, "sketch", name, at=(np.arange(len(numbers)),))
    buckets = torch.from_numpy(((hashed >> np.uint64(1)) % np.uint64(width)).astype(np.int64))
    signs = torch.from_numpy(1.0 - 2.0 * (hashed & np.uint64(1)))
    return torch.zeros(width, dtype=torch.float64).index_add_(0, buckets, signs * numbers)


def _distances(then: Tree, end: Tree, layers: bool) -> Metrics:
    squares: dict[str, float] = {}
    for name, leaf in end.items():
        layer = name.rpartition(".")[0] or name
        squares[layer] = squares.get(layer, 0.0) + float(((then[name] - leaf) ** 2).sum())
    by_layer = {
        f"distance_to_final.{layer}": math.sqrt(square) for layer, square in squares.items()
    }
    return {"distance_to_final": math.sqrt(sum(squares.values())), **(by_layer if layers else {})}
