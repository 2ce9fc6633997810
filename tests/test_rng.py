"""Draws are functions of a seed and labels; the streams are those of their papers."""

import numpy as np
import torch
from scipy import stats

from headstart import rng


def splitmix64(state: int, count: int) -> list[int]:
    """The generator as its paper writes it (Steele, Lea, Flood, OOPSLA 2014, Figure 17)."""
    mask, values = 2**64 - 1, []
    for _ in range(count):
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        values.append(z ^ (z >> 31))
    return values


def test_bits_are_the_stream_of_splitmix64() -> None:
    first = int.from_bytes(rng.digest(7, "speed")[:8], "little")
    assert rng.bits(7, "speed", at=(np.arange(5),)).tolist() == splitmix64(first, 5)


def test_a_draw_is_the_same_alone_and_among_others() -> None:
    rounds, clients = np.arange(3)[:, None], np.arange(4)[None]
    among = rng.uniform(1, "device", at=(rounds, clients))
    assert among.shape == (3, 4)
    assert rng.uniform(1, "device", at=(2, 3)).item() == among[2, 3]


def test_uniform_draws_are_uniform() -> None:
    draws = rng.uniform(0, "a", at=(np.arange(20_000),))
    assert stats.kstest(draws, "uniform").pvalue > 1e-3
    assert 0 <= draws.min() <= draws.max() < 1


def test_labels_are_told_apart_by_order_and_type() -> None:
    keys = [rng.key(0, 1, 2), rng.key(0, 2, 1), rng.key(0, "1", 2), rng.key(0, 12), rng.key(1, 2)]
    assert len(set(keys)) == len(keys)
    assert all(0 <= key < 2**31 for key in keys)


def test_generators_follow_their_labels_and_leave_the_global_ones() -> None:
    before = torch.get_rng_state()
    one, same, other = (rng.generator(3, "x", label).normal(size=4) for label in (0, 0, 1))
    assert (one == same).all()
    assert not (one == other).any()
    drawn = torch.rand(4, generator=rng.torch_generator(3, "x"))
    assert torch.equal(drawn, torch.rand(4, generator=rng.torch_generator(3, "x")))
    assert torch.equal(torch.get_rng_state(), before)
