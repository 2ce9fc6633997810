"""The server `sgd`: rate 1 is plain averaging."""

from collections.abc import Callable

import numpy as np
import torch

from headstart.servers.sgd import sgd


def test_rate_one_is_the_weighted_average_of_the_clients() -> None:
    generator = np.random.default_rng(3)
    p, x, y = np.array([0.5, 0.3, 0.2]), generator.normal(size=4), generator.normal(size=(3, 4))
    delta = {"w": torch.tensor(p @ (x - y))}
    averaged, state = sgd().update(delta, {}, {"w": torch.tensor(x)}, 1.0)
    np.testing.assert_allclose(averaged["w"], p @ y, rtol=1e-12)
    assert state == {}


def test_other_rates_go_that_share_of_the_way(
    serve: Callable[..., np.ndarray], deltas: np.ndarray, start: np.ndarray
) -> None:
    np.testing.assert_allclose(
        serve("sgd", deltas, 0.3)[-1], start - 0.3 * deltas.sum(axis=0), rtol=1e-12
    )
