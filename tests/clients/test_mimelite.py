"""MimeLite against its pseudo-code, written down again with numpy (arXiv 2008.03606, Algorithm
1).
"""

from collections.abc import Callable

import numpy as np
import pytest
from tests.clients.conftest import Outcome, Quadratics

from headstart.clients.mimelite import mimelite
from headstart.clients.sgd import sgd

STEPS, RATE, ROUNDS = [1, 3, 6], 0.02, 6
BETA1, BETA2, EPSILON = 0.8, 0.95, 1e-2


def transcription(
    problem: Quadratics, base: str, second_moment: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, m, v = np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(ROUNDS):
        new_x, full_gradient = np.zeros(3), np.zeros(3)
        for p, A, b, steps in zip(problem.p_K, problem.A_KPP, problem.b_KP, STEPS, strict=True):
            y = x.copy()
            for _ in range(steps):
                g = A @ (y - b)
                step = (1 - BETA1) * g + BETA1 * m
                if base == "adam" and second_moment == "frozen":
                    step = step / (EPSILON + np.sqrt(v))
                elif base == "adam":
                    step = step / (EPSILON + np.sqrt((1 - BETA2) * g * g + BETA2 * v))
                y = y - RATE * step
            new_x += p * y
            full_gradient += p * (A @ (x - b))
        m = (1 - BETA1) * full_gradient + BETA1 * m
        v = (1 - BETA2) * full_gradient**2 + BETA2 * v
        x = new_x
    return x, m, v


@pytest.mark.parametrize(
    ("base", "second_moment"), [("momentum", "stepped"), ("adam", "stepped"), ("adam", "frozen")]
)
def test_rounds_equal_the_pseudo_code(
    federate: Callable[..., Outcome], problem: Quadratics, base: str, second_moment: str
) -> None:
    client = mimelite(
        base=base, beta1=BETA1, beta2=BETA2, epsilon=EPSILON, second_moment=second_moment
    )
    outcome = federate(client, problem, steps=STEPS, rate=RATE, rounds=ROUNDS)
    x, m, v = transcription(problem, base, second_moment)
    np.testing.assert_allclose(problem.vector(outcome.x), x, rtol=1e-12)
    kept = {name.split("/")[0] for name in outcome.shared}
    assert kept == ({"m", "v"} if base == "adam" else {"m"})
    for symbol, statistic in (("m", m), ("v", v)):
        if symbol in kept:
            leaves = {name: outcome.shared[f"{symbol}/{name}"] for name in outcome.x}
            np.testing.assert_allclose(problem.vector(leaves), statistic, rtol=1e-12)


def test_without_decay_the_base_momentum_is_sgd(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    ours, plain = (
        federate(client, problem, steps=STEPS, rate=RATE, rounds=5).x
        for client in (mimelite(beta1=0.0), sgd())
    )
    np.testing.assert_array_equal(problem.vector(ours), problem.vector(plain))


def test_first_step_of_base_adam_is_bounded_when_v_steps_and_huge_when_frozen(
    problem: Quadratics,
) -> None:
    # With m = v = 0: stepped (1 - beta1) g / (sqrt(1 - beta2) |g| + epsilon), below 1 for beta1 .9,
    # beta2 .99;                  frozen   (1 - beta1) g / epsilon, here 100 g.
    x = problem.tree(np.zeros(3))
    g = problem.tree(np.array([3.0, -50.0, 0.2]))
    for second_moment, expected in (
        ("stepped", 0.1 * problem.vector(g) / (0.1 * np.abs(problem.vector(g)) + 1e-3)),
        ("frozen", 100 * problem.vector(g)),
    ):
        client = mimelite(
            base="adam", beta1=0.9, beta2=0.99, epsilon=1e-3, second_moment=second_moment
        )
        d, _ = client.direction(g, x, x, {}, client.shared(x), {})
        np.testing.assert_allclose(problem.vector(d), expected, rtol=1e-12)
