"""Weights come packed in many ways: what fits is found, a shared prefix is taken off, and each is said or refused."""

import json
import re
import zipfile
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
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import NOTHING, Meaning, Weights, content, load
from headstart.tasks.base import Task
from headstart.tasks.digits import digits
from headstart.trees import Tree

SHAPES = {"1.weight": (6, 64), "1.bias": (6,), "3.weight": (10, 6), "3.bias": (10,)}


def module() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.ReLU(), nn.Linear(6, 10))


class Backboned(nn.Module):
    """A backbone with a head beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(64, 6), nn.ReLU())
        self.fc = nn.Linear(6, 10)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.fc(self.backbone(inputs))


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


def drawn(shapes: dict[str, tuple[int, ...]] = SHAPES, seed: int = 0) -> Tree:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def behind(prefix: str, tensors: Tree) -> Tree:
    return {prefix + name: leaf for name, leaf in tensors.items()}


def start(path: Path, **parameters: Any) -> Start:
    return STARTS.build(STARTS.component({"checkpoint": {"path": str(path), **parameters}}))


def weights(path: Path, build: Callable[[], nn.Module] = module, task: Task | None = None, **parameters: Any) -> Tree:
    return start(path, **parameters).weights(NOTHING, Network(build), task or digits(), 0)


def said(path: Path, build: Callable[[], nn.Module] = module, task: Task | None = None, **parameters: Any) -> list[str]:
    network = Network(build)
    return list(start(path, **parameters).check(network, task or digits(), lambda task: network))


def refusal(path: Path, build: Callable[[], nn.Module] = module, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        weights(path, build, **parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def equal(a: Tree, b: Tree) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


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
        "epoch": 1, "pytorch-lightning_version": "2.5", "state_dict": behind("model.", sd), "hparams_name": "kwargs",
        "hyper_parameters": {"lr": 0.1}, "optimizer_states": [optimizer_state()], "loops": {"fit_loop": {"done": 1}},
    },
    "DataParallel": lambda sd: behind("module.", sd),
    "torch.compile": lambda sd: behind("_orig_mod.", sd),
    "compiled and parallel": lambda sd: behind("_orig_mod.module.", sd),
    "arguments of a script": lambda sd: {"model": sd, "args": Namespace(lr=0.1, out=Path("/tmp"))},
    "an average beside it": lambda sd: {"model": sd, "model_ema": drawn(seed=5)},
    "arrays of NumPy": lambda sd: {"model": {name: leaf.numpy() for name, leaf in sd.items()}, "acc": np.float64(1)},
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
    assert said(tmp_path / "w.pt")[:2] == ["taken from 'state_dict' in it", "the prefix 'module.' taken off its names"]
    torch.save(drawn(), tmp_path / "w.pt")
    assert said(tmp_path / "w.pt") == ["the head '3' is kept by its shape: what its outputs stand for is not known"]


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

    for parts in ((behind("net.", drawn()), drawn(seed=1)), (drawn(seed=1), behind("net.", drawn()))):
        torch.save({**parts[0], **parts[1]}, path)
        assert "does not fit the model" in refusal(path, wrapped)


def test_one_of_several_is_named(tmp_path: Path) -> None:
    torch.save({"student": drawn(), "teacher": drawn(seed=1), "queue": torch.ones(3)}, tmp_path / "w.pt")
    assert refusal(tmp_path / "w.pt").endswith(
        "several that fit the model: 'student', 'teacher'; say which (inside='...')"
    )
    assert equal(weights(tmp_path / "w.pt", inside="teacher"), drawn(seed=1))
    assert "under 'ema', got tensors under 'student' and 'teacher'" in refusal(tmp_path / "w.pt", inside="ema")


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
    assert "names of the model are there behind 'module.encoder_q.' and 'module.encoder_k.', which prefix='...'" in line
    assert equal(weights(tmp_path / "w.pt", prefix="module.encoder_k."), drawn(seed=1))
    assert said(tmp_path / "w.pt", prefix="module.encoder_k.")[2].startswith(
        "left out of it: module.encoder_q.1.weight"
    )


def test_arrays_of_numpy_are_read_by_name_and_flowers_in_the_order_of_the_module(tmp_path: Path) -> None:
    np.savez(tmp_path / "named.npz", **{name: leaf.numpy() for name, leaf in drawn().items()})  # type: ignore[arg-type]
    assert equal(weights(tmp_path / "named.npz"), drawn())
    np.savez_compressed(tmp_path / "flower.npz", *[leaf.numpy() for leaf in drawn().values()])
    assert equal(weights(tmp_path / "flower.npz"), drawn())
    np.savez(tmp_path / "few.npz", *[leaf.numpy() for leaf in drawn().values()][:3])
    assert "expected 4 arrays in the order of the module's state_dict, as they have no names, got 3" in refusal(
        tmp_path / "few.npz"
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
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 4), *[nn.Linear(4, 4) for _ in range(5)], nn.Linear(4, 10))

    expected = Network(deep).initial(3)
    np.savez(tmp_path / "flower.npz", *[leaf.numpy() for leaf in expected.values()])
    assert equal(weights(tmp_path / "flower.npz", deep), expected)


def test_folders_of_shards_are_read_together(tmp_path: Path) -> None:
    tensors = drawn()
    names = dict.fromkeys(tensors, "model-00001-of-00002.safetensors") | {"3.bias": "model-00002-of-00002.safetensors"}
    for shard in set(names.values()):
        save_file({name: leaf for name, leaf in tensors.items() if names[name] == shard}, tmp_path / shard)
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


@pytest.mark.parametrize("kind", ["pt", "safetensors", "npz"])
def test_what_a_file_is_says_its_content(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "weights"
    if kind == "pt":
        torch.save(drawn(), path)
    elif kind == "npz":
        np.savez(tmp_path / "w.npz", **{name: leaf.numpy() for name, leaf in drawn().items()})  # type: ignore[arg-type]
        (tmp_path / "w.npz").rename(path)
    else:
        save_file(drawn(), path)
    assert equal(weights(path), drawn())


def test_what_would_not_end_ends_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "w.pt"
    itself: dict[str, Any] = {"1.weight": torch.ones(6, 64)}
    itself["state_dict"] = itself
    torch.save(itself, path)
    assert "does not fit the model: it lacks '1.bias' [6]" in refusal(path)
    nested: Any = drawn()
    for _ in range(400):
        nested = {"state_dict": nested}
    torch.save(nested, path)
    assert "expected tensors by the names of parameters" in refusal(path)
    torch.save({str(i): {"a": {}} for i in range(20_000)}, path)
    assert "expected tensors by the names of parameters, got '0' (dict), '1' (dict), '2' (dict) and" in refusal(path)
    torch.save({"x" * 17 * 2**20: 3}, path)
    assert "(more than 16 MB beside its tensors)" in refusal(path)


@pytest.mark.parametrize(
    ("leaf", "line"),
    [
        (torch.full((6, 64), torch.nan), "'1.weight' holds numbers that are not finite"),
        (torch.ones(6, 64, dtype=torch.int32), "expected floating-point numbers in '1.weight', got torch.int32"),
        (
            torch.ones(6, 64, dtype=torch.complex64),
            "expected floating-point numbers in '1.weight', got torch.complex64",
        ),
        (torch.ones(6, 64, device="meta"), "'1.weight' has a shape and no numbers (it is on the device 'meta')"),
        (torch.ones(6, 64).to_sparse(), "expected a dense tensor under '1.weight', got one that is torch.sparse_coo"),
    ],
)
def test_tensors_that_are_no_weights_get_one_line(leaf: Tensor, line: str, tmp_path: Path) -> None:
    torch.save({**drawn(), "1.weight": leaf}, tmp_path / "w.pt")
    assert line in refusal(tmp_path / "w.pt")


def test_arrays_that_claim_more_than_a_model_are_refused_before_they_are_unpacked(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.npz"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("1.weight.npy", "w") as entry:
        head = {"descr": "<f4", "fortran_order": False, "shape": (10**10, 6)}
        numpy.lib.format.write_array_header_1_0(entry, head)
    assert refusal(bomb) == (
        f"{bomb}: expected the arrays of a model of 1,840 bytes, got some of 240,000,000,000 bytes; "
        "at most 268,442,816 are unpacked"
    )


def test_an_array_with_a_head_without_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b" " * 10**6)
    assert "(an array whose head takes more than 10,000 bytes)" in refusal(tmp_path / "w.npz")


def test_a_single_array_is_refused_before_its_numbers_are_read(tmp_path: Path) -> None:
    with (tmp_path / "w.npy").open("wb") as file:
        numpy.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (10**13,)})
    assert "(one array without a name)" in refusal(tmp_path / "w.npy")


@pytest.mark.filterwarnings("ignore")  # torch's, of its quantised tensors
def test_a_quantised_tensor_is_called_so(tmp_path: Path) -> None:
    leaf = torch.quantize_per_tensor(torch.ones(6, 64), 0.1, 0, torch.qint8)
    torch.save({**drawn(), "1.weight": leaf}, tmp_path / "w.pt")
    assert "expected a dense tensor under '1.weight', got one that is quantised" in refusal(tmp_path / "w.pt")


@pytest.mark.parametrize("kept", [30, 300, 0.5, 0.9])
@pytest.mark.parametrize("kind", ["pt", "safetensors", "npz"])
def test_cut_files_get_one_line_in_words_of_a_user(kind: str, kept: float, tmp_path: Path) -> None:
    path = tmp_path / f"w.{kind}"
    if kind == "pt":
        torch.save(drawn(), path)
    elif kind == "npz":
        np.savez(path, **{name: leaf.numpy() for name, leaf in drawn().items()})  # type: ignore[arg-type]
    else:
        save_file(drawn(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept if kept > 1 else kept * len(content))])
    line = refusal(path)
    assert "cannot be read as" in line
    assert not re.search(r"enforce fail|\.cc|0x", line)


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


def test_buffers_are_loaded_and_those_that_a_module_makes_anew_are_held_to_it(tmp_path: Path) -> None:
    built, path = Buffered(), tmp_path / "w.pt"
    state = {**built.state_dict(), "mean": torch.arange(64.0)}
    torch.save(state, path)
    assert equal(weights(path, Buffered), {**state, **{name: state[name] for name in ("mean", "mask")}})
    torch.save({**state, "place": torch.arange(4)}, path)
    assert equal(weights(path, Buffered), state)
    torch.save({**state, "place": torch.zeros(4)}, path)
    assert "the model makes 'place' anew (persistent=False), with other numbers" in refusal(path, Buffered)
    torch.save({name: leaf for name, leaf in state.items() if name != "mean"}, path)
    assert "it lacks 'mean' [64]" in refusal(path, Buffered)
    torch.save({**state, "mean": torch.arange(64)}, path)
    assert "expected torch.float32 in 'mean', got torch.int64" in refusal(path, Buffered)
    torch.save({**state, "mean": torch.full((64,), torch.nan)}, path)
    assert "'mean' holds numbers that are not numbers (NaN)" in refusal(path, Buffered)


def of_classes(*names: str) -> Task:
    part = digits().test
    return Task("animals", part, part, part, outputs=len(names), classes=names)


def kept(path: Path, *names: str) -> Path:
    network = Network(lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, len(names))))
    path.write_bytes(content(Weights.of(network.state(1), network, of_classes(*names)), {}))
    return path


def headed(outputs: int) -> Callable[[], nn.Module]:
    return lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))


def test_a_head_is_kept_by_the_names_of_its_classes(tmp_path: Path) -> None:
    path, task = kept(tmp_path / "w.safetensors", "cat", "dog", "fox"), of_classes("dog", "fox", "hen")
    before, got = load(path).state, weights(path, headed(3), task)
    fresh = Network(headed(3)).state(0)
    for name in ("1.weight", "1.bias"):
        assert torch.equal(got[name][:2], before[name][1:])
        assert torch.equal(got[name][2], fresh[name][2])
    assert said(path, headed(3), task) == ["the head '1' is kept by the names of 2 classes, new for 'hen'"]
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
    assert said(path, headed(3), other) == ["the head '1' is new: it was learnt for none of the classes"]
    save_file(load(path).state, tmp_path / "plain.safetensors")
    assert equal(weights(tmp_path / "plain.safetensors", headed(3), other), load(path).state)
    assert said(tmp_path / "plain.safetensors", headed(3), other) == [
        "the head '1' is kept by its shape: what its outputs stand for is not known"
    ]


def test_weights_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    network = Network(headed(3))
    (tmp_path / "w.safetensors").write_bytes(content(Weights(network.state(0), Meaning(tokens="a" * 64)), {}))
    from headstart.tasks.tokens.base import TOKENS

    tokens = TOKENS.build(TOKENS.component("characters"), [])
    part = digits().test
    task = Task("posts", part, part, part, outputs=3, tokens=tokens)
    with pytest.raises(HeadstartError, match="learnt on another vocabulary than that of task 'posts'"):
        weights(tmp_path / "w.safetensors", headed(3), task)


def test_a_file_of_ours_with_changed_numbers_is_refused(tmp_path: Path) -> None:
    path = kept(tmp_path / "w.safetensors", "cat", "dog", "fox")
    content = bytearray(path.read_bytes())
    content[-64:] = bytes(64)
    path.write_bytes(bytes(content))
    assert "is damaged (its sha256 is another than it says)" in refusal(path, headed(3))


def test_features_in_another_order_are_refused_and_other_names_said(tmp_path: Path) -> None:
    part = digits().test
    network, task = Network(headed(3)), Task("first", part, part, part, outputs=3, features=("x1", "x2"))
    path = tmp_path / "w.safetensors"
    path.write_bytes(content(Weights.of(network.state(0), network, task), {}))
    assert said(path, headed(3), task) == []
    turned = Task("second", part, part, part, outputs=3, features=("x2", "x1"))
    with pytest.raises(HeadstartError, match="in another order: 'x1' where task 'second' has 'x2'; name the features"):
        weights(path, headed(3), turned)
    other = Task("third", part, part, part, outputs=3, features=("x1", "age"))
    assert said(path, headed(3), other) == ["its inputs were called otherwise: 'x2' where the task has 'age'"]


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_names_of_any_length_and_kind_are_cut_and_paths_that_never_end_refused(tmp_path: Path) -> None:
    torch.save({"a" * 100_000: torch.ones(2), "b\n\x1b[31m": torch.ones(2)}, tmp_path / "w.pt")
    line = refusal(tmp_path / "w.pt")
    assert len(line) < 600
    assert line.isprintable()
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    torch.save({**drawn(), "1.bias": nested}, tmp_path / "w.pt")
    assert "it lacks '1.bias' [6]" in refusal(tmp_path / "w.pt")
    assert "got a pipe, a socket or a device" in refusal(Path("/dev/zero"))
