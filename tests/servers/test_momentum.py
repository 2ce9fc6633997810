"""FedAvgM against torch.optim.SGD and against its geometric sum."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.servers.momentum import momentum


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(("nesterov", "dampening"), [(False, 0.0), (True, 0.0), (False, 0.4)])
def test_equals_torch_sgd(
    serve: Callable[..., np.ndarray],
    torch_optim: Callable[..., np.ndarray],
    deltas: np.ndarray,
    nesterov: bool,
    dampening: float,
    weight_decay: float,
) -> None:
    settings = {
        "momentum": 0.8,
        "nesterov": nesterov,
        "dampening": dampening,
        "weight_decay": weight_decay,
    }
    written = f"momentum({', '.join(f'{name}={value}' for name, value in settings.items())})"
    oracle = torch_optim(torch.optim.SGD, deltas, lr=0.3, **settings)
    np.testing.assert_allclose(serve(written, deltas, 0.3), oracle, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("preset", ["hsu2019", "torch", "flower", "flsim"])
def test_presets_equal_torch_sgd_with_momentum(
    serve: Callable[..., np.ndarray],
    torch_optim: Callable[..., np.ndarray],
    deltas: np.ndarray,
    preset: str,
) -> None:
    oracle = torch_optim(torch.optim.SGD, deltas, lr=1.0, momentum=0.9)
    np.testing.assert_allclose(
        serve(f"momentum@{preset}", deltas, 1.0), oracle, rtol=1e-12, atol=1e-14
    )


def test_a_constant_pseudo_gradient_moves_by_its_geometric_sum(
    serve: Callable[..., np.ndarray], start: np.ndarray
) -> None:
    # v_t = (1 - beta^t) / (1 - beta) Delta, so x_T = x_0 - rate Delta / (1 - beta) [T - beta (1 -
    # beta^T)/(1 - beta)].
    beta, rate, T, delta = 0.9, 0.2, 20, np.array([1.0, -2.0, 0.5, 3.0])
    total = (T - beta * (1 - beta**T) / (1 - beta)) / (1 - beta)
    end = serve(f"momentum(momentum={beta})", np.tile(delta, (T, 1)), rate)[-1]
    np.testing.assert_allclose(end, start - rate * total * delta, rtol=1e-12)


def test_nesterov_with_dampening_is_refused() -> None:
    with pytest.raises(HeadstartError, match=r"expected dampening=0 with nesterov, got 0\.5"):
        momentum(nesterov=True, dampening=0.5)
