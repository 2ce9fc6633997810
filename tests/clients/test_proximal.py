"""FedProx: mu = 0 is SGD; with many local steps, the fixed points that Eq. 2 has on quadratics."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from tests.clients.conftest import Outcome, Quadratics

from headstart.clients.proximal import proximal
from headstart.clients.sgd import sgd

# The curvature of h is in [1/2 + mu, 2 + mu]. With mu = 1 and rate 0.3, a step shrinks the distance
# to y* by 0.55 or less (momentum 0), and 0.55^70 < 1e-18: 70 steps solve Eq. 2. Momentum 0.3 slows
# this to sqrt(0.3) at worst.
MU, RATE, STEPS = 1.0, 0.3, 70


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_mu_zero_is_sgd_bitwise(
    federate: Callable[..., Outcome], problem: Quadratics, momentum: float
) -> None:
    ours, plain = (
        federate(client, problem, steps=[1, 3, 6], rate=0.1, rounds=5)
        for client in (proximal(mu=0.0, momentum=momentum), sgd(momentum=momentum))
    )
    assert all(torch.equal(ours.x[name], plain.x[name]) for name in plain.x)


@pytest.mark.parametrize("momentum", [0.0, 0.3])
def test_many_local_steps_solve_equation_2(
    federate: Callable[..., Outcome], alone: Quadratics, momentum: float
) -> None:
    outcome = federate(proximal(mu=MU, momentum=momentum), alone, steps=[STEPS], rate=RATE)
    A, b, x = alone.A_KPP[0], alone.b_KP[0], np.zeros(3)
    solution = np.linalg.solve(A + MU * np.eye(3), A @ b + MU * x)
    np.testing.assert_allclose(alone.vector(outcome.x), solution, rtol=1e-12)


def test_rounds_end_at_the_federated_fixed_point(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    # x = sum_i p_i (A_i + mu I)^-1 (A_i b_i + mu x), that is sum_i p_i B_i (x - b_i) = 0, B_i =
    # (A_i + mu I)^-1 A_i. A round shrinks the distance by mu / (mu + 1/2) = 2/3 or less, and
    # (2/3)^80 < 1e-14.
    outcome = federate(proximal(mu=MU), problem, steps=[STEPS] * 3, rate=RATE, rounds=80)
    B_KPP = np.stack([np.linalg.solve(A + MU * np.eye(3), A) for A in problem.A_KPP])
    np.testing.assert_allclose(problem.vector(outcome.x), problem.stationary(B_KPP), rtol=1e-10)


def test_stronger_mu_moves_less_and_ends_closer_to_the_optimum(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    ends = [
        federate(proximal(mu=mu), problem, steps=[8] * 3, rate=0.1, rounds=100).x
        for mu in (0.0, 1.0, 4.0)
    ]
    errors = [np.linalg.norm(problem.vector(x) - problem.optimum()) for x in ends]
    assert errors[0] > errors[1] > errors[2]
