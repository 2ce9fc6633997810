"""A checkpoint's weights arrive unchanged under their names; a head that does not fit is new;
bad files: one line.
"""

import hashlib
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import NOTHING
from headstart.tasks.digits import digits
from headstart.trees import Tree

WEIGHTS = (
    Path(os.environ.get("HEADSTART_DATA", ""))
    / "squeezenet1_0"
    / "squeezenet1_0_imagenet.safetensors"
)
needs_weights = pytest.mark.skipif(
    not WEIGHTS.is_file(),
    reason="needs squeezenet1_0/squeezenet1_0_imagenet.safetensors in $HEADSTART_DATA",
)
SHAPES: dict[str, tuple[int, ...]] = {
    "1.weight": (6, 64),
    "1.bias": (6,),
    "3.weight": (10, 6),
    "3.bias": (10,),
}
HEAD = ["3.weight", "3.bias"]


def network(
    written: str = "mlp(hidden=[6])", outputs: int = 10, dtype: torch.dtype = torch.float32
) -> Network:
    shape = (1, 8, 8) if written.startswith("mlp") else (3, 32, 32)
    return Network(lambda: MODELS.build(MODELS.component(written), shape, outputs), dtype)


def start(path: Path | str, **parameters: Any) -> Start:
    return STARTS.build(STARTS.component({"checkpoint": {"path": str(path), **parameters}}))


def weights(path: Path | str, net: Network, seed: int = 0, **parameters: Any) -> Tree:
    return start(path, **parameters).weights(NOTHING, net, digits(), seed)


