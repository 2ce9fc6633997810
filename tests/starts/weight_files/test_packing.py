"""What scripts save is unpacked: wrapped, prefixed, in arrays, in shards."""

import json
from argparse import Namespace
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.lib.format
import pytest
import torch
from safetensors.torch import save_file
from tests.starts.weight_files.saved_weights import (
    drawn,
    equal,
    module,
    refusal,
    said,
    start,
    weights,
)
from torch import Tensor, nn

from headstart.models.network import Network
from headstart.trees import Tree


class Backboned(nn.Module):
    """A backbone with a head beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.ReLU())
        self.fc = nn.Linear(6, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(self.backbone(inputs))


def behind(prefix: str, tensors: Tree) -> Tree:
    return {prefix + name: leaf for name, leaf in tensors.items()}


def optimizer_state() -> dict[str, Any]:
    """An optimizer's, as it is saved beside the weights."""
    built = module()
    optimizer = torch.optim.Adam(built.parameters())
    sum(leaf.sum() for leaf in built.parameters()).backward()  # type: ignore[union-attr]
    optimizer.step()
    return optimizer.state_dict()


WRAPPED: dict[str, Callable[[Tree], Any]] = {
    "PyTorch's tutorial": lambda sd: {
        "epoch": 3, "model_state_dict": sd, "optimizer_state_dict": optimizer_state(), "loss": 0.3
    },
    "a net with its accuracy": lambda sd: {"net": sd, "acc": 91.2},
    "params": lambda sd: {"params": sd, "step": torch.tensor(3)},
    "two levels": lambda sd: {"checkpoint": {"params": sd}},
    "Lightning": lambda sd: {
        "epoch": 1, "pytorch-lightning_version": "2.5", "state_dict": behind("model.", sd),
        "hparams_name": "kwargs", "hyper_parameters": {"lr": 0.1},
        "optimizer_states": [optimizer_state()], "loops": {"fit_loop": {"done": 1}},
    },
    "DataParallel": lambda sd: behind("module.", sd),
    "torch.compile": lambda sd: behind("_orig_mod.", sd),
    "compiled and parallel": lambda sd: behind("_orig_mod.module.", sd),
    "arguments of a script": lambda sd: {"model": sd, "args": Namespace(lr=0.1, out=Path("/tmp"))},
    "an average beside it": lambda sd: {"model": sd, "model_ema": drawn(seed=5)},
    "arrays of NumPy": lambda sd: {"model": {name: leaf.numpy() for name, leaf in sd.items()},
                                   "acc": np.float64(1)},
    "a list in order": lambda sd: list(sd.values()),
    "twice the same": lambda sd: {"last": sd, "best": dict(sd)},
    "more than tensors": lambda sd: {**sd, "epoch": 3},
}  # fmt: skip


@pytest.mark.parametrize("how", WRAPPED)
def test_what_scripts_save_is_unpacked(how: str, tmp_path: Path) -> None:
    torch.save(WRAPPED[how](drawn()), tmp_path / "w.pt")
    assert equal(weights(tmp_path / "w.pt"), drawn())


def test_what_was_done_is_said_in_few_words(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "state_dict": behind("module.", drawn())}, tmp_path / "w.pt")
    assert said(tmp_path / "w.pt")[:2] == [
        "taken from 'state_dict' in it",
        "the prefix 'module.' taken off its names",
    ]
    torch.save(drawn(), tmp_path / "w.pt")
    assert said(tmp_path / "w.pt") == [
        "the head '3' is kept by its shape: what its outputs stand for is not known"
    ]


def test_an_encoder_gets_a_new_head(tmp_path: Path) -> None:
    body = {name: leaf for name, leaf in drawn().items() if name.startswith("1.")}
    torch.save(behind("encoder.", body), tmp_path / "w.pt")
    got, network = weights(tmp_path / "w.pt"), Network(module)
    assert equal(got, body | {name: network.initial(0)[name] for name in ("3.weight", "3.bias")})
    assert said(tmp_path / "w.pt")[0] == "the prefix 'encoder.' taken off its names"


def test_a_prefix_may_be_put_before(tmp_path: Path) -> None:
    shapes: dict[str, tuple[int, ...]] = {"1.weight": (6, 64), "1.bias": (6,)}
    torch.save(drawn(shapes), tmp_path / "w.pt")
    got = weights(tmp_path / "w.pt", Backboned)
    assert torch.equal(got["backbone.1.weight"], drawn(shapes)["1.weight"])
    assert said(tmp_path / "w.pt", Backboned)[0] == "the prefix 'backbone.' put before its names"


def test_two_tensors_for_one_name_of_the_model_are_refused(tmp_path: Path) -> None:
    """Names with and without what wraps the model, in either order: neither may win in silence."""
    path = tmp_path / "w.pt"

    def wrapped() -> nn.Module:
        return nn.Sequential(OrderedDict(net=module()))

    for parts in (
        (behind("net.", drawn()), drawn(seed=1)),
        (drawn(seed=1), behind("net.", drawn())),
    ):
        torch.save({**parts[0], **parts[1]}, path)
        assert "does not fit the model" in refusal(path, wrapped)


