"""Arithmetic of trees, against what the definitions give by hand."""

import hashlib
import math

import pytest
import safetensors.torch
import torch

from headstart import trees

A = {"w": torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "b": torch.tensor(-1.0)}
B = {"w": torch.tensor([[0.5, 0.0], [-1.0, 2.0]]), "b": torch.tensor(3.0)}


def values(tree: trees.Tree) -> list[float]:
    """All numbers, leaf after leaf."""
    return torch.cat([leaf.flatten() for leaf in tree.values()]).tolist()  # type: ignore[no-any-return]


def test_sums_differences_and_means() -> None:
    assert values(trees.add(A, B, 2.0)) == [2.0, 2.0, 1.0, 8.0, 5.0]
    assert values(trees.subtract(A, B)) == [0.5, 2.0, 4.0, 2.0, -4.0]
    assert values(trees.scale(A, -2.0)) == [-2.0, -4.0, -6.0, -8.0, 2.0]
    assert values(trees.zeros_like(A)) == [0.0] * 5


def test_inner_products_and_norms() -> None:
    assert trees.dot(A, B).item() == 0.5 - 3 + 8 - 3
    assert trees.norm(A).item() == pytest.approx(math.sqrt(1 + 4 + 9 + 16 + 1), rel=1e-6)
    assert trees.dot({}, {}).item() == 0


def test_sizes_and_what_is_finite() -> None:
    assert trees.size_in_bytes({**A, "n": torch.zeros(3, dtype=torch.int64)}) == 5 * 4 + 3 * 8
    assert trees.is_finite(A)
    assert not trees.is_finite({**A, "b": torch.tensor(math.inf)})


def test_a_digest_is_that_of_the_contents() -> None:
    assert trees.digest(A) == trees.digest({name: leaf.clone() for name, leaf in A.items()})
    assert trees.digest({"w": A["w"].T}) == trees.digest({"w": A["w"].T.contiguous()})
    for other in (
        {"v": A["w"]},
        {"w": A["w"].double()},
        {"w": A["w"].flatten()},
        {"w": A["w"] + 1},
    ):
        assert trees.digest(other) != trees.digest({"w": A["w"]})


def test_memory_is_aligned_and_copied_only_where_it_is_not() -> None:
    whole = torch.arange(64.0)
    part = whole[1:]
    assert trees.aligned(whole).data_ptr() == whole.data_ptr()
    assert trees.aligned(part).data_ptr() % 64 == 0
    assert torch.equal(trees.aligned(part), part)


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_changes_the_layout_alone(channels: int) -> None:
    images = torch.arange(2.0 * channels * 20).reshape(2, channels, 4, 5)
    laid = trees.channels_last(images)
    assert torch.equal(laid, images)
    assert laid.stride() == (channels * 20, 1, channels * 5, channels)
    assert trees.channels_last(A["w"]) is A["w"]


def test_what_is_not_dense_is_named() -> None:
    assert trees.undense(torch.ones(2)) == ""
    assert trees.undense(torch.ones(2, device="meta")) == "on meta, without numbers"
    assert trees.undense(torch.ones(2).to_sparse()) == "torch.sparse_coo"


def test_a_file_of_the_same_contents_has_the_same_bytes() -> None:
    first = trees.as_safetensors(A, {"b": "2", "a": "1"})
    second = trees.as_safetensors(A, {"a": "1", "b": "2"})
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()
    read = safetensors.torch.load(first)
    assert trees.digest({name: read[name] for name in A}) == trees.digest(A)
