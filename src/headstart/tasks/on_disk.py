"""Client data larger than memory: a folder of plain arrays, sorted by client, that is mapped and not read.

    data.json                                      format, outputs, classes; types and shapes of each part
    train.inputs.bin, train.targets.bin            the rows of client 0, then those of client 1, ...
    train.starts.bin                               int64 [clients + 1]: where each client's rows begin
    validation.*.bin, test.*.bin                   held-out rows; validation may be empty

Numbers are little-endian, in the order of rows. Opening costs the index of clients and a pass over the targets, and a
round the rows of its cohort, whatever the number of clients. `pack` writes such a folder from anything that yields one
client after another.
"""

import json
import os
import shutil
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor, nn

from headstart import files
from headstart.errors import HeadstartError
from headstart.files import located
from headstart.tasks.base import TASKS, ClientRows, Examples, Pixels, Task

FORMAT = 1
TYPES = {"float32": torch.float32, "int64": torch.int64, "uint8": torch.uint8}
Array = npt.NDArray[Any] | Tensor
Pair = tuple[Array, Array]


@TASKS.register("on-disk", source="the user's own data, packed by headstart.tasks.on_disk.pack")
@lru_cache(maxsize=4)
def on_disk(*, path: Annotated[str, Field(description="a folder that `pack` wrote")]) -> Task:
    """Data larger than memory, in a folder that `pack` wrote; the partition `natural` has its clients.

    Raises:
        HeadstartError: the folder is missing, damaged, or was not written to its end.
    """
    folder = located(path)
    header = _header(folder)
    train, validation, test = (Examples(*_mapped(folder, name, header)) for name in ("train", "validation", "test"))
    with files.explained(folder / "train.starts.bin", "read"):
        starts = np.fromfile(folder / "train.starts.bin", dtype="<i8")
    if len(starts) < 2 or starts[0] != 0 or starts[-1] != len(train) or (np.diff(starts) < 1).any():
        raise HeadstartError(f"{folder / 'train.starts.bin'} is damaged: it does not cut the training rows; pack again")
    classes = tuple(header["classes"])
    # Of the kinds, classes and sizes of clients alone: the rows may be more than one cares to read.
    return Task(
        "on-disk",
        train,
        validation,
        test,
        header["outputs"],
        owners=ClientRows(starts),
        classes=classes,
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

    Numbers with fractions are stored as float32, others as int64. Bytes of images [n, channels, height, width] stay
    bytes, which a model takes divided by 255; of other shapes they are refused.

    >>> import tempfile
    >>> rows = [(np.ones((n, 2)), np.arange(n) % 2) for n in (3, 1)]
    >>> with tempfile.TemporaryDirectory() as place:
    ...     task = on_disk(path=str(pack(f"{place}/mine", rows, test=rows[0], outputs=2)))
    ...     [owned.tolist() for owned in task.owners]
    [[0, 1, 2], [3]]

    Raises:
        HeadstartError: the folder exists, arrays do not fit those before, or a client has no row.
    """
    folder = Path(folder)
    if folder.exists():
        raise HeadstartError(f"{folder} exists; write to a new folder, or remove it")
    partial = folder.with_name(f".{folder.name}.{os.getpid()}{files.PARTIAL}")
    with files.explained(partial, "write"):
        partial.mkdir(parents=True)
        try:
            header: dict[str, Any] = {"format": FORMAT, "outputs": outputs, "classes": list(classes), "parts": {}}
            starts = [0]
            with _Part(partial, "train") as part:
                for i, pair in enumerate(clients):
                    part.append(pair, f"client {i}")
                    starts.append(part.rows)
                    if starts[-1] == starts[-2]:
                        raise HeadstartError(f"client {i}: expected at least one row, got none; leave it out")
            if len(starts) == 1:
                raise HeadstartError("expected at least one client, got none")
            header["parts"]["train"] = first = part.described()
            for name, held in (("validation", validation), ("test", test)):
                with _Part(partial, name, first) as part:
                    if held is not None:
                        part.append(held, name)
                header["parts"][name] = part.described()
            np.array(starts, dtype="<i8").tofile(partial / "train.starts.bin")
            (partial / "data.json").write_text(json.dumps(header, indent=1))
            os.replace(partial, folder)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return folder


class _Part:
    """Two files that grow by the rows of a client at a time, all of the types and shapes of the first."""

    def __init__(self, folder: Path, name: str, like: dict[str, Any] | None = None) -> None:
        self.rows = 0
        self._files = [(folder / f"{name}.{column}.bin").open("wb") for column in ("inputs", "targets")]
        self._kinds = (
            [(column["type"], column["shape"]) for column in (like["inputs"], like["targets"])] if like else []
        )

    def __enter__(self) -> "_Part":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files:
            file.close()

    def append(self, pair: Pair, place: str) -> None:
        """Write rows of inputs and targets."""
        columns = [_plain(array, f"{place}, {name}") for array, name in zip(pair, ("inputs", "targets"), strict=True)]
        if len(columns[0]) != len(columns[1]):
            raise HeadstartError(
                f"{place}: expected as many targets as inputs, got {len(columns[1])} and {len(columns[0])}"
            )
        kinds = [(str(column.dtype), list(column.shape[1:])) for column in columns]
        self._kinds = self._kinds or kinds
        for (had, shape), (got, other), name in zip(self._kinds, kinds, ("inputs", "targets"), strict=True):
            if (had, shape) != (got, other):
                raise HeadstartError(f"{place}: expected {name} of {had} {shape} a row as before, got {got} {other}")
        for file, column in zip(self._files, columns, strict=True):
            column.tofile(file)
        self.rows += len(columns[0])

    def described(self) -> dict[str, Any]:
        """Rows, types and shapes, for the header."""
        columns = zip(("inputs", "targets"), self._kinds, strict=True)
        return {"rows": self.rows, **{name: {"type": kind, "shape": shape} for name, (kind, shape) in columns}}


def _plain(array: Array, place: str) -> npt.NDArray[Any]:
    plain = array.numpy() if isinstance(array, Tensor) else np.asarray(array)
    if plain.dtype == np.uint8 and plain.ndim == 4:
        return np.ascontiguousarray(plain)
    if plain.dtype.kind not in "fiub" or plain.dtype == np.uint8 or not plain.ndim:
        raise HeadstartError(
            f"{place}: expected an array [n, ...] of numbers, got {plain.dtype} of shape {list(plain.shape)}"
            + ("; bytes are kept of images [n, channels, height, width]" if plain.dtype == np.uint8 else "")
        )
    return np.ascontiguousarray(plain, dtype="<f4" if plain.dtype.kind == "f" else "<i8")


def _header(folder: Path) -> dict[str, Any]:
    with files.explained(folder / "data.json", "read"):
        text = (folder / "data.json").read_text(encoding="utf-8")
    try:
        header = json.loads(text)
        known = header["format"] == FORMAT
        [int(header["outputs"]), list(header["classes"])]
        for name in ("train", "validation", "test"):
            part = header["parts"][name]
            [part["rows"] + 0, *(TYPES[part[column]["type"]] for column in ("inputs", "targets"))]
    except (ValueError, KeyError, TypeError) as error:
        raise HeadstartError(f"{folder / 'data.json'} is damaged ({error!r}); pack the data again") from error
    if not known:
        raise HeadstartError(f"{folder / 'data.json'}: expected format {FORMAT}, got {header['format']}; pack again")
    return header  # type: ignore[no-any-return]


def _mapped(folder: Path, part: str, header: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """Inputs and targets as tensors over the files, of which only what is used comes into memory."""
    made = []
    rows = header["parts"][part]["rows"]
    for column in ("inputs", "targets"):
        path, kind = folder / f"{part}.{column}.bin", header["parts"][part][column]
        shape, dtype = (rows, *kind["shape"]), TYPES[kind["type"]]
        numbers = int(np.prod(shape))
        with files.explained(path, "read"):
            size = path.stat().st_size
        if size != numbers * dtype.itemsize:
            raise HeadstartError(
                f"{path} is damaged: expected {numbers * dtype.itemsize} bytes, got {size}; pack again"
            )
        flat = torch.from_file(str(path), shared=False, size=numbers, dtype=dtype) if numbers else torch.empty(0)
        made.append(flat.to(dtype).reshape(shape))
    return made[0], made[1]
