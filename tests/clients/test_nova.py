"""FedNova: |a_i|_1 by counting, and where it ends under unequal numbers of local steps."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from tests.clients.conftest import Outcome, Quadratics

from headstart.clients.nova import nova
from headstart.clients.sgd import sgd
from headstart.errors import HeadstartError

STEPS = [1, 3, 6]
# The order that a log-log fit shows differs from the true one by O(rate): tolerances on it are
# multiples of RATES[0].
RATES = [0.08, 0.04, 0.02]
# A round shrinks the distance to the end by about 1 - rate * (mean steps >= 2) * (eigenvalue >=
# 1/2); at the smallest rate 0.98^1000 < 1e-8, and every error below is compared with 1e-6 or more.
ROUNDS = 1000
VARIANTS = [{}, {"momentum": 0.5}, {"mu": 0.5}]


def weights_by_counting(tau: int, momentum: float, alpha: float) -> float:
    """Run the recursions on unit gradients: the sum of the weights is how far y went,
    in units of the rate.
    """
    buffer = distance = 0.0
    for _ in range(tau):
        buffer = momentum * buffer + 1.0
        distance = (1 - alpha) * distance + buffer
    return distance


@pytest.mark.parametrize("tau", [1, 2, 5, 40])
@pytest.mark.parametrize(
    "parameters", [*VARIANTS, {"momentum": 0.9}, {"momentum": 0.99}, {"mu": 1e-3}]
)
def test_sum_of_weights_equals_the_count(tau: int, parameters: Any) -> None:
    rate = 0.1
    x = {"w": torch.zeros(2, dtype=torch.float64)}
    upload = nova(**parameters).finish(x, x, tau, rate, {}, {}, {})
    counted = weights_by_counting(
        tau, parameters.get("momentum", 0.0), rate * parameters.get("mu", 0.0)
    )
    assert upload.message["a"].item() == pytest.approx(counted, rel=1e-11)


def test_sum_of_weights_keeps_its_digits_in_float32() -> None:
    # 1 - (1 - 1e-6)^3 computed as written has one correct digit in float32, whose spacing below 1
    # is 6e-8.
    x = {"w": torch.zeros(1, dtype=torch.float32)}
    upload = nova(mu=1e-4).finish(x, x, 3, 1e-2, {}, {}, {})
    resolution = torch.finfo(torch.float32).eps
    assert upload.message["a"].item() == pytest.approx(
        weights_by_counting(3, 0.0, 1e-6), rel=4 * resolution
    )


@pytest.mark.parametrize("parameters", VARIANTS)
def test_a_constant_gradient_uploads_rate_times_gradient_whatever_the_steps(
    parameters: Any,
) -> None:
    client, rate = nova(**parameters), 0.1
    x, g = {"w": torch.tensor([1.0, -2.0]).double()}, {"w": torch.tensor([0.3, 0.7]).double()}
    for tau in (1, 2, 9):
        y, local = x, client.begin(x, {}, {})
        for _ in range(tau):
            d, local = client.direction(g, x, y, local, {}, {})
            y = {"w": y["w"] - rate * d["w"]}
        update = client.finish(x, y, tau, rate, {}, {}, {}).update
        np.testing.assert_allclose(update["w"], rate * g["w"], rtol=1e-12)


def test_equal_steps_are_fedavg(federate: Callable[..., Outcome], problem: Quadratics) -> None:
    ours, plain = (
        federate(client, problem, steps=[4] * 3, rate=0.1, rounds=10).x
        for client in (nova(), sgd())
    )
    np.testing.assert_allclose(problem.vector(ours), problem.vector(plain), rtol=1e-12)


def test_plain_nova_ends_where_its_equation_says(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    # sum_i p_i (x - y_i) / tau_i = 0 with x - y_i = [I - (I - rate A_i)^tau_i] (x - b_i).
    rate = RATES[0]
    end = problem.vector(federate(nova(), problem, steps=STEPS, rate=rate, rounds=ROUNDS).x)
    B_KPP = problem.progress(STEPS, rate) / np.array(STEPS)[:, None, None]
    np.testing.assert_allclose(end, problem.stationary(B_KPP), rtol=1e-10)


@pytest.mark.parametrize("parameters", VARIANTS)
def test_nova_ends_at_the_true_optimum_to_first_order_in_the_rate(
    federate: Callable[..., Outcome], problem: Quadratics, parameters: Any
) -> None:
    client = nova(**parameters)
    ends = [federate(client, problem, steps=STEPS, rate=rate, rounds=ROUNDS).x for rate in RATES]
    errors = [np.linalg.norm(problem.vector(x) - problem.optimum()) for x in ends]
    order = np.polyfit(np.log(RATES), np.log(errors), 1)[0]
    assert order == pytest.approx(1, abs=RATES[0])


def test_the_first_order_term_of_novas_error(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    # [I - (I - rate A)^tau] / (rate tau) = A - rate (tau - 1)/2 A^2 + O(rate^2), so
    # x = x* + rate/2 (sum_i p_i A_i)^-1 sum_i p_i (tau_i - 1) A_i^2 (x* - b_i) + O(rate^2): halving
    # the rate divides what the first order leaves by 4, up to the next order.
    best, terms = (
        problem.optimum(),
        zip(problem.p_K, STEPS, problem.A_KPP, problem.b_KP, strict=True),
    )
    pull = sum(p * (tau - 1) * A @ A @ (best - b) for p, tau, A, b in terms)
    slope = np.linalg.solve(np.einsum("k,kij->ij", problem.p_K, problem.A_KPP), pull) / 2
    rests = []
    for rate in RATES:
        end = problem.vector(federate(nova(), problem, steps=STEPS, rate=rate, rounds=ROUNDS).x)
        rests.append(np.linalg.norm(end - best - rate * slope))
    order = np.polyfit(np.log(RATES), np.log(rests), 1)[0]
    assert order == pytest.approx(2, abs=2 * RATES[0])


def test_plain_averaging_ends_at_the_step_weighted_optimum(
    federate: Callable[..., Outcome], problem: Quadratics
) -> None:
    step_weighted = problem.stationary(np.array(STEPS)[:, None, None] * problem.A_KPP)
    ends = [federate(sgd(), problem, steps=STEPS, rate=rate, rounds=ROUNDS).x for rate in RATES]
    errors = [np.linalg.norm(problem.vector(x) - step_weighted) for x in ends]
    order = np.polyfit(np.log(RATES), np.log(errors), 1)[0]
    assert order == pytest.approx(1, abs=2 * RATES[0])
    # and not at the optimum: that distance tends to the one between the two points
    gap = np.linalg.norm(step_weighted - problem.optimum())
    assert gap > 10 * errors[-1]
    assert np.linalg.norm(problem.vector(ends[-1]) - problem.optimum()) == pytest.approx(
        gap,
        abs=errors[-1],  # type: ignore[arg-type]
    )


def test_momentum_and_mu_together_are_refused() -> None:
    with pytest.raises(
        HeadstartError, match=r"expected momentum or mu to be 0, got momentum=0\.9 and mu=0\.1"
    ):
        nova(momentum=0.9, mu=0.1)
