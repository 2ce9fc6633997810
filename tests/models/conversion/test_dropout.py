"""The masks of keyed dropout are fair, independent and a function of the key alone.

Statistical bounds are 4.9 standard errors, which a fair mask exceeds with probability 1e-6; the
keys are fixed.
"""

import math
from itertools import combinations

import pytest
import torch
from torch import Tensor, nn
from torch._dynamo.testing import CompileCounter

from headstart import rng
from headstart.models.conversion.dropout import KeyedDropout
from headstart.models.network import Network

SIGMAS = 4.9
ONES = torch.ones(1000, 64)


def int32(value: int) -> Tensor:
    return torch.tensor(value, dtype=torch.int32)


def mask(
    key: int, layer: int = 0, p: float = 0.5, inputs: Tensor = ONES, channels: bool = False
) -> Tensor:
    """Which entries are kept, by a layer in its first call."""
    dropout = KeyedDropout(p, layer, channels)
    dropout.key = int32(key)
    return dropout(inputs) != 0


@pytest.mark.parametrize("p", [0.01, 0.1, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("key", [0, 1, -1, 123456789, -(2**31)])
def test_keeps_a_share_of_1_minus_p(p: float, key: int) -> None:
    kept = mask(key, p=p).double()
    assert abs(kept.mean().item() - (1 - p)) < SIGMAS * math.sqrt(p * (1 - p) / kept.numel())


@pytest.mark.parametrize("p", [0.1, 0.5])
def test_keeps_a_share_of_1_minus_p_at_every_position_over_keys(p: float) -> None:
    keys = rng.step_key(int32(7), torch.arange(4000, dtype=torch.int32))
    network = Network(lambda: nn.Dropout(p))
    kept = torch.func.vmap(lambda key: network({}, ONES[:1], key))(keys).ne(0).double()
    bound = SIGMAS * math.sqrt(p * (1 - p) / len(keys))
    assert (kept.mean(0) - (1 - p)).abs().max() < bound


def test_what_is_kept_is_scaled_so_that_the_mean_stays() -> None:
    dropout = KeyedDropout(0.3, 0)
    inputs = torch.randn(5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outputs = dropout(inputs)
    kept = outputs != 0
    torch.testing.assert_close(outputs[kept], inputs[kept] / 0.7, rtol=1e-15, atol=0)


def test_keys_layers_calls_and_steps_are_uncorrelated() -> None:
    repeated = KeyedDropout(0.5, 0)
    masks = {
        **{f"key {key}": mask(key) for key in (0, 1, 2, 3, 1 << 16, 1 << 30, -1)},
        **{f"layer {layer}": mask(0, layer=layer) for layer in (1, 2, 3, 4, 50)},
        **{f"step {step}": mask(int(rng.step_key(int32(0), step))) for step in range(5)},
        **{f"call {call}": repeated(ONES) != 0 for call in range(3)},
    }
    masks.pop("call 0")  # by construction that of key 0
    for (one, a), (other, b) in combinations(masks.items(), 2):
        correlation = ((a.double() * 2 - 1) * (b.double() * 2 - 1)).mean().item()
        assert abs(correlation) < SIGMAS / math.sqrt(a.numel()), (one, other)


def test_positions_are_uncorrelated() -> None:
    signs = mask(42).flatten().double() * 2 - 1
    for lag in (1, 2, 3, 4, 8, 16, 64, 128, 1024, 4096):
        products = signs[lag:] * signs[:-lag]
        assert abs(products.mean().item()) < SIGMAS / math.sqrt(len(products)), lag


def test_mix_is_a_bijection_whose_inputs_each_move_half_of_the_bits() -> None:
    inputs = torch.arange(-(1 << 15), 1 << 15, dtype=torch.int32)
    hashed = rng.hash32(inputs)
    assert len(hashed.unique()) == len(inputs)
    for bit in range(31):
        moved = rng.hash32(inputs ^ (1 << bit)) ^ hashed
        flips = torch.stack([(moved >> place) & 1 for place in range(32)]).double().mean().item()
        assert flips == pytest.approx(0.5, abs=0.01), bit  # 2^21 bits; exactly fair has 3.5e-4


def test_padding_a_batch_at_its_end_leaves_the_masks_of_its_rows() -> None:
    images = torch.ones(6, 3, 4, 4)
    for channels in (False, True):
        whole = mask(5, inputs=images, channels=channels)
        assert torch.equal(mask(5, inputs=images[:4], channels=channels), whole[:4])


@pytest.mark.parametrize("channels", [False, True])
def test_vmap_draws_what_one_by_one_draws(channels: bool) -> None:
    network = Network(
        lambda: nn.Sequential(nn.Dropout2d(0.4) if channels else nn.Dropout(0.4), nn.Dropout(0.1))
    )
    keys = torch.tensor([3, -8, 1 << 29], dtype=torch.int32)
    inputs = torch.ones(3, 5, 4, 2, 2)
    together = torch.func.vmap(lambda inputs, key: network({}, inputs, key))(inputs, keys)
    alone = torch.stack([network({}, inputs[k], keys[k]) for k in range(3)])
    assert torch.equal(together, alone)
    assert not torch.equal(alone[0], alone[1])


@pytest.mark.slow
def test_a_compiled_program_of_clients_draws_the_same() -> None:
    """Inductor rounds the constants of integer arithmetic on vmapped scalars to float32 (torch
    2.13): avoided here.
    """
    network = Network(lambda: nn.Sequential(nn.Dropout(0.4), nn.Dropout1d(0.1)))
    keys, inputs = torch.tensor([3, -8, 1 << 29], dtype=torch.int32), torch.ones(3, 5, 4, 2)

    def outputs(inputs: Tensor, key: Tensor, step: Tensor) -> Tensor:
        return network({}, inputs, rng.step_key(key, step))

    together = torch.func.vmap(outputs, in_dims=(0, 0, None))
    compiled = torch.compile(together)
    for step in torch.arange(3, dtype=torch.int32):
        assert torch.equal(compiled(inputs, keys, step) != 0, together(inputs, keys, step) != 0)


def test_new_keys_compile_nothing_anew() -> None:
    network = Network(lambda: nn.Sequential(nn.Dropout(0.4), nn.Dropout(0.1)))
    counter = CompileCounter()
    compiled = torch.compile(lambda inputs, key: network({}, inputs, key), backend=counter)
    for key in range(4):
        assert torch.equal(compiled(ONES, int32(key)), network({}, ONES, int32(key)))
    assert counter.frame_count == 1


def test_channel_dropout_drops_whole_channels() -> None:
    kept = mask(9, inputs=torch.ones(500, 8, 3, 3), channels=True)
    per_channel = kept.flatten(2).double().mean(-1)
    assert set(per_channel.unique().tolist()) == {0.0, 1.0}
    assert abs(per_channel.mean().item() - 0.5) < SIGMAS * 0.5 / math.sqrt(per_channel.numel())


def test_the_ends_of_p() -> None:
    inputs = torch.tensor([[1.0, float("inf")]])
    assert torch.equal(KeyedDropout(0.0, 0)(inputs), inputs)
    assert torch.equal(KeyedDropout(1.0, 0)(inputs), torch.zeros(1, 2))


def test_in_evaluation_nothing_is_dropped() -> None:
    inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    network = Network(lambda: nn.Sequential(nn.Dropout(0.9), nn.Dropout1d(0.9)))
    assert torch.equal(network({}, inputs), inputs)
