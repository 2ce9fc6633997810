"""Files of weights that somebody else wrote: read as tensors by name, and nothing that executes.

Read are safetensors files, torch files (with `weights_only`), NumPy's `.npz` (without pickles), and
the indices of shards that the Hugging Face libraries write. What a file is says its content, not
its name.
"""

import argparse
import json
import math
import pathlib
import re
import warnings
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy._core.multiarray as multiarray
import numpy.lib.format as npy
import safetensors
import torch

from headstart import files
from headstart.errors import HeadstartError
from headstart.starts.weights import HEADER, Meaning, meaning_in

INDEX = ".index.json"
IN_A_FOLDER = (
    "model.safetensors",
    f"model.safetensors{INDEX}",
    "pytorch_model.bin",
    f"pytorch_model.bin{INDEX}",
)
"""Where the libraries of Hugging Face leave the weights of a model in its folder."""

LARGEST_PICKLE = 16 * 10**6
"""Bytes that a torch file may take to say what it holds: names and shapes, a hundred bytes a
tensor.
"""

LARGEST_ARRAYS, MARGIN = 4, 256 * 2**20
"""Arrays in a `.npz` may unpack to four times the bytes of the model, as of doubles with an average
beside them, and a margin.
"""

NUMPY, LARGEST_HEAD = b"\x93NUMPY", 10_000
"""How an array of NumPy begins, and the bytes that NumPy itself takes to describe one."""

UNNAMED = re.compile(r"arr_(\d+)")
"""Arrays in a `.npz` that were given no names, such as those of Flower's strategies."""

_ARRAYS: list[Any] = [
    np.ndarray,
    np.dtype,
    *{type(np.dtype(code)) for code in "?bhilqBHILQefd"},
]
for _core in ("core", "_core"):  # as NumPy called it before version 2, and since
    _ARRAYS.append((multiarray._reconstruct, f"numpy.{_core}.multiarray._reconstruct"))
    _ARRAYS.append((multiarray.scalar, f"numpy.{_core}.multiarray.scalar"))
_PLAIN: list[Any] = [
    argparse.Namespace,
    pathlib.PosixPath,
    pathlib.PurePosixPath,
    pathlib.WindowsPath,
]
"""What training scripts save beside weights: arrays, arguments and paths, which hold values and do
nothing.
"""


class Content(NamedTuple):
    """What a file holds: mappings of names to tensors, arrays and others; and what its weights
    mean, if it says so.
    """

    found: object
    meaning: Meaning = Meaning()


def files_of(path: Path) -> list[Path]:
    """The files that weights are read from: a file itself; an index of shards and these; those in a
    model's folder.

    Raises:
        HeadstartError: there are none, or an index that names no files beside it.
    """
    with files.explained(path, "read"):
        is_folder = path.is_dir()
    if is_folder:
        named = [path / name for name in IN_A_FOLDER if (path / name).is_file()]
        if not named:
            raise HeadstartError(
                f"{path}: expected a file of weights, got a folder without "
                f"{' or '.join(IN_A_FOLDER[::2])} in it"
            )
        path = named[0]
    if not path.name.endswith(INDEX):
        return [path]
    try:
        with files.explained(path, "read"):
            shards = sorted(set(json.loads(path.read_bytes())["weight_map"].values()))
        if not shards or any(not shard or Path(shard).name != shard for shard in shards):
            raise ValueError("it names no files beside it")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise HeadstartError(
            f"{path} cannot be read as an index of shards ({error}); expected {{weight_map: "
            "{name: file}}"
        ) from None
    return [path, *(path.with_name(shard) for shard in shards)]


def read(paths: list[Path], model_bytes: int) -> Content:
    """The content of `files_of`: of shards, all that they hold together.

    Raises:
        HeadstartError: a file is damaged, of another kind, or holds what could execute, or packed
            arrays that unpack to far more than a model of so many bytes.
    """
    if len(paths) == 1:
        return _read(paths[0], model_bytes)
    together: dict[str, Any] = {}
    of: dict[str, Path] = {}
    for path in paths[1:]:
        found = _read(path, model_bytes).found
        if not isinstance(found, Mapping):
            raise HeadstartError(
                f"{path}: expected tensors by the names of parameters, got {type(found).__name__}"
            )
        for name in found:
            if (other := of.setdefault(name, path)) != path:
                raise HeadstartError(
                    f"{path}: expected a tensor in one shard, got {name!r} in {other.name}, too"
                )
        together |= found
    return Content(together)


