"""SGD and GD clients against the weighted gradient step, torch.optim.SGD and their fixed point."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tests.clients.conftest import Outcome, Quadratics

from headstart.clients.gd import gd
from headstart.clients.sgd import sgd


@pytest.mark.parametrize("factory", [sgd, gd])
def test_one_full_batch_step_is_the_weighted_gradient_step(
    federate: Callable[..., Outcome], problem: Quadratics, factory: Any
) -> None:
    rate = 0.1
    x0 = np.zeros(3)
    gradient = sum(
        p * A @ (x0 - b) for p, A, b in zip(problem.p_K, problem.A_KPP, problem.b_KP, strict=True)
    )
    outcome = federate(factory(), problem, steps=[1, 1, 1], rate=rate)
    np.testing.assert_allclose(problem.vector(outcome.x), x0 - rate * gradient, rtol=1e-14)


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_local_steps_equal_torch_sgd(
    federate: Callable[..., Outcome], alone: Quadratics, momentum: float, weight_decay: float
) -> None:
    steps, rate = 7, 0.05
    outcome = federate(
        sgd(momentum=momentum, weight_decay=weight_decay), alone, steps=[steps], rate=rate, rounds=2
    )
    y = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    A, b = torch.tensor(alone.A_KPP[0]), torch.tensor(alone.b_KP[0])
    for _ in range(2):  # a fresh optimizer every round: the buffer starts at zero again
        optimizer = torch.optim.SGD([y], lr=rate, momentum=momentum, weight_decay=weight_decay)
        for _ in range(steps):
            y.grad = (A @ (y - b)).detach()
            optimizer.step()
    np.testing.assert_allclose(alone.vector(outcome.x), y.detach().numpy(), rtol=1e-12)


def test_several_local_steps_end_at_the_known_biased_point(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    steps, rate = [1, 3, 6], 0.1
    # x = sum_i p_i y_i with y_i - b_i = (I - rate A_i)^steps_i (x - b_i); one round shrinks the
    # distance at least by 1 - rate * (smallest eigenvalue, 1/2), and 0.95^700 < 1e-15.
    outcome = federate(sgd(), problem, steps=steps, rate=rate, rounds=700)
    biased = problem.stationary(problem.progress(steps, rate))
    np.testing.assert_allclose(problem.vector(outcome.x), biased, rtol=1e-10)
    assert np.linalg.norm(biased - problem.optimum()) > rate


def test_gd_differs_from_sgd_only_in_its_batches() -> None:
    assert (sgd().batching, gd().batching) == ("minibatch", "full")
