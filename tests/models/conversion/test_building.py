"""A module is a function of its seed, is placed without losing numbers,
and its tensors have one name each.
"""

import pytest
import torch
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.conversion.building import TensorNames, built, placed


class Tied(nn.Module):
    """A decoder that shares the weights of its encoder, and a buffer under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(2, 2, bias=False), nn.Linear(2, 2)
        self.decoder.weight = self.encoder.weight
        mask = torch.ones(2)
        self.register_buffer("mask", mask)
        self.register_buffer("same_mask", mask)
        self.register_buffer("made_anew", torch.ones(1), persistent=False)


def test_a_module_is_a_function_of_its_seed_and_the_generator_stays() -> None:
    before = torch.get_rng_state()
    one, same, other = (
        built(lambda: nn.Linear(3, 2), seed).get_parameter("weight") for seed in (0, 0, 1)
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_a_module_that_is_a_part_of_itself_is_refused() -> None:
    def endless() -> nn.Module:
        outer = nn.Sequential(nn.Linear(3, 2))
        outer.add_module("again", nn.Sequential(outer))
        return outer

    with pytest.raises(
        HeadstartError, match=r"a Sequential that is a part of itself; register it once$"
    ):
        built(endless, seed=0)


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(HeadstartError, match=r"^the model is int, expected a torch\.nn\.Module$"):
        built(lambda: 3, seed=0)  # type: ignore[arg-type,return-value]


def test_real_numbers_are_converted_and_others_stay() -> None:
    module = nn.Linear(1, 1, bias=False)
    module.register_buffer("count", torch.tensor(3))
    module.register_buffer("phase", torch.tensor(1 + 2j))
    there = placed(module, torch.device("cpu"), torch.float64)
    types = {name: leaf.dtype for name, leaf in there.state_dict().items()}
    assert types == {"weight": torch.float64, "count": torch.int64, "phase": torch.complex64}
    assert there.get_buffer("phase").item() == 1 + 2j


def test_second_names_lead_to_the_first() -> None:
    names = TensorNames.of(Tied())
    assert names.buffers == ("mask",)
    assert names.tied == {"same_mask": "mask", "decoder.weight": "encoder.weight"}
    assert set(names.order) == {
        "mask",
        "same_mask",
        "encoder.weight",
        "decoder.weight",
        "decoder.bias",
    }