def _read(file: Path, model_bytes: int) -> Content:
    with files.explained(file, "read"), file.open("rb") as opened:
        begins = opened.read(9)
    kind, reader = _reader(file, begins)
    if reader in (_arrays, _torch):
        reader = partial(reader, model_bytes=model_bytes)
    try:
        return reader(file)
    except HeadstartError:
        raise
    except Exception as error:  # whatever a damaged file may raise
        raise HeadstartError(
            f"{file} cannot be read as {kind} ({_reason(error)}): it is damaged, of another "
            "kind, or holds more than tensors"
        ) from error


def _reader(file: Path, begins: bytes) -> tuple[str, Callable[..., Content]]:
    if file.suffix == ".safetensors" or begins[8:] == b"{":
        return "safetensors", _safetensors
    if file.suffix in (".npz", ".npy") or begins[:6] == NUMPY or _holds_arrays(file):
        return "arrays of NumPy", _arrays
    return "a torch file", _torch


def _holds_arrays(file: Path) -> bool:
    try:
        with zipfile.ZipFile(file) as opened:
            names = opened.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return bool(names) and all(name.endswith(".npy") for name in names)


def _safetensors(file: Path) -> Content:
    with safetensors.safe_open(file, framework="pt") as opened:
        metadata = opened.metadata() or {}
        found = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    if HEADER not in metadata:
        return Content(found)
    try:
        files.verify(file)
        return Content(found, meaning_in(json.loads(metadata[HEADER])))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise HeadstartError(
            f"{file} is damaged ({error}); put back the file that was written"
        ) from None


def _arrays(file: Path, model_bytes: int) -> Content:
    if not zipfile.is_zipfile(file):
        with file.open("rb") as alone:
            raise ValueError(
                "one array without a name"
                if alone.read(6) == NUMPY
                else "it is no archive, or cut off"
            )
    _refuse_bomb(file, _unpacked(file), model_bytes)
    with np.load(file, allow_pickle=False) as opened:
        found = dict(opened.items())
    places = [UNNAMED.fullmatch(name) for name in found]
    if not found or not all(places):
        return Content(found)
    return Content(
        [found[name] for name in sorted(found, key=lambda name: int(name.removeprefix("arr_")))]
    )


def _refuse_bomb(file: Path, claimed: int, model_bytes: int) -> None:
    """Refuse arrays that unpack to far more than a model of so many bytes."""
    most = LARGEST_ARRAYS * model_bytes + MARGIN
    if claimed > most:
        raise HeadstartError(
            f"{file}: expected the arrays of a model of {model_bytes:,} bytes, got some of "
            f"{claimed:,} bytes; at most {most:,} are unpacked"
        )


def _unpacked(file: Path) -> int:
    """The bytes that the arrays in a `.npz` have as their heads say, before any is unpacked."""
    total = 0
    with zipfile.ZipFile(file) as archive:
        for entry in archive.infolist():
            with archive.open(entry) as opened:
                begins = opened.read(12)
                if begins[:6] != NUMPY:
                    total += entry.file_size
                    continue
                long = begins[6] > 1
                if int.from_bytes(begins[8 : 12 if long else 10], "little") > LARGEST_HEAD:
                    raise ValueError(f"an array whose head takes more than {LARGEST_HEAD:,} bytes")
                opened.seek(8)
                head = npy.read_array_header_2_0 if long else npy.read_array_header_1_0
                shape, _, dtype = head(opened)
                total += abs(math.prod(shape)) * dtype.itemsize
    return total


def _torch(file: Path, model_bytes: int) -> Content:
    # What torch wrote before 1.6 is no zip archive and cannot be mapped, nor can what was packed:
    # torch would take the packed bytes for numbers.
    mapped = zipfile.is_zipfile(file)
    if mapped:
        with zipfile.ZipFile(file) as opened:
            entries = opened.infolist()
        pickles = [entry.file_size for entry in entries if entry.filename.endswith(".pkl")]
        if sum(pickles) > LARGEST_PICKLE:
            raise ValueError(f"more than {LARGEST_PICKLE // 10**6} MB beside its tensors")
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            mapped = False
            _refuse_bomb(file, sum(entry.file_size for entry in entries), model_bytes)
    known = torch.serialization.safe_globals([*_ARRAYS, *_PLAIN])
    # torch warns of what else a file holds, which is left out or refused.
    with known, warnings.catch_warnings(action="ignore"):
        return Content(torch.load(file, map_location="cpu", weights_only=True, mmap=mapped))


def _reason(error: Exception) -> str:
    """What went wrong, in a few words of the user's; libraries also say where in their own code."""
    said = str(error).strip()
    if unknown := re.search(r"GLOBAL ([\w.]+) was not an allowed", said):
        return f"it holds {unknown[1]}, which could execute"
    said = re.sub(r"\[enforce fail at [^\]]*\]\s*\.?\s*", "", said)
    return (said or type(error).__name__).splitlines()[0].split(". ")[0].strip().rstrip(".,:")