def refusal(path: Path | str, net: Network | None = None, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        weights(path, net or network(), **parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def drawn(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> Tree:
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}


def saved(path: Path, tensors: Tree) -> Path:
    save_file(tensors, path)
    return path


def equal(a: Tree, b: Tree) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return saved(tmp_path / "w.safetensors", drawn(SHAPES))


def test_weights_are_those_of_the_file_in_the_order_and_type_of_the_network(file: Path) -> None:
    net = network(dtype=torch.float64)
    got = weights(file, net)
    assert list(got) == list(net.initial(0))
    assert equal(got, {name: leaf.double() for name, leaf in drawn(SHAPES).items()})


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("inside", [None, "state_dict", "model"])
def test_torch_files_are_read_as_torchvision_and_training_scripts_write_them(
    tmp_path: Path, legacy: bool, inside: str | None
) -> None:
    tensors = {name: nn.Parameter(leaf) for name, leaf in drawn(SHAPES).items()}
    content = {inside: tensors, "epoch": 3} if inside else tensors
    torch.save(content, tmp_path / "w.pth", _use_new_zipfile_serialization=not legacy)
    got = weights(tmp_path / "w.pth", network())
    assert equal(got, drawn(SHAPES))
    assert not any(leaf.requires_grad for leaf in got.values())


def test_what_a_run_has_read_does_not_change_with_the_file(tmp_path: Path) -> None:
    torch.save(drawn(SHAPES), tmp_path / "w.pth")
    got = weights(tmp_path / "w.pth", network())
    # Over the mapped pages, in place.
    (tmp_path / "w.pth").write_bytes(bytes((tmp_path / "w.pth").stat().st_size))
    assert equal(got, drawn(SHAPES))


def test_half_precision_is_widened_exactly(tmp_path: Path) -> None:
    halves = {name: leaf.bfloat16() for name, leaf in drawn(SHAPES).items()}
    got = weights(saved(tmp_path / "w.safetensors", halves), network())
    assert equal(got, {name: leaf.float() for name, leaf in halves.items()})


@pytest.mark.parametrize("head", ["auto", "new"])
@pytest.mark.parametrize("outputs", [26, 10, None])
def test_a_new_head_is_that_of_random_weights_with_the_same_seed(
    tmp_path: Path, head: str, outputs: int | None
) -> None:
    """With 26 outputs in the file, or none, the head cannot be kept; with 10, as in the model,
    `auto` keeps it.
    """
    shapes = {name: shape for name, shape in SHAPES.items() if name not in HEAD}
    if outputs:
        shapes |= {"3.weight": (outputs, 6), "3.bias": (outputs,)}
    path, net = saved(tmp_path / "w.safetensors", drawn(shapes)), network()
    got = {seed: weights(path, net, seed, head=head) for seed in (1, 2)}
    kept = head == "auto" and outputs == 10
    for seed, params in got.items():
        expected = (
            drawn(shapes)
            if kept
            else drawn(shapes) | {name: net.initial(seed)[name] for name in HEAD}
        )
        assert equal(params, expected)
    assert equal(got[1], got[2]) == kept


def test_a_head_whose_bias_alone_differs_is_new_as_a_whole(tmp_path: Path) -> None:
    path, net = saved(tmp_path / "w.safetensors", drawn({**SHAPES, "3.bias": (26,)})), network()
    got = weights(path, net, 4)
    assert all(torch.equal(got[name], net.initial(4)[name]) for name in HEAD)
    assert torch.equal(got["1.weight"], drawn(SHAPES)["1.weight"])


def test_a_head_elsewhere_can_be_named(file: Path) -> None:
    net = network()
    got = weights(file, net, 3, head="new", head_layer="1")
    assert torch.equal(got["1.weight"], net.initial(3)["1.weight"])
    assert torch.equal(got["3.weight"], drawn(SHAPES)["3.weight"])
    assert (
        "no layer '2' with parameters; its parameters are 1.weight, 1.bias, 3.weight and 1 more"
        in refusal(file, head_layer="2")
    )


def test_a_network_of_one_bare_layer_has_no_head_to_draw(tmp_path: Path) -> None:
    tensors = drawn({"weight": (10, 64), "bias": (10,)})
    path, net = saved(tmp_path / "w.safetensors", tensors), Network(lambda: nn.Linear(64, 10))
    assert equal(weights(path, net), tensors)
    assert "no layer ''" in refusal(path, net, head="new")


def test_statistics_of_batch_norm_are_left_out_and_its_affine_weights_taken(tmp_path: Path) -> None:
    """A file as torchvision saves ResNet-18: 62 parameters,
    and three buffers for each of 20 norms.
    """
    net = network("resnet18", outputs=1000)
    shapes = {name: tuple(leaf.shape) for name, leaf in net.initial(0).items()}
    norms = [
        name.removesuffix(".weight")
        for name in shapes
        if ".bn" in name or "downsample.1.weight" in name
    ]
    norms = [name for name in ["bn1", *norms] if not name.endswith("bias")]
    statistics: dict[str, Tensor] = {}
    for norm in norms:
        width = shapes[f"{norm}.weight"]
        statistics |= {
            f"{norm}.running_mean": torch.ones(width),
            f"{norm}.running_var": torch.full(width, 2.0),
        }
        statistics[f"{norm}.num_batches_tracked"] = torch.tensor(7)
    assert (len(shapes), len(statistics)) == (62, 60)
    torch.save(drawn(shapes) | statistics, tmp_path / "resnet18.pth")
    assert equal(weights(tmp_path / "resnet18.pth", net), drawn(shapes))


def test_it_knows_what_it_read(file: Path) -> None:
    content = hashlib.sha256(file.read_bytes()).hexdigest()
    assert start(file).artefact is None
    assert start(file).content == content
    assert start(file, sha256=content.upper()).content == content
    saved(file, drawn(SHAPES, seed=1))
    assert start(file).content != content
    with pytest.raises(
        HeadstartError, match=f"expected sha256 {content}, got [0-9a-f]{{64}}; it is damaged"
    ):
        start(file, sha256=content)


def test_a_sha256_that_is_none_is_refused_when_the_start_is_read(file: Path) -> None:
    with pytest.raises(
        HeadstartError, match=r"checkpoint\.sha256: expected a sha256 of 64 hex digits, got 'abc'"
    ):
        STARTS.component({"checkpoint": {"path": str(file), "sha256": "abc"}})


def test_what_does_not_fit_is_listed_by_name_and_shape_in_one_line(tmp_path: Path) -> None:
    shapes = {"1.weight": (6, 49), "1.bias": (6,), "3.weight": (26, 6), "3.bias": (26,)}
    assert refusal(saved(tmp_path / "a.safetensors", drawn(shapes))).endswith(
        "a.safetensors does not fit the model: shapes differ: '1.weight' [6, 49] for [6, 64]"
    )
    assert refusal(saved(tmp_path / "a.safetensors", drawn(shapes)), head="keep").endswith(
        "shapes differ: '1.weight' [6, 49] for [6, 64], '3.weight' [26, 6] for [10, 6] and "
        "'3.bias' [26] for [10]"
    )
    others: dict[str, tuple[int, ...]] = {**{f"blocks.{i}": (1,) for i in range(5)}, "1.bias": (6,)}
    assert refusal(saved(tmp_path / "b.safetensors", drawn(others))).endswith(
        "b.safetensors does not fit the model: it lacks '1.weight' [6, 64]; the model has no "
        "'blocks.0' [1], 'blocks.1' [1], 'blocks.2' [1], 'blocks.3' [1] and 'blocks.4' [1]"
    )
    others = {f"blocks.{i}": (1,) for i in range(29)} | {"1.bias": (6,)}  # type: ignore[assignment]
    assert refusal(saved(tmp_path / "c.safetensors", drawn(others))).endswith("[1] and 9 more")


def test_numbers_that_cannot_be_weights_are_refused(tmp_path: Path) -> None:
    tensors = drawn(SHAPES)
    tensors["1.bias"][2] = torch.nan
    assert "'1.bias' holds numbers that are not finite" in refusal(
        saved(tmp_path / "a.safetensors", tensors)
    )
    tensors["1.bias"] = torch.ones(6, dtype=torch.int8)
    assert "expected floating-point numbers in '1.bias', got torch.int8" in refusal(
        saved(tmp_path / "b.safetensors", tensors)
    )
    tensors["1.bias"] = torch.full((6,), 1e300, dtype=torch.float64)
    assert "'1.bias' holds numbers that are not finite as torch.float32" in refusal(
        saved(tmp_path / "c.safetensors", tensors)
    )


class Unwanted:
    """What a file must not be able to make."""


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth", "old.pth"])
@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.99])
def test_damaged_files_get_one_line(tmp_path: Path, name: str, keep: float) -> None:
    path = tmp_path / name
    if name == "w.safetensors":
        saved(path, drawn(SHAPES))
    else:
        torch.save(drawn(SHAPES), path, _use_new_zipfile_serialization=name == "w.pth")
    content = path.read_bytes()
    path.write_bytes(content[: int(keep if keep > 1 else keep * len(content))])
    assert f"{path} cannot be read as" in refusal(path)


