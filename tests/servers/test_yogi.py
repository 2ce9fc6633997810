"""FedYogi against a numpy transcription of Algorithm 2, and the bound that sets Yogi apart from
Adam.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from headstart.servers.yogi import yogi

RATE = 0.05


def transcription(
    start: Any,
    deltas: Any,
    rate: Any,
    initial_v: Any,
    beta1: Any = 0.9,
    beta2: Any = 0.99,
    tau: Any = 1e-3,
) -> Iterator[Any]:
    """arXiv 2003.00295, Algorithm 2, whose Delta points downhill;
    Flower's FedYogi is this with initial_v = 0.
    """
    x, m, v = start, np.zeros(4), np.full(4, initial_v)
    for delta in -deltas:
        m = beta1 * m + (1 - beta1) * delta
        v = v - (1 - beta2) * delta**2 * np.sign(v - delta**2)
        x = x + rate * m / (np.sqrt(v) + tau)
        yield x


@pytest.mark.parametrize(
    ("written", "initial_v"), [("yogi", 1e-6), ("yogi@reddi2021", 1e-6), ("yogi@flower", 0.0)]
)
def test_equals_the_transcription(
    serve: Callable[..., np.ndarray],
    deltas: np.ndarray,
    start: np.ndarray,
    written: str,
    initial_v: float,
) -> None:
    oracle = np.stack(list(transcription(start, deltas, RATE, initial_v)))
    np.testing.assert_allclose(serve(written, deltas, RATE), oracle, rtol=1e-12, atol=1e-14)


def test_every_parameter_reaches_yogi(
    serve: Callable[..., np.ndarray], deltas: np.ndarray, start: np.ndarray
) -> None:
    oracle = np.stack(list(transcription(start, deltas, RATE, 0.5, beta1=0.3, beta2=0.7, tau=0.2)))
    ours = serve("yogi(beta1=0.3, beta2=0.7, epsilon=0.2, initial_v=0.5)", deltas, RATE)
    np.testing.assert_allclose(ours, oracle, rtol=1e-12, atol=1e-14)


def test_v_moves_by_a_share_of_the_square_whatever_v_is() -> None:
    # Adam forgets a large v at a rate of its own size; Yogi only by (1 - beta2) Delta^2, and
    # towards Delta^2.
    server, x, delta = (
        yogi(beta2=0.9),
        {"w": torch.zeros(2).double()},
        {"w": torch.tensor([2.0, 2.0]).double()},
    )
    state = {**server.init(x), "v/w": torch.tensor([100.0, 1.0]).double()}
    _, moved = server.update(delta, state, x, RATE)
    np.testing.assert_allclose(moved["v/w"], [100 - 0.1 * 4, 1 + 0.1 * 4], rtol=1e-14)


def test_weight_decay_joins_the_pseudo_gradient(
    serve: Callable[..., np.ndarray], deltas: np.ndarray, start: np.ndarray
) -> None:
    first = serve("yogi(weight_decay=0.3)", deltas[:1], RATE)
    np.testing.assert_allclose(first, serve("yogi", deltas[:1] + 0.3 * start, RATE), rtol=1e-14)
