"""What a run under way has measured, in a file that only grows: its rows, and the weights that
probes keep.

An entry is the length of what follows, then a safetensors file of the weights that were kept since
the entry before, stacked over their rounds, with the rows in its metadata. A checkpoint holds the
journal's `Mark` at its time: how long the journal was, and the sha256 over all of it. What a
process that was killed wrote beyond is overwritten. So the cost of a checkpoint does not grow with
the rounds that are done.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import safetensors.torch
import torch
from torch import Tensor

from headstart import files
from headstart.engine.measurements import Measurements, Row
from headstart.trees import Tree

_LENGTH = 8
"""Bytes of the number before each entry."""


@dataclass(frozen=True)
class Mark:
    """A place in a journal: `sha256` is that of the mark before and of the entry between."""

    length: int = 0
    sha256: str = ""


@dataclass(frozen=True)
class _Entry:
    """Where an entry lies, and the rounds of each of its stacks."""

    begin: int
    end: int
    rounds: tuple[tuple[int, ...], ...]


class Journal:
    """The journal of one run, up to `mark`; `rows`: how many rows it holds. Read back by
    `read_rows` and `kept`.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark = Mark()
        self.rows = 0
        self._entries: list[_Entry] = []

    @classmethod
    def at(cls, path: Path, mark: Mark) -> tuple["Journal", Measurements]:
        """The journal as it was at a mark, and its rows.

        Raises:
            HeadstartError: what lies before the mark is not what was written.
        """
        journal, rows = cls(path), Measurements()
        with files.damage_explained(path, files.delete_folder_of(path)):
            if mark.length:
                with path.open("rb") as opened:
                    while journal.mark.length < mark.length:
                        content = _next(opened)
                        header = _header(content)
                        rows.extend(header["rows"])
                        journal._note(content, header)
            if journal.mark != mark:
                raise ValueError("its sha256 is another than the checkpoint says")
        journal.rows = len(rows)
        return journal, rows

    def entry(self, rows: Sequence[Row], kept: Mapping[int, Tree]) -> bytes:
        """Return the entry of what was measured since the last one; `write` puts it at the mark
        before.
        """
        stacks, tensors = list(_alike(kept)), {}
        for i, rounds in enumerate(stacks):
            for name in kept[rounds[0]]:
                leaves = [kept[round_][name] for round_ in rounds]
                tensors[f"{i}/{name}"] = torch.stack(leaves).cpu()
        header = json.dumps({"rows": rows, "rounds": stacks})
        content: bytes = safetensors.torch.save(tensors, {"headstart": header})
        self._note(content, {"rounds": stacks})
        self.rows += len(rows)
        return len(content).to_bytes(_LENGTH, "little") + content

    def kept(self, device: torch.device) -> "Kept":
        """What probes kept, by round, read from the file when it is asked for."""
        return Kept(self.path, list(self._entries), device)

    def _note(self, content: bytes, header: Mapping[str, Any]) -> None:
        begin = self.mark.length + _LENGTH
        rounds = tuple(tuple(map(int, stack)) for stack in header["rounds"])
        self._entries.append(_Entry(begin, begin + len(content), rounds))
        digest = sha256(self.mark.sha256.encode() + content).hexdigest()
        self.mark = Mark(begin + len(content), digest)


def write(path: Path, begin: int, entry: bytes, lasting: bool = True) -> None:
    """Write an entry to a journal at the length that it had; what lies beyond is cut off.

    Raises:
        HeadstartError: the disk is full, the folder is not writable.
    """
    with files.explained(path, "write"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        with path.open("r+b") as opened:
            opened.truncate(begin)
            opened.seek(begin)
            opened.write(entry)
            opened.flush()
            if lasting:
                os.fsync(opened.fileno())


class Kept(Mapping[int, Tree]):
    """The weights that probes keep, by round, of which one entry at a time is in memory."""

    def __init__(self, path: Path, entries: Sequence[_Entry], device: torch.device) -> None:
        self._path, self._entries, self._device = path, entries, device
        self._loaded: tuple[int, dict[str, Tensor]] | None = None

    @cached_property
    def _place(self) -> dict[int, tuple[int, int, int]]:
        """Entry, stack and row of each round; most of what is kept is never looked at."""
        place: dict[int, tuple[int, int, int]] = {}
        for i, entry in enumerate(self._entries):
            for stack, rounds in enumerate(entry.rounds):
                for row, round_ in enumerate(rounds):
                    place[round_] = i, stack, row
        return place

    def __getitem__(self, round_: int) -> Tree:
        i, stack, row = self._place[round_]
        if self._loaded is None or self._loaded[0] != i:
            self._loaded = None  # first, so that there are never two
            entry = self._entries[i]
            explained = files.damage_explained(self._path, files.delete_folder_of(self._path))
            with explained, self._path.open("rb") as opened:
                opened.seek(entry.begin)
                self._loaded = i, safetensors.torch.load(opened.read(entry.end - entry.begin))
        own = f"{stack}/"
        return {
            name.removeprefix(own): stacked[row].clone().to(self._device)
            for name, stacked in self._loaded[1].items()
            if name.startswith(own)
        }

    def __contains__(self, round_: object) -> bool:
        return round_ in self._place

    def __iter__(self) -> Iterator[int]:
        return iter(self._place)

    def __len__(self) -> int:
        return len(self._place)


def _alike(kept: Mapping[int, Tree]) -> Iterable[list[int]]:
    """The rounds in groups whose trees have the same names, types and shapes."""
    groups: dict[Any, list[int]] = {}
    for round_, tree in kept.items():
        form = tuple((name, leaf.dtype, leaf.shape) for name, leaf in tree.items())
        groups.setdefault(form, []).append(round_)
    return groups.values()


def _next(opened: BinaryIO) -> bytes:
    length = int.from_bytes(opened.read(_LENGTH), "little")
    rest = os.fstat(opened.fileno()).st_size - opened.tell()
    if length > rest:
        raise ValueError("it is cut")
    return opened.read(length)


def _header(content: bytes) -> Any:
    """The metadata of a safetensors file: its first eight bytes are the length of the JSON that
    follows.
    """
    length = int.from_bytes(content[:8], "little")
    return json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["headstart"])
