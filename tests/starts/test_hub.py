"""Weights from the hub's cache, laid out as huggingface_hub lays it out;
what cannot be had gets one line.
"""

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import NOTHING
from headstart.tasks.digits import digits
from headstart.trees import Tree

constants = pytest.importorskip(
    "huggingface_hub.constants", reason="needs huggingface_hub (the extra hub)"
)

OLD, NEW = "a" * 40, "b" * 40


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """owner/model with two commits, of which main is the second; and no network."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    repo = tmp_path / "models--owner--model"
    for commit, seed in ((OLD, 1), (NEW, 2)):
        folder, content = repo / "snapshots" / commit / "weights", repo / "blobs" / str(seed)
        folder.mkdir(parents=True)
        content.parent.mkdir(exist_ok=True)
        save_file(network().initial(seed), content)
        (folder.parent / "model.safetensors").symlink_to(content)
        torch.save(network().initial(seed), folder / "model.bin")
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(NEW)
    return repo


def network(outputs: int = 10) -> Network:
    return Network(lambda: MODELS.build(MODELS.component("mlp(hidden=[6])"), (1, 8, 8), outputs))


def start(**parameters: Any) -> Start:
    return STARTS.build(STARTS.component({"hub": {"repo": "owner/model", **parameters}}))


def weights(net: Network | None = None, seed: int = 0, **parameters: Any) -> Tree:
    return start(**parameters).weights(NOTHING, net or network(), digits(), seed)


def equal(a: Tree, b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def refusal(**parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        weights(**parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(("revision", "seed"), [("main", 2), (NEW, 2), (OLD, 1)])
@pytest.mark.parametrize("file", ["model.safetensors", "weights/model.bin"])
def test_a_file_in_the_cache_is_read_without_a_network(
    cache: Path, revision: str, seed: int, file: str
) -> None:
    assert equal(weights(revision=revision, file=file), network().initial(seed))


def test_it_knows_what_it_read_and_draws_a_head_as_checkpoint_does(cache: Path) -> None:
    content = hashlib.sha256((cache / "blobs" / "2").read_bytes()).hexdigest()
    assert start().content == content
    assert start(sha256=content).content == content
    assert "expected sha256 000000000" in refusal(sha256="0" * 64)
    drawn = network(26).initial(7)
    body = {name: leaf for name, leaf in network().initial(2).items() if name.startswith("1.")}
    assert equal(weights(network(26), 7), drawn | body)


@pytest.mark.parametrize(
    "parameters",
    [
        {"repo": "owner/other"},
        {"file": "other.safetensors"},
        {"revision": "c" * 40},
        {"revision": "v2"},
    ],
)
def test_what_is_not_in_the_cache_gets_one_line_without_a_network(
    cache: Path, parameters: dict[str, str]
) -> None:
    named = {"repo": "owner/model", "file": "model.safetensors", "revision": "main", **parameters}
    assert refusal(**parameters).startswith(
        f"start hub: {named['file']} of {named['repo']} at {named['revision']} is not in the cache "
        "and cannot be had"
    )


def test_without_a_network_the_hub_is_asked_for_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*arguments: object, **keys: Any) -> None:
        raise OSError(-2, "Name or service not known")

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr("headstart.starts.hub.getproxies", dict)
    monkeypatch.setattr("socket.create_connection", unreachable)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", lambda *a, **k: pytest.fail("it tried"))
    assert (
        "(OSError: huggingface.co cannot be reached: Name or service not known); check"
        in refusal(repo="owner/other")
    )


def test_a_refusal_of_the_hub_gets_one_line(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object, **keys: Any) -> str:
        raise PermissionError(
            "Access to model owner/other is restricted.\nYou must be authenticated."
        )

    monkeypatch.setattr("huggingface_hub.hf_hub_download", refused)
    assert "(PermissionError: Access to model owner/other is restricted); check" in refusal(
        repo="owner/other"
    )


def test_names_that_cannot_be_get_one_line(cache: Path) -> None:
    assert "HFValidationError" in refusal(repo="a/b/c")
    with pytest.raises(
        HeadstartError,
        match=r"hub\.file: expected a file that ends in \.safetensors, .*'model\.h5'",
    ):
        start(file="model.h5")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert refusal() == "the start hub needs huggingface_hub: pip install 'headstart[hub]'"