def test_files_that_hold_no_tensors_get_one_line(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"1.weight": torch.ones(6, 64), "epoch": 3}, path)
    assert refusal(path) == f"{path} does not fit the model: it lacks '1.bias' [6]"
    torch.save({1: torch.ones(6, 64)}, path)
    assert refusal(path) == f"{path}: expected tensors by the names of parameters, got 1 (Tensor)"
    torch.save({**drawn(SHAPES), "1.weight": torch.ones(6, 64).to_sparse()}, path)
    assert (
        refusal(path)
        == f"{path}: expected a dense tensor under '1.weight', got one that is torch.sparse_coo"
    )
    torch.save([torch.ones(3)], path)
    assert refusal(path) == (
        f"{path}: expected 4 arrays in the order of the module's state_dict, as they have no "
        "names, got 1"
    )
    torch.save([torch.ones(3), "epoch"], path)
    assert (
        refusal(path) == f"{path}: expected tensors by the names of parameters, got a list with str"
    )
    torch.save({"1.weight": Unwanted()}, path)
    assert refusal(path).endswith(
        "test_checkpoint.Unwanted, which could execute): it is damaged, of another kind, or holds "
        "more than tensors"
    )


def test_what_torch_has_to_say_of_a_file_is_in_that_line(
    tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "w.pt").write_bytes(pickle.dumps({"1.weight": [1.0]}))
    assert "w.pt cannot be read as a torch file" in refusal(tmp_path / "w.pt")
    assert not recwarn.list


