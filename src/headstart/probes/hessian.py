"""Products of vectors with the Hessian of the mean loss over rows, at fixed weights.

With g(x) the gradient of the loss, H v is the gradient of <g(x), v> (Pearlmutter, Neural
Computation 6, 1994): a backward pass through the backward pass. All products at one x share
everything but v, so the graph of g is made once for every batch and kept where memory allows; a
product is then one pass through it. Measured for SqueezeNet on 1,024 images of 32x32 pixels (one
thread, batches of 128): 1.3 s a product with kept graphs, 2.0 s with graphs made anew, and 1.9 s
forward over reverse, which is therefore not offered. A kept graph took 0.5 MB a row.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from headstart import rng
from headstart.errors import HeadstartError, reason
from headstart.models.network import Network
from headstart.tasks.base import Examples, Objective
from headstart.trees import Tree

ASYMMETRY = 1e-2
"""Of H, relative, that rounding may make."""


class Graph(NamedTuple):
    """The gradient of the summed loss of a batch, with its graph; how many predictions it sums; the
    bytes it holds.
    """

    gradient: list[Tensor]
    predictions: float
    held: int


class Hessian:
    """v [n] -> H v [n], of the mean loss over all that the rows predict, dropout off, in the
    network's type.

    Args:
        x: the weights; vectors hold their leaves one after another.
        batch: rows in one graph.
        memory: bytes that kept graphs may take; batches beyond it have theirs made anew for every
            product.

    `unfused`: whether cuDNN's kernels are left out because they have no second derivative.

    Raises:
        HeadstartError: the network or the loss has no second derivative.
    """

    def __init__(
        self,
        network: Network,
        objective: Objective,
        examples: Examples,
        x: Tree,
        batch: int = 128,
        memory: float = 1e9,
    ) -> None:
        self._network, self._objective = network, objective
        self._x = {
            name: leaf.to(network.dtype).detach().requires_grad_() for name, leaf in x.items()
        }
        self.size = sum(leaf.numel() for leaf in self._x.values())
        self.unfused = False
        device = next(iter(self._x.values())).device
        self._try(_rows(examples, 0, 1, device))
        self._batches = [
            _rows(examples, first, first + batch, device)
            for first in range(0, len(examples), batch)
        ]
        self._kept: dict[int, Graph] = {}
        count = 0.0
        for i, rows in enumerate(self._batches):
            graph = self._graph(rows)
            count, memory = count + graph.predictions, memory - graph.held
            if memory >= 0:
                self._kept[i] = graph
        self._count = max(count, 1.0)

    @property
    def kept_rows(self) -> int:
        """Rows whose graph is kept."""
        return sum(len(self._batches[i]) for i in self._kept)

    def __call__(self, v: Tensor) -> Tensor:
        """H v."""
        total = torch.zeros_like(v)
        for i, rows in enumerate(self._batches):
            kept = i in self._kept
            total += self._through(self._kept[i] if kept else self._graph(rows), v, keep=kept)
        return total / self._count

    def _graph(self, rows: Examples) -> Graph:
        seen = {leaf.untyped_storage().data_ptr() for leaf in self._x.values()}
        held = 0

        def weigh(saved: Tensor) -> Tensor:
            nonlocal held
            storage = saved.untyped_storage()
            if storage.data_ptr() not in seen:
                seen.add(storage.data_ptr())
                held += storage.nbytes()
            return saved

        with self._kernels(), torch.autograd.graph.saved_tensors_hooks(weigh, lambda saved: saved):
            scores = self._objective(self._network(self._x, rows.inputs), rows.targets)
            gradient = torch.autograd.grad(
                scores.loss_B.sum(),
                list(self._x.values()),
                create_graph=True,
                materialize_grads=True,
            )
        return Graph(list(gradient), float(scores.count_B.sum()), held)

    def _through(self, graph: Graph, v: Tensor, keep: bool) -> Tensor:
        """The gradient of <gradient, v>. Where a leaf's gradient does not depend on the weights it
        adds nothing.
        """
        leaves = list(self._x.values())
        parts = torch.split(v, [leaf.numel() for leaf in leaves])
        couples = [
            (g, part.view_as(g))
            for g, part in zip(graph.gradient, parts, strict=True)
            if g.requires_grad
        ]
        if not couples:
            return torch.zeros_like(v)
        gradients, vectors = zip(*couples, strict=True)
        with self._kernels():
            products: Sequence[Tensor] = torch.autograd.grad(
                gradients, leaves, vectors, retain_graph=keep, materialize_grads=True
            )
        return torch.cat([product.flatten() for product in products])

    def _try(self, rows: Examples) -> None:
        """One product on few rows, if need be without cuDNN: its recurrent kernels have no second
        derivative.
        """
        v = torch.cat([leaf.detach().flatten() for leaf in self._x.values()])
        for self.unfused in (False, True):
            try:
                self._through(self._graph(rows), v, keep=False)
                return
            except RuntimeError as error:  # also NotImplementedError
                why = reason(error)
        raise HeadstartError(
            f"curvature: the model or the loss has no second derivative ({why}); leave the "
            "probe 'curvature' out"
        )

    @contextmanager
    def _kernels(self) -> Iterator[None]:
        """Attention as plain products and, where needed, no cuDNN: the fused kernels cannot be
        derived twice.
        """
        with ExitStack() as stack:
            stack.enter_context(sdpa_kernel(SDPBackend.MATH))
            if self.unfused:
                stack.enter_context(torch.backends.cudnn.flags(enabled=False))
            yield


def refuse_asymmetric(network: Network, objective: Objective, examples: Examples) -> None:
    """Refuse a network in which a function is said to be differentiable once only, and need not
    raise: its part of H is silently left out, and what is left is not symmetric.

    Tried at newly drawn weights: where a row is as good as learned, all of H is rounding. For u and
    v of independent normal numbers u^T H v is about as large as H v.
    """
    x = network.initial(0)
    hessian = Hessian(network, objective, Examples(examples.inputs[:2], examples.targets[:2]), x)
    draw = rng.torch_generator(0, "symmetry")
    u, v = torch.randn(2, hessian.size, generator=draw).to(next(iter(x.values())))
    of_u, of_v = hessian(u), hessian(v)
    skew = float(torch.dot(u.double(), of_v.double()) - torch.dot(v.double(), of_u.double()))
    if abs(skew) > ASYMMETRY * float(torch.maximum(of_u.norm(), of_v.norm())):
        raise HeadstartError(
            "curvature: the model or the loss has no second derivative (its Hessian is not "
            "symmetric, so a function in it is differentiable once only); leave the probe "
            "'curvature' out"
        )


def _rows(examples: Examples, first: int, end: int, device: torch.device) -> Examples:
    """A copy, so that a graph holds these rows alone."""
    inputs, targets = examples.inputs[first:end], examples.targets[first:end]
    return Examples(inputs.to(device, copy=True), targets.to(device, copy=True))
