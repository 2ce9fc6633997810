"""SCAFFOLD: no drift under unequal curvature, and the invariants of its control variates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tests.clients.conftest import Outcome, Quadratics

from headstart import trees
from headstart.clients.scaffold import scaffold
from headstart.clients.sgd import sgd

RATE = 0.05


@pytest.mark.parametrize("steps", [[4, 4, 4], [1, 3, 6]])
def test_scaffold_ends_at_the_optimum_where_sgd_does_not(
    federate: Callable[..., Outcome], problem: Quadratics, steps: Any
) -> None:
    # A round goes through at least 1 step, which shrinks the distance by 1 - RATE * 1/2; 0.975^1400
    # < 1e-15.
    ours, plain = (
        federate(client, problem, steps=steps, rate=RATE, rounds=1400)
        for client in (scaffold(), sgd())
    )
    np.testing.assert_allclose(problem.vector(ours.x), problem.optimum(), rtol=1e-10)
    biased = problem.stationary(problem.progress(steps, RATE))
    np.testing.assert_allclose(problem.vector(plain.x), biased, rtol=1e-10)
    assert np.linalg.norm(biased - problem.optimum()) > RATE
    # At the end c_i is the client's gradient at the optimum.
    for i, memory in enumerate(ours.memories):
        at_optimum = problem.A_KPP[i] @ (problem.optimum() - problem.b_KP[i])
        np.testing.assert_allclose(problem.vector(memory), at_optimum, rtol=1e-9)


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_weighted_sum_of_client_variates_is_the_servers(
    federate: Callable[..., Outcome], problem: Quadratics, rounds: int
) -> None:
    outcome = federate(scaffold(), problem, steps=[1, 3, 6], rate=RATE, rounds=rounds)
    mean = sum(
        p * problem.vector(c_i) for p, c_i in zip(problem.p_K, outcome.memories, strict=True)
    )
    np.testing.assert_allclose(mean, problem.vector(outcome.shared), rtol=1e-12, atol=1e-14)


def test_option_ii_is_the_mean_of_the_gradients_on_the_way(problem: Quadratics) -> None:
    client, steps = scaffold(), 5
    x, memory = problem.tree(np.ones(3)), problem.tree(np.array([0.3, -0.1, 0.2]))
    shared = problem.tree(np.array([-0.2, 0.4, 0.1]))
    y, gradients = x, []
    for _ in range(steps):
        gradients.append(problem.gradient(1, y))
        d, _ = client.direction(gradients[-1], x, y, {}, shared, memory)
        y = trees.add(y, d, -RATE)
    upload = client.finish(x, y, steps, RATE, {}, shared, memory)
    mean = np.mean([problem.vector(g) for g in gradients], axis=0)
    np.testing.assert_allclose(problem.vector(upload.memory), mean, rtol=1e-12)
    change = problem.vector(upload.memory) - problem.vector(memory)
    np.testing.assert_allclose(problem.vector(upload.message), change, rtol=1e-12)


def test_a_cohort_moves_the_servers_variate_by_its_share_of_the_clients(
    problem: Quadratics,
) -> None:
    shared, change = (
        problem.tree(np.array([1.0, 2.0, 3.0])),
        problem.tree(np.array([4.0, -4.0, 8.0])),
    )
    _, moved = scaffold().combine(problem.tree(np.zeros(3)), change, shared, 0.25)
    np.testing.assert_array_equal(problem.vector(moved), [2.0, 1.0, 5.0])
