"""FedAdagrad against torch.optim.Adagrad and a numpy transcription of Algorithm 2."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

RATE = 0.05


def transcription(
    start: Any, deltas: Any, rate: Any, tau: Any, initial_v: Any, beta1: Any = 0.0
) -> Iterator[Any]:
    """arXiv 2003.00295, Algorithm 2, whose Delta points downhill;
    Flower's FedAdagrad is this with initial_v = 0.
    """
    x, m, v = start, np.zeros(4), np.full(4, initial_v)
    for delta in -deltas:
        m = beta1 * m + (1 - beta1) * delta
        v = v + delta**2
        x = x + rate * m / (np.sqrt(v) + tau)
        yield x


def test_torch_preset_equals_torch_adagrad(
    serve: Callable[..., np.ndarray], torch_optim: Callable[..., np.ndarray], deltas: np.ndarray
) -> None:
    oracle = torch_optim(torch.optim.Adagrad, deltas, lr=RATE)
    np.testing.assert_allclose(serve("adagrad@torch", deltas, RATE), oracle, rtol=1e-12, atol=1e-14)


def test_every_parameter_reaches_adagrad(
    serve: Callable[..., np.ndarray], torch_optim: Callable[..., np.ndarray], deltas: np.ndarray
) -> None:
    settings = {"eps": 0.1, "initial_accumulator_value": 0.5, "weight_decay": 0.3}
    oracle = torch_optim(torch.optim.Adagrad, deltas, lr=RATE, **settings)
    ours = serve("adagrad(epsilon=0.1, initial_v=0.5, weight_decay=0.3)", deltas, RATE)
    np.testing.assert_allclose(ours, oracle, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("written", "tau", "initial_v", "beta1"),
    [
        ("adagrad", 1e-3, 1e-6, 0.0),
        ("adagrad@reddi2021", 1e-3, 1e-6, 0.0),
        ("adagrad(beta1=0.9)", 1e-3, 1e-6, 0.9),
        ("adagrad@flower", 1e-3, 0.0, 0.0),
        ("adagrad@flower-legacy", 1e-9, 0.0, 0.0),
    ],
)
def test_equals_the_transcription(
    serve: Callable[..., np.ndarray],
    deltas: np.ndarray,
    start: np.ndarray,
    written: str,
    tau: float,
    initial_v: float,
    beta1: float,
) -> None:
    # A zero in round 1 with v = 0 is 0 / (0 + tau) = 0 in both.
    oracle = np.stack(list(transcription(start, deltas, RATE, tau, initial_v, beta1)))
    np.testing.assert_allclose(serve(written, deltas, RATE), oracle, rtol=1e-12, atol=1e-14)