def test_one_of_several_is_named(tmp_path: Path) -> None:
    torch.save(
        {"student": drawn(), "teacher": drawn(seed=1), "queue": torch.ones(3)}, tmp_path / "w.pt"
    )
    assert refusal(tmp_path / "w.pt").endswith(
        "several that fit the model: 'student', 'teacher'; say which (inside='...')"
    )
    assert equal(weights(tmp_path / "w.pt", inside="teacher"), drawn(seed=1))
    assert "under 'ema', got tensors under 'student' and 'teacher'" in refusal(
        tmp_path / "w.pt", inside="ema"
    )


def test_a_prefix_that_was_taken_off_is_not_advised(tmp_path: Path) -> None:
    lacking = dict(list(drawn().items())[1:])
    torch.save(behind("module.", {**lacking, "other": torch.ones(3)}), tmp_path / "w.pt")
    line = refusal(tmp_path / "w.pt")
    assert "the prefix 'module.' taken off its names" in line
    assert "prefix='...'" not in line


def test_a_named_prefix_leaves_the_rest_out(tmp_path: Path) -> None:
    found = behind("module.encoder_q.", drawn()) | behind("module.encoder_k.", drawn(seed=1))
    torch.save({"state_dict": found | {"module.queue": torch.ones(3)}}, tmp_path / "w.pt")
    line = refusal(tmp_path / "w.pt")
    assert (
        "names of the model are there behind 'module.encoder_q.' and 'module.encoder_k.', which "
        "prefix='...'" in line
    )
    assert equal(weights(tmp_path / "w.pt", prefix="module.encoder_k."), drawn(seed=1))
    assert said(tmp_path / "w.pt", prefix="module.encoder_k.")[2].startswith(
        "left out of it: module.encoder_q.1.weight"
    )


def test_arrays_of_numpy_are_read_by_name_and_flowers_in_the_order_of_the_module(
    tmp_path: Path,
) -> None:
    np.savez(tmp_path / "named.npz", **{name: leaf.numpy() for name, leaf in drawn().items()})  # type: ignore[arg-type]
    assert equal(weights(tmp_path / "named.npz"), drawn())
    np.savez_compressed(tmp_path / "flower.npz", *[leaf.numpy() for leaf in drawn().values()])
    assert equal(weights(tmp_path / "flower.npz"), drawn())
    np.savez(tmp_path / "few.npz", *[leaf.numpy() for leaf in drawn().values()][:3])
    assert (
        "expected 4 arrays in the order of the module's state_dict, as they have no names, got 3"
        in refusal(tmp_path / "few.npz")
    )
    swapped = [drawn()[name].numpy() for name in ("1.bias", "1.weight", "3.weight", "3.bias")]
    np.savez(tmp_path / "swapped.npz", *swapped)
    assert "shapes differ: '1.weight' [6] for [6, 64]" in refusal(tmp_path / "swapped.npz")
    np.savez(tmp_path / "object.npz", w=np.array([{}], dtype=object))
    assert "cannot be read as arrays of NumPy" in refusal(tmp_path / "object.npz")
    np.save(tmp_path / "one.npy", np.ones(3))
    assert "(one array without a name)" in refusal(tmp_path / "one.npy")


def test_ten_arrays_and_more_stay_in_order(tmp_path: Path) -> None:
    def deep() -> nn.Module:
        return nn.Sequential(
            nn.Flatten(), nn.Linear(64, 4), *[nn.Linear(4, 4) for _ in range(5)], nn.Linear(4, 10)
        )

    expected = Network(deep).initial(3)
    np.savez(tmp_path / "flower.npz", *[leaf.numpy() for leaf in expected.values()])
    assert equal(weights(tmp_path / "flower.npz", deep), expected)


def test_folders_of_shards_are_read_together(tmp_path: Path) -> None:
    tensors = drawn()
    names = dict.fromkeys(tensors, "model-00001-of-00002.safetensors") | {
        "3.bias": "model-00002-of-00002.safetensors"
    }
    for shard in set(names.values()):
        save_file(
            {name: leaf for name, leaf in tensors.items() if names[name] == shard}, tmp_path / shard
        )
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": names}))
    assert equal(weights(tmp_path), tensors)
    assert equal(weights(index), tensors)
    assert start(tmp_path).content == start(index).content
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    assert "cannot read" in refusal(index)
    for broken in (
        '{"weight_map": {"a": "../x.safetensors"}}',
        "[]",
        '{"weight_map": {}}',
        '{"weight_map": {"a": ""}}',
        '{"weight_map": {"a": 3}}',
    ):
        index.write_text(broken)
        assert "cannot be read as an index of shards" in refusal(index)
