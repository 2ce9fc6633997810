"""An independent federated loop in plain Python, on quadratics with exact gradients, in float64.

f_i(x) = 1/2 (x - b_i)^T A_i (x - b_i),  f = sum_i p_i f_i.
K clients, P parameters, spread over two tensors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from headstart.clients.base import ClientOptimizer
from headstart.trees import Tree


def weighted(p: Sequence[float], parts: Sequence[Tree]) -> Tree:
    return {
        name: sum(w * part[name] for w, part in zip(p, parts, strict=True))  # type: ignore[misc]
        for name in parts[0]
    }


@dataclass
class Quadratics:
    A_KPP: np.ndarray
    b_KP: np.ndarray
    p_K: np.ndarray

    def tree(self, x_P: np.ndarray) -> Tree:
        x = torch.tensor(x_P, dtype=torch.float64)
        return {"layer.weight": x[:2].clone(), "bias": x[2:].clone()}

    def vector(self, tree: Tree) -> np.ndarray:
        return torch.cat([tree["layer.weight"], tree["bias"]]).numpy()

    def gradient(self, i: int, y: Tree) -> Tree:
        return self.tree(self.A_KPP[i] @ (self.vector(y) - self.b_KP[i]))

    def stationary(self, B_KPP: np.ndarray) -> np.ndarray:
        """The x with sum_i p_i B_i (x - b_i) = 0."""
        left = np.einsum("k,kij->ij", self.p_K, B_KPP)
        return np.linalg.solve(left, np.einsum("k,kij,kj->i", self.p_K, B_KPP, self.b_KP))

    def optimum(self) -> np.ndarray:
        return self.stationary(self.A_KPP)

    def progress(self, steps: Sequence[int], rate: float) -> np.ndarray:
        """I - (I - rate A_i)^steps_i: the share of the way to b_i that client i goes in a round of
        plain SGD.
        """
        eye = np.eye(self.b_KP.shape[1])
        return np.stack(
            [
                eye - np.linalg.matrix_power(eye - rate * A, s)
                for A, s in zip(self.A_KPP, steps, strict=True)
            ]
        )


@dataclass
class Outcome:
    x: Tree
    shared: Tree
    memories: list[Tree]
    weights: list[Tree] = field(default_factory=list)
    """x after each round."""


@pytest.fixture
def problem() -> Quadratics:
    """Three clients of unequal curvature (eigenvalues in [1/2, 2]), optimum and weight."""
    generator = np.random.default_rng(20)
    rotations = [np.linalg.qr(generator.normal(size=(3, 3)))[0] for _ in range(3)]
    A = np.stack([q @ np.diag(generator.uniform(0.5, 2, size=3)) @ q.T for q in rotations])
    return Quadratics(A, generator.normal(size=(3, 3)), np.array([0.5, 0.3, 0.2]))


@pytest.fixture
def identical(problem: Quadratics) -> Quadratics:
    """Three times the first client."""
    return Quadratics(
        np.stack([problem.A_KPP[0]] * 3), np.stack([problem.b_KP[0]] * 3), problem.p_K
    )


@pytest.fixture
def alone(problem: Quadratics) -> Quadratics:
    """The first client alone."""
    return Quadratics(problem.A_KPP[:1], problem.b_KP[:1], np.ones(1))


@pytest.fixture
def federate() -> Callable[..., Outcome]:
    """Rounds of full participation with the server x <- x - pseudo-gradient."""

    def run(
        client: ClientOptimizer,
        problem: Quadratics,
        *,
        steps: Sequence[int],
        rate: float,
        rounds: int = 1,
    ) -> Outcome:
        x = problem.tree(np.zeros(3))
        outcome = Outcome(x, client.shared(x), [client.memory(x) for _ in problem.p_K])
        for _ in range(rounds):
            uploads = []
            for i, memory in enumerate(outcome.memories):
                y, local = x, client.begin(x, outcome.shared, memory)
                for _ in range(steps[i]):
                    g = problem.gradient(i, y)
                    d, local = client.direction(g, x, y, local, outcome.shared, memory)
                    y = {name: y[name] - rate * d[name] for name in y}
                at_x = problem.gradient(i, x) if client.wants_grad_at_x else {}
                uploads.append(client.finish(x, y, steps[i], rate, at_x, outcome.shared, memory))
            mean_update = weighted(problem.p_K, [upload.update for upload in uploads])  # type: ignore[arg-type]
            mean_message = weighted(problem.p_K, [upload.message for upload in uploads])  # type: ignore[arg-type]
            delta, outcome.shared = client.combine(mean_update, mean_message, outcome.shared, 1.0)
            outcome.memories = [upload.memory for upload in uploads]
            x = {name: x[name] - delta[name] for name in x}
            outcome.weights.append(x)
        outcome.x = x
        return outcome

    return run
