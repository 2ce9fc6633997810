"""Files that are no weights, or only parts of them, get one line."""

import re
import zipfile
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
    refusal,
    weights,
)
from torch import Tensor


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
    assert (
        "expected tensors by the names of parameters, got '0' (dict), '1' (dict), '2' (dict) and"
        in refusal(path)
    )
    torch.save({"x" * 17 * 2**20: 3}, path)
    assert "(more than 16 MB beside its tensors)" in refusal(path)


@pytest.mark.parametrize(
    ("leaf", "line"),
    [
        (torch.full((6, 64), torch.nan), "'1.weight' holds numbers that are not finite"),
        (
            torch.ones(6, 64, dtype=torch.int32),
            "expected floating-point numbers in '1.weight', got torch.int32",
        ),
        (
            torch.ones(6, 64, dtype=torch.complex64),
            "expected floating-point numbers in '1.weight', got torch.complex64",
        ),
        (
            torch.ones(6, 64, device="meta"),
            "'1.weight' has a shape and no numbers (it is on the device 'meta')",
        ),
        (
            torch.ones(6, 64).to_sparse(),
            "expected a dense tensor under '1.weight', got one that is torch.sparse_coo",
        ),
    ],
)
def test_tensors_that_are_no_weights_get_one_line(leaf: Tensor, line: str, tmp_path: Path) -> None:
    torch.save({**drawn(), "1.weight": leaf}, tmp_path / "w.pt")
    assert line in refusal(tmp_path / "w.pt")


def test_arrays_that_claim_more_than_a_model_are_refused_before_they_are_unpacked(
    tmp_path: Path,
) -> None:
    bomb = tmp_path / "bomb.npz"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("1.weight.npy", "w") as entry,
    ):
        head = {"descr": "<f4", "fortran_order": False, "shape": (10**10, 6)}
        numpy.lib.format.write_array_header_1_0(entry, head)
    assert refusal(bomb) == (
        f"{bomb}: expected the arrays of a model of 1,840 bytes, got some of 240,000,000,000 "
        "bytes; at most 268,442,816 are unpacked"
    )


def test_an_array_with_a_head_without_end_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "w.npy", b"\x93NUMPY\x02\x00" + (2**31).to_bytes(4, "little") + b" " * 10**6
        )
    assert "(an array whose head takes more than 10,000 bytes)" in refusal(tmp_path / "w.npz")


def test_a_single_array_is_refused_before_its_numbers_are_read(tmp_path: Path) -> None:
    with (tmp_path / "w.npy").open("wb") as file:
        numpy.lib.format.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (10**13,)}
        )
    assert "(one array without a name)" in refusal(tmp_path / "w.npy")


@pytest.mark.filterwarnings("ignore")  # torch's, of its quantised tensors
def test_a_quantised_tensor_is_called_so(tmp_path: Path) -> None:
    leaf = torch.quantize_per_tensor(torch.ones(6, 64), 0.1, 0, torch.qint8)
    torch.save({**drawn(), "1.weight": leaf}, tmp_path / "w.pt")
    assert "expected a dense tensor under '1.weight', got one that is quantised" in refusal(
        tmp_path / "w.pt"
    )


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


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_names_of_any_length_and_kind_are_cut_and_paths_that_never_end_refused(
    tmp_path: Path,
) -> None:
    torch.save({"a" * 100_000: torch.ones(2), "b\n\x1b[31m": torch.ones(2)}, tmp_path / "w.pt")
    line = refusal(tmp_path / "w.pt")
    assert len(line) < 600
    assert line.isprintable()
    nested = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    torch.save({**drawn(), "1.bias": nested}, tmp_path / "w.pt")
    assert "it lacks '1.bias' [6]" in refusal(tmp_path / "w.pt")
    assert "got a pipe, a socket or a device" in refusal(Path("/dev/zero"))
