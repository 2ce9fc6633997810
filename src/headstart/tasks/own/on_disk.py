"""Client data larger than memory: a folder of plain arrays that is mapped and not read.

    data.json                            format, outputs, classes; type, shape, sha256 of each split
    train.inputs.bin, train.targets.bin  the rows of client 0, then those of client 1, ...
    train.starts.bin                     int64 [clients + 1]: where each client's rows begin
    validation.*.bin, test.*.bin         held-out rows; validation may be empty

Numbers are little-endian, in the order of rows. Opening costs the index of clients and a pass over
the targets, and a round the rows of its cohort, whatever the number of clients. `pack` writes such
a folder from anything that yields one client after another.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from headstart import files
from headstart.errors import HeadstartError
from headstart.files import located
from headstart.parts.caches import cached
from headstart.parts.validation import shown, validate
from headstart.tasks.base import TASKS, ClientRows, Examples, Pixels, Task

FORMAT = 1
TYPES = {"float32": torch.float32, "int64": torch.int64, "uint8": torch.uint8}
Array = npt.NDArray[Any] | Tensor
Pair = tuple[Array, Array]
Count = Annotated[int, Field(ge=0)]


class PackedNumbers(BaseModel):
    """What data.json says of a file of numbers: their type, the shape of a row, and the sha256 of
    the file.

    Folders that were packed before there was a sha256 have none.
    """

    model_config = ConfigDict(strict=True)

    type: Literal["float32", "int64", "uint8"]
    shape: list[Count]
    sha256: str = ""


class PackedSplit(BaseModel):
    """What it says of a split."""

    model_config = ConfigDict(strict=True)

    rows: Count
    inputs: PackedNumbers
    targets: PackedNumbers


class PackedSplits(BaseModel):
    """What it says of the three."""

    train: PackedSplit
    validation: PackedSplit
    test: PackedSplit


class PackedHeader(BaseModel):
    """What data.json says."""

    model_config = ConfigDict(strict=True)

    format: int
    outputs: Annotated[int, Field(ge=1)]
    classes: list[str]
    parts: PackedSplits


@TASKS.register("on-disk", source="the user's own data, packed by headstart.tasks.own.on_disk.pack")
@cached(maxsize=4)
def on_disk(*, path: Annotated[str, Field(description="a folder that `pack` wrote")]) -> Task:
    """Data larger than memory, in a folder that `pack` wrote; the partition `natural` has its
    clients.

    Raises:
        HeadstartError: the folder is missing, damaged, or was not written to its end.
    """
    folder = located(path, "task.path")
    header = _header(folder)
    parts = header.parts
    named = (("train", parts.train), ("validation", parts.validation), ("test", parts.test))
    train, validation, test = (Examples(*_mapped(folder, name, part)) for name, part in named)
    with files.explained(folder / "train.starts.bin", "read"):
        starts = np.fromfile(folder / "train.starts.bin", dtype="<i8")
    if len(starts) < 2 or starts[0] != 0 or starts[-1] != len(train) or (np.diff(starts) < 1).any():
        raise HeadstartError(
            f"{folder / 'train.starts.bin'} is damaged: it does not cut the training rows; pack "
            "again"
        )
    # The header holds the sha256 of the rows as they were packed: they may be more than one cares
    # to read here.
    return Task(
        "on-disk",
        train,
        validation,
        test,
        header.outputs,
        owners=ClientRows(starts),
        classes=tuple(header.classes),
        mapped=True,
        content=files.digest(folder / "data.json", folder / "train.starts.bin"),
        prepare=Pixels if train.inputs.dtype == torch.uint8 else nn.Identity,
    )


def pack(
    folder: str | Path,
    clients: Iterable[Pair],
    *,
    test: Pair,
    validation: Pair | None = None,
    outputs: int,
    classes: Iterable[str] = (),
) -> Path:
    """Write a folder for the task `on-disk`, holding one client at a time in memory.

    Args:
        folder: a new folder; it appears when all is written.
        clients: inputs [n, ...] and targets [n, ...] of each client, at least one row each.
        test: inputs and targets to test on, of the same shapes.
        validation: and to tune on, if any.
        outputs: width of the model's output.
        classes: names of the labels 0, 1, ...

    Numbers with fractions are stored as float32, others as int64. Bytes of images [n, channels,
    height, width] stay bytes, which a model takes divided by 255; of other shapes they are refused.

    >>> import tempfile
    >>> rows = [(np.ones((n, 2)), np.arange(n) % 2) for n in (3, 1)]
    >>> with tempfile.TemporaryDirectory() as place:
    ...     task = on_disk(path=str(pack(f"{place}/mine", rows, test=rows[0], outputs=2)))
    ...     [owned.tolist() for owned in task.owners]
    [[0, 1, 2], [3]]

    Raises:
        HeadstartError: the folder exists, arrays do not fit those before, a number is not finite,
            or a client has no row.
    """
    folder, classes = Path(folder), list(classes)
    if twice := [name for i, name in enumerate(classes) if name in classes[:i]]:
        raise HeadstartError(f"classes: expected each name once, got {twice[0]!r} twice")
    if folder.exists():
        raise HeadstartError(f"{folder} exists; write to a new folder, or remove it")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}{files.PARTIAL}")
    with files.explained(partial, "write"):
        partial.mkdir(parents=True)
        try:
            header: dict[str, Any] = {
                "format": FORMAT,
                "outputs": outputs,
                "classes": classes,
                "parts": {},
            }
            starts = [0]
            with _Writer(partial, "train") as split:
                for i, pair in enumerate(clients):
                    split.append(pair, f"client {i}")
                    starts.append(split.rows)
                    if starts[-1] == starts[-2]:
                        raise HeadstartError(
                            f"client {i}: expected at least one row, got none; leave it out"
                        )
            if len(starts) == 1:
                raise HeadstartError("expected at least one client, got none")
            header["parts"]["train"] = first = split.described()
            for name, held in (("validation", validation), ("test", test)):
                with _Writer(partial, name, first) as split:
                    if held is not None:
                        split.append(held, name)
                header["parts"][name] = split.described()
            np.array(starts, dtype="<i8").tofile(partial / "train.starts.bin")
            (partial / "data.json").write_text(json.dumps(header, indent=1))
            os.replace(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


class _Writer:
    """Two files that grow by the rows of a client at a time, all of the types and shapes of the
    first.
    """

    def __init__(self, folder: Path, name: str, like: dict[str, Any] | None = None) -> None:
        self.rows = 0
        self._files = [
            (folder / f"{name}.{column}.bin").open("wb") for column in ("inputs", "targets")
        ]
        self._hashes = [hashlib.sha256(), hashlib.sha256()]
        self._kinds = (
            [(column["type"], column["shape"]) for column in (like["inputs"], like["targets"])]
            if like
            else []
        )

    def __enter__(self) -> "_Writer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._files:
            file.close()

    def append(self, pair: Pair, place: str) -> None:
        """Write rows of inputs and targets."""
        inputs, targets = pair
        targets = targets.numpy() if isinstance(targets, Tensor) else np.asarray(targets)
        if targets.dtype == np.uint8:  # labels, where bytes of inputs are pixels
            targets = targets.astype(np.int64)
        columns = [_plain(inputs, f"{place}, inputs"), _plain(targets, f"{place}, targets")]
        if len(columns[0]) != len(columns[1]):
            raise HeadstartError(
                f"{place}: expected as many targets as inputs, got {len(columns[1])} and "
                f"{len(columns[0])}"
            )
        kinds = [(str(column.dtype), list(column.shape[1:])) for column in columns]
        self._kinds = self._kinds or kinds
        for (had, shape), (got, other), name in zip(
            self._kinds, kinds, ("inputs", "targets"), strict=True
        ):
            if (had, shape) != (got, other):
                raise HeadstartError(
                    f"{place}: expected {name} of {had} {shape} a row as before, got {got} {other}"
                )
        for file, sha256, column in zip(self._files, self._hashes, columns, strict=True):
            column.tofile(file)
            sha256.update(column.ravel().data)
        self.rows += len(columns[0])

    def described(self) -> dict[str, Any]:
        """Rows, types, shapes and sha256, for the header."""
        columns = [
            {"type": kind, "shape": shape, "sha256": sha256.hexdigest()}
            for (kind, shape), sha256 in zip(self._kinds, self._hashes, strict=True)
        ]
        return {"rows": self.rows, "inputs": columns[0], "targets": columns[1]}


def _plain(array: Array, place: str) -> npt.NDArray[Any]:
    plain = array.numpy() if isinstance(array, Tensor) else np.asarray(array)
    if plain.dtype == np.uint8 and plain.ndim == 4:
        return np.ascontiguousarray(plain)
    if plain.dtype.kind not in "fiub" or plain.dtype == np.uint8 or not plain.ndim:
        raise HeadstartError(
            f"{place}: expected an array [n, ...] of numbers, got {plain.dtype} of shape "
            f"{list(plain.shape)}"
            + (
                "; bytes are kept of images [n, channels, height, width]"
                if plain.dtype == np.uint8
                else ""
            )
        )
    if plain.dtype.kind != "f":
        return np.ascontiguousarray(plain, dtype="<i8")
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(plain, dtype="<f4")
    if not np.isfinite(numbers).all():
        first = tuple(np.argwhere(~np.isfinite(numbers))[0])
        raise HeadstartError(
            f"{place}: row {first[0]} has {plain[first]}, expected numbers that are finite as "
            "float32; leave the row out or put a number there"
        )
    return numbers


def _header(folder: Path) -> PackedHeader:
    path = folder / "data.json"
    with files.explained(path, "read"):
        content = path.read_bytes()
    try:
        written = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise HeadstartError(f"{path} is damaged ({error}); pack the data again") from error
    if not isinstance(written, dict):
        raise HeadstartError(
            f"{path} is damaged: expected an object, got {shown(written)}; pack the data again"
        )
    if written.get("format") != FORMAT:
        raise HeadstartError(
            f"{path}: expected format {FORMAT}, got {shown(written.get('format'))}; pack again"
        )
    try:
        return validate(PackedHeader, written)
    except HeadstartError as error:
        raise HeadstartError(f"{path} is damaged: {error}; pack the data again") from None


def _mapped(folder: Path, name: str, split: PackedSplit) -> tuple[Tensor, Tensor]:
    """Inputs and targets as tensors over the files, of which only what is used comes into
    memory.
    """
    made = []
    for file, kind in (("inputs", split.inputs), ("targets", split.targets)):
        path = folder / f"{name}.{file}.bin"
        shape, dtype = (split.rows, *kind.shape), TYPES[kind.type]
        numbers = int(np.prod(shape))
        with files.explained(path, "read"):
            size = path.stat().st_size
        if size != numbers * dtype.itemsize:
            raise HeadstartError(
                f"{path} is damaged: expected {numbers * dtype.itemsize} bytes, got {size}; pack "
                "again"
            )
        flat = (
            torch.from_file(str(path), shared=False, size=numbers, dtype=dtype)
            if numbers
            else torch.empty(0)
        )
        made.append(flat.to(dtype).reshape(shape))
    return made[0], made[1]
