"""Weights that are at hand are held to the model: heads, classes, features, buffers,
tied weights.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from tests.starts.weight_files.saved_weights import equal, kept, of_classes, refusal, said, weights
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.starts.weights import Meaning, Weights, content, load
from headstart.tasks.base import Task
from headstart.tasks.digits import digits


class Buffered(nn.Module):
    """Buffers between, one of them saved no more."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(64))
        self.register_buffer("mask", torch.tensor([0.0, -torch.inf]))
        self.register_buffer("place", torch.arange(4), persistent=False)
        self.fc = nn.Linear(64, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(inputs.flatten(1) - self.get_buffer("mean"))


class Tied(nn.Module):
    """An output that is the embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.out = nn.Embedding(10, 10), nn.Linear(10, 10, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, inputs: Tensor) -> Tensor:
        return self.out(self.embed(inputs))


def test_tied_weights_are_one_where_both_are_equal(tmp_path: Path) -> None:
    built, path = Tied(), tmp_path / "w.pt"
    torch.save(built.state_dict(), path)
    assert equal(weights(path, Tied), {"embed.weight": built.embed.weight.detach()})
    save_file({"out.weight": built.embed.weight.detach()}, path)  # under its second name alone
    assert equal(weights(path, Tied), {"embed.weight": built.embed.weight.detach()})
    torch.save({"embed.weight": torch.ones(10, 10), "out.weight": torch.zeros(10, 10)}, path)
    line = "'embed.weight' and 'out.weight' are one tensor of the model, but not of the file"
    assert refusal(path, Tied).endswith(line)
    network = Network(Tied)
    path.write_bytes(content(Weights.of(network.state(0), network, digits()), {}))
    Tied().load_state_dict(load(path).state_dict())
    assert equal(weights(path, Tied), network.state(0))


def test_buffers_are_loaded_and_those_that_a_module_makes_anew_are_held_to_it(
    tmp_path: Path,
) -> None:
    built, path = Buffered(), tmp_path / "w.pt"
    state = {**built.state_dict(), "mean": torch.arange(64.0)}
    torch.save(state, path)
    assert equal(
        weights(path, Buffered), {**state, **{name: state[name] for name in ("mean", "mask")}}
    )
    torch.save({**state, "place": torch.arange(4)}, path)
    assert equal(weights(path, Buffered), state)
    torch.save({**state, "place": torch.zeros(4)}, path)
    assert "the model makes 'place' anew (persistent=False), with other numbers" in refusal(
        path, Buffered
    )
    torch.save({name: leaf for name, leaf in state.items() if name != "mean"}, path)
    assert "it lacks 'mean' [64]" in refusal(path, Buffered)
    torch.save({**state, "mean": torch.arange(64)}, path)
    assert "expected torch.float32 in 'mean', got torch.int64" in refusal(path, Buffered)
    torch.save({**state, "mean": torch.full((64,), torch.nan)}, path)
    assert "'mean' holds numbers that are not numbers (NaN)" in refusal(path, Buffered)


def headed(outputs: int) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))


def test_a_head_is_kept_by_the_names_of_its_classes(tmp_path: Path) -> None:
    path, task = (
        kept(tmp_path / "w.safetensors", "cat", "dog", "fox"),
        of_classes("dog", "fox", "hen"),
    )
    before, got = load(path).state, weights(path, headed(3), task)
    fresh = Network(headed(3)).state(0)
    for name in ("1.weight", "1.bias"):
        assert torch.equal(got[name][:2], before[name][1:])
        assert torch.equal(got[name][2], fresh[name][2])
    assert said(path, headed(3), task) == [
        "the head '1' is kept by the names of 2 classes, new for 'hen'"
    ]
    assert said(path, headed(3), task, head="keep") == [
        "the head '1' is kept in place, though it was not learnt for 'hen'"
    ]
    assert said(path, headed(3), task, head="new") == []  # as was asked for
    assert equal(weights(path, headed(3), task, head="keep"), before)


def test_the_same_classes_in_another_order_or_more_of_them_are_found(tmp_path: Path) -> None:
    path = kept(tmp_path / "w.safetensors", "cat", "dog", "fox")
    before = load(path).state
    for head in ("auto", "keep"):
        got = weights(path, headed(3), of_classes("fox", "cat", "dog"), head=head)
        assert equal(got, {name: leaf[[2, 0, 1]] for name, leaf in before.items()})
    more = weights(path, headed(4), of_classes("ant", "cat", "dog", "fox"))
    assert equal({name: leaf[1:] for name, leaf in more.items()}, before)
    fewer = weights(path, headed(2), of_classes("cat", "fox"))
    assert equal(fewer, {name: leaf[[0, 2]] for name, leaf in before.items()})
    same = said(path, headed(3), of_classes("cat", "dog", "fox"))
    assert same == []


def test_a_head_of_other_classes_is_new_and_one_without_names_said(tmp_path: Path) -> None:
    path, other = kept(tmp_path / "w.safetensors", "cat", "dog", "fox"), of_classes("0", "1", "2")
    assert equal(weights(path, headed(3), other), Network(headed(3)).state(0))
    assert said(path, headed(3), other) == [
        "the head '1' is new: it was learnt for none of the classes"
    ]
    save_file(load(path).state, tmp_path / "plain.safetensors")
    assert equal(weights(tmp_path / "plain.safetensors", headed(3), other), load(path).state)
    assert said(tmp_path / "plain.safetensors", headed(3), other) == [
        "the head '1' is kept by its shape: what its outputs stand for is not known"
    ]


def test_weights_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    network = Network(headed(3))
    (tmp_path / "w.safetensors").write_bytes(
        content(Weights(network.state(0), Meaning(tokens="a" * 64)), {})
    )
    from headstart.tasks.tokens.base import TOKENS

    tokens = TOKENS.build(TOKENS.component("characters"), [])
    part = digits().test
    task = Task("posts", part, part, part, outputs=3, tokens=tokens)
    with pytest.raises(
        HeadstartError, match="learnt on another vocabulary than that of task 'posts'"
    ):
        weights(tmp_path / "w.safetensors", headed(3), task)


def test_a_file_of_ours_with_changed_numbers_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path / "w.safetensors", "cat", "dog", "fox")
    content = bytearray(path.read_bytes())
    content[-64:] = bytes(64)
    path.write_bytes(bytes(content))
    assert "is damaged (its sha256 is another than it says)" in refusal(path, headed(3))


def test_features_in_another_order_are_refused_and_other_names_said(tmp_path: Path) -> None:
    part = digits().test
    network, task = (
        Network(headed(3)),
        Task("first", part, part, part, outputs=3, features=("x1", "x2")),
    )
    path = tmp_path / "w.safetensors"
    path.write_bytes(content(Weights.of(network.state(0), network, task), {}))
    assert said(path, headed(3), task) == []
    turned = Task("second", part, part, part, outputs=3, features=("x2", "x1"))
    with pytest.raises(
        HeadstartError,
        match="in another order: 'x1' where task 'second' has 'x2'; name the features",
    ):
        weights(path, headed(3), turned)
    other = Task("third", part, part, part, outputs=3, features=("x1", "age"))
    assert said(path, headed(3), other) == [
        "its inputs were called otherwise: 'x2' where the task has 'age'"
    ]