def test_weights_inside_of_what_a_script_saved_are_found(tmp_path: Path) -> None:
    expected = drawn(SHAPES)
    for found in ({"state_dict": expected}, {"model": {"state_dict": expected}, "epoch": 3}):
        torch.save(found, tmp_path / "w.pt")
        assert equal(weights(tmp_path / "w.pt", network()), expected)


def test_what_does_not_fit_is_refused_by_the_check(tmp_path: Path) -> None:
    path = saved(tmp_path / "w.safetensors", drawn({"blocks.0": (1,)}))
    with pytest.raises(HeadstartError, match="does not fit the model"):
        start(path).check(network(), digits(), lambda task: network())


def test_paths_that_lead_nowhere_get_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (
        refusal(tmp_path / "none.pth")
        == f"cannot read {tmp_path / 'none.pth'}: No such file or directory"
    )
    assert refusal(tmp_path) == (
        f"{tmp_path}: expected a file of weights, got a folder without model.safetensors or "
        "pytorch_model.bin in it"
    )
    monkeypatch.delenv("HEADSTART_DATA", raising=False)
    assert "the environment variable HEADSTART_DATA is not set" in refusal("$HEADSTART_DATA/w.pth")


@pytest.mark.parametrize(
    "written", ["$HEADSTART_DATA/w.safetensors", "${HEADSTART_DATA}/w.safetensors"]
)
def test_one_variable_of_the_environment_is_replaced(
    file: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(file.parent))
    monkeypatch.setenv("HOME", str(file.parent))
    assert equal(weights(written, network()), drawn(SHAPES))
    for other in (
        "$HOME/w.safetensors",
        "$HEADSTART_DATA_2/w.safetensors",
        "a/$HEADSTART_DATA/w.safetensors",
    ):
        assert "no such file" in refusal(other)


@needs_weights
def test_real_imagenet_weights_with_the_head_kept_or_new() -> None:
    digest = "c06f5ba1ea777416bcb8685140539db12bc03c5935cd98eed34d8410ee8f7a77"
    written = "$HEADSTART_DATA/squeezenet1_0/squeezenet1_0_imagenet.safetensors"
    expected = load_file(WEIGHTS)
    assert equal(
        weights(written, network("squeezenet1_0", 1000), sha256=digest, head="keep"), expected
    )
    net = network("squeezenet1_0")
    got = weights(written, net, seed=5)
    head = {name: net.initial(5)[name] for name in ("classifier.1.weight", "classifier.1.bias")}
    assert equal(got, expected | head)
    assert "'classifier.1.weight' [1000, 512, 1, 1] for [10, 512, 1, 1]" in refusal(
        written, net, head="keep"
    )


def test_classes_that_the_study_names_find_their_places(file: Path) -> None:
    """A torch file names no classes; one that learned them in another order began worse than a
    guess.
    """
    turned = [str(digit) for digit in reversed(range(10))]
    got, raw = weights(file, network(), classes=turned), drawn(SHAPES)
    assert torch.equal(got["3.weight"], raw["3.weight"].flip(0))
    assert torch.equal(got["3.bias"], raw["3.bias"].flip(0))
    assert torch.equal(got["1.weight"], raw["1.weight"])
    assert refusal(file, classes=["0", "0"]).endswith(
        "classes: expected each class once, got ['0', '0']"
    )
