"""FedAdam: torch.optim.Adam is the oracle of its presets, numpy transcriptions those of the paper
and of Flower.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from headstart.servers.adam import adam

RATE = 0.05


def reddi2021(
    start: Any, deltas: Any, rate: Any, beta1: Any = 0.9, beta2: Any = 0.99, tau: Any = 1e-3
) -> Iterator[Any]:
    """Algorithm 2 as printed, whose Delta points downhill: ours is its negative."""
    x, m, v = start, np.zeros(4), np.full(4, tau**2)
    for delta in -deltas:
        m = beta1 * m + (1 - beta1) * delta
        v = beta2 * v + (1 - beta2) * delta**2
        x = x + rate * m / (np.sqrt(v) + tau)
        yield x


def flower(
    start: Any, deltas: Any, rate: Any, tau: Any, beta1: Any = 0.9, beta2: Any = 0.99
) -> Iterator[Any]:
    """The update of FedAdam.aggregate_train in Flower; its rounds start at 1 and the correction
    uses round + 1.
    """
    x, m, v = start, np.zeros(4), np.zeros(4)
    for server_round, delta in enumerate(-deltas, start=1):
        m = beta1 * m + (1 - beta1) * delta
        v = beta2 * v + (1 - beta2) * delta**2
        corrected = (
            rate * np.sqrt(1 - beta2 ** (server_round + 1)) / (1 - beta1 ** (server_round + 1))
        )
        x = x + corrected * m / (np.sqrt(v) + tau)
        yield x


@pytest.mark.parametrize(("preset", "weight_decay"), [("torch", 0.0), ("flsim", 1e-5)])
def test_torch_and_flsim_presets_equal_torch_adam(
    serve: Callable[..., np.ndarray],
    torch_optim: Callable[..., np.ndarray],
    deltas: np.ndarray,
    preset: str,
    weight_decay: float,
) -> None:
    oracle = torch_optim(
        torch.optim.Adam, deltas, lr=RATE, betas=(0.9, 0.999), eps=1e-8, weight_decay=weight_decay
    )
    np.testing.assert_allclose(
        serve(f"adam@{preset}", deltas, RATE), oracle, rtol=1e-12, atol=1e-14
    )


def test_every_parameter_reaches_adam(
    serve: Callable[..., np.ndarray], torch_optim: Callable[..., np.ndarray], deltas: np.ndarray
) -> None:
    oracle = torch_optim(
        torch.optim.Adam, deltas, lr=RATE, betas=(0.0, 0.9), eps=0.1, weight_decay=0.3
    )
    ours = serve("adam@torch(beta1=0.0, beta2=0.9, epsilon=0.1, weight_decay=0.3)", deltas, RATE)
    np.testing.assert_allclose(ours, oracle, rtol=1e-12, atol=1e-14)


def test_the_hidden_weight_decay_of_flsim_is_visible(
    serve: Callable[..., np.ndarray], torch_optim: Callable[..., np.ndarray], deltas: np.ndarray
) -> None:
    plain = torch_optim(torch.optim.Adam, deltas, lr=RATE)
    np.testing.assert_allclose(
        serve("adam@flsim(weight_decay=0.0)", deltas, RATE), plain, rtol=1e-12, atol=1e-14
    )
    # lambda x is 5e-6 beside a Delta of about 1e-3 in the first coordinate: it changes steps by
    # parts in a thousand.
    assert np.abs(serve("adam@flsim", deltas, RATE) - plain).max() > 1e-4 * RATE


@pytest.mark.parametrize("written", ["adam", "adam@reddi2021"])
def test_the_default_is_the_papers(
    serve: Callable[..., np.ndarray], deltas: np.ndarray, start: np.ndarray, written: str
) -> None:
    oracle = np.stack(list(reddi2021(start, deltas, RATE)))
    np.testing.assert_allclose(serve(written, deltas, RATE), oracle, rtol=1e-12, atol=1e-14)


def test_initial_v_follows_epsilon_in_the_paper(
    serve: Callable[..., np.ndarray], deltas: np.ndarray, start: np.ndarray
) -> None:
    oracle = np.stack(list(reddi2021(start, deltas, RATE, tau=0.1)))
    np.testing.assert_allclose(
        serve("adam(epsilon=0.1)", deltas, RATE), oracle, rtol=1e-12, atol=1e-14
    )


@pytest.mark.parametrize(("preset", "tau"), [("flower", 1e-3), ("flower-legacy", 1e-9)])
def test_flower_presets_equal_five_rounds_of_flower(
    serve: Callable[..., np.ndarray], deltas: np.ndarray, start: np.ndarray, preset: str, tau: float
) -> None:
    oracle = np.stack(list(flower(start, deltas[:5], RATE, tau)))
    np.testing.assert_allclose(
        serve(f"adam@{preset}", deltas[:5], RATE), oracle, rtol=1e-12, atol=1e-14
    )


def test_the_first_step_of_each_correction(
    serve: Callable[..., np.ndarray], start: np.ndarray
) -> None:
    # From zero, m = .1 D and sqrt(v) = .1 |D| (beta1 .9, beta2 .99), so epsilon aside the first
    # step is, in rates,   none 1,  adam (.1/.1) / (.1/sqrt(.01)) = 1,  flower sqrt(1 - .99^2) / (1
    # - .9^2).
    delta, tiny = np.full((1, 4), 2.0), 1e-13
    expected = {"none": 1.0, "adam": 1.0, "flower": np.sqrt(1 - 0.99**2) / (1 - 0.9**2)}
    for correction, size in expected.items():
        written = f"adam(bias_correction='{correction}', initial_v=0.0, epsilon={tiny})"
        np.testing.assert_allclose(
            start - serve(written, delta, RATE)[0], RATE * size, rtol=10 * tiny
        )


def test_float32_keeps_the_digits_of_the_correction(deltas: np.ndarray) -> None:
    # 1 - 0.999 has four correct digits when float32 subtracts; ours must be right to a few units of
    # its resolution.
    server = adam(beta2=0.999, epsilon=1e-8, bias_correction="adam", initial_v=0.0)
    first = {"w": torch.tensor(deltas[1], dtype=torch.float32)}
    x = {"w": torch.zeros(4)}
    moved, _ = server.update(first, server.init(x), x, 1.0)
    # In exact arithmetic the first step is Delta / (|Delta| + epsilon).
    exact = deltas[1] / (np.abs(deltas[1]) + 1e-8)
    np.testing.assert_allclose(-moved["w"].numpy(), exact, rtol=8 * torch.finfo(torch.float32).eps)
