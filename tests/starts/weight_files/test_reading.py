"""Files of weights as others pack them: what is read is what was saved,
or one line says why not.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from headstart.errors import HeadstartError
from headstart.starts.weight_files.reading import files_of, read

SAVED = {"weight": torch.arange(4.0).reshape(2, 2), "bias": torch.tensor([0.5, -0.5])}


def packed_anew(file: Path) -> Path:
    """The same torch file, its entries compressed, as some programs leave it."""
    small = file.with_name("small.pt")
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(small, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, old.read(entry))
    return small


def content(file: Path) -> Any:
    return read(files_of(file), 24).found


def test_a_torch_file_that_was_compressed_holds_the_same_numbers(tmp_path: Path) -> None:
    torch.save(SAVED, tmp_path / "plain.pt")
    for file in (tmp_path / "plain.pt", packed_anew(tmp_path / "plain.pt")):
        found = content(file)
        assert found.keys() == SAVED.keys()
        assert all(torch.equal(found[name], SAVED[name]) for name in SAVED)


def test_a_torch_file_that_unpacks_to_far_more_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(80 * 2**20)}, tmp_path / "plain.pt")
    with pytest.raises(
        HeadstartError, match=r"expected the arrays of a model of 24 bytes, got some of 335,"
    ):
        content(packed_anew(tmp_path / "plain.pt"))


def test_a_name_in_two_shards_is_refused(tmp_path: Path) -> None:
    safetensors.torch.save_file(SAVED, tmp_path / "a.safetensors")
    safetensors.torch.save_file({"bias": torch.ones(2)}, tmp_path / "b.safetensors")
    index = {"weight_map": {"weight": "a.safetensors", "bias": "b.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(
        HeadstartError,
        match=r"b.safetensors: expected a tensor in one shard, got 'bias' in a.safet",
    ):
        content(tmp_path / "model.safetensors.index.json")
