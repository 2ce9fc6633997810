"""The start that reads its weights from a file: `checkpoint`, and `hub` once it has one.

What a file holds says `reading`, which of it are the weights `packing`, what becomes of the head
`heads`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from headstart import files
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.parts.parameters import AddedLater
from headstart.starts.base import Build, Start
from headstart.starts.heads import HeadChoice, misfit
from headstart.starts.weight_files.packing import USUAL, Mapped, Named, mappings, namings, said
from headstart.starts.weight_files.reading import Content, files_of, read
from headstart.starts.weights import Meaning, Weights
from headstart.tasks.base import Task
from headstart.trees import Tree, size_in_bytes, undense
from headstart.wording.phrases import some


def _sha256(written: str | None) -> str | None:
    if written is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", written):
        raise ValueError(f"expected a sha256 of 64 hex digits, got {written!r}")
    return written and written.lower()


Sha256 = Annotated[
    str | None,
    AfterValidator(_sha256),
    Field(description="what the file must be; not checked if left out"),
]
Inside = Annotated[
    str | None,
    AddedLater(),
    Field(
        description="where in the file the weights are, such as ema or teacher/backbone; left "
        "out, what fits"
    ),
]
Prefix = Annotated[
    str | None,
    AddedLater(),
    Field(
        description="what the names of the weights begin with, such as encoder.; others are left "
        "out"
    ),
]


Classes = Annotated[
    tuple[str, ...],
    AddedLater(),
    Field(
        description="the names of the classes that the head's outputs stand for, in their order, "
        "where the file names none"
    ),
]


class Source(NamedTuple):
    """A file of weights: what it must be, where in it they are, and how their names begin; None
    where any will do. classes: what its outputs stand for, none where the file says it or nobody.
    """

    path: Path
    sha256: str | None = None
    inside: str | None = None
    prefix: str | None = None
    classes: tuple[str, ...] = ()


class _Fitted(NamedTuple):
    """Weights as the model has them, where they were found, and what became of the head."""

    mapped: Mapped
    named: Named
    state: Tree
    head: str
    differs: str
    notes: Sequence[str] = ()


def from_file(source: Source, head: HeadChoice) -> Start:
    """The start that reads its weights from a file.

    Raises:
        HeadstartError: the file cannot be read, or is not the one with that sha256.
    """
    file = source.path
    paths = files_of(file)
    content = files.digest(*paths)
    if source.sha256 not in (None, content):
        raise HeadstartError(
            f"{file}: expected sha256 {source.sha256}, got {content}; it is damaged, or another "
            "file"
        )

    def fitted(network: Network, task: Task, seed: int) -> tuple[_Fitted, Tree]:
        drawn = network.state(seed)
        held = read(paths, size_in_bytes(drawn))
        try:
            otherwise = held.meaning.held_to(task)
        except HeadstartError as error:
            raise HeadstartError(f"{file}: {error}") from None
        held = _with_classes(held, source)
        found = _chosen(source, held, network, drawn, head, Meaning.of(task))
        return found._replace(notes=[otherwise] if otherwise else []), drawn

    def weights(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
        found, drawn = fitted(network, task, seed)
        return {
            name: _copied(found.state[name], leaf, name, file, network)
            for name, leaf in drawn.items()
        }

    def check(network: Network, task: Task, build: Build) -> Sequence[str]:
        found, drawn = fitted(network, task, 0)
        for name, leaf in drawn.items():
            _copied(found.state[name], leaf, name, file, network)
        left_out = [*found.named.left_out, *map(repr, found.mapped.others)]
        return [
            *said(found.mapped, found.named),
            *([f"left out of it: {some(left_out)}"] if left_out else []),
            *([found.head] if found.head else []),
            *found.notes,
        ]

    return Start(weights, content=content, check=check)


def _with_classes(held: Content, source: Source) -> Content:
    """The content with the classes that the study file names.

    Raises:
        HeadstartError: the file names others, or one is named twice.
    """
    theirs, ours = held.meaning.classes, source.classes
    if not ours:
        return held
    if len(set(ours)) < len(ours) or (theirs and theirs != ours):
        wanted = f"{list(theirs)}, as the file says" if theirs else "each class once"
        raise HeadstartError(f"{source.path}: classes: expected {wanted}, got {list(ours)}")
    return held._replace(meaning=replace(held.meaning, classes=ours))


def _chosen(
    source: Source, held: Content, network: Network, drawn: Tree, head: HeadChoice, asked: Meaning
) -> _Fitted:
    """The one mapping of tensors that fits the model, under the plainest names.

    Raises:
        HeadstartError: none does, or several do and are not the same.
    """
    file = source.path
    if not isinstance(held.found, dict | list | tuple):
        raise HeadstartError(
            f"{file}: expected tensors by the names of parameters, got {type(held.found).__name__}"
        )
    try:
        found = mappings(held.found, network)
    except HeadstartError as error:
        raise HeadstartError(f"{file}: {error}") from None
    there = [mapped.inside for mapped in found]
    if source.inside is not None:
        found = [mapped for mapped in found if mapped.inside == source.inside]
    if not found:
        what = f" under {source.inside!r}" if source.inside else ""
        raise HeadstartError(
            f"{file}: expected tensors by the names of parameters{what}, "
            f"got {_description(held, there)}"
        )
    tried = [_best(source, mapped, held.meaning, network, drawn, head, asked) for mapped in found]
    fitting = [fit for fit in tried if not fit.differs]
    usual = [fit for fit in fitting if set(fit.mapped.inside.split("/")) <= set(USUAL)]
    if (
        len(fitting) > 1
        and len(usual) != 1
        and not all(_same(fit.state, fitting[0].state) for fit in fitting)
    ):
        names = ", ".join(repr(fit.mapped.inside) for fit in fitting)
        raise HeadstartError(
            f"{file} holds several that fit the model: {names}; say which (inside='...')"
        )
    if fitting:
        return (usual or fitting)[0]
    nearest = max(tried, key=lambda fit: len(fit.state.keys() & drawn.keys()))
    raise HeadstartError(
        f"{file} does not fit the model: {nearest.differs}{_hint(nearest, there, drawn)}"
    )


def _best(
    source: Source,
    mapped: Mapped,
    learnt: Meaning,
    network: Network,
    drawn: Tree,
    head: HeadChoice,
    asked: Meaning,
) -> _Fitted:
    """A mapping under the first names that fit; without any, under those of which most are the
    model's.
    """
    tried: list[_Fitted] = []
    for named in namings(mapped, network, drawn, source.prefix):
        state, became = head.applied(named.tensors, network, drawn, learnt, asked)
        tried.append(_Fitted(mapped, named, state, became, named.unequal or misfit(state, drawn)))
        if not tried[-1].differs:
            return tried[-1]
    return max(tried, key=lambda fit: len(fit.named.tensors.keys() & drawn.keys()))


def _same(a: Tree, b: Tree) -> bool:
    return all(torch.equal(a[name], b[name]) for name in a)


def _description(held: Content, there: list[str]) -> str:
    if any(there):
        return f"tensors under {some(sorted(map(repr, filter(None, there))))}"
    if isinstance(held.found, dict):
        return (
            some([f"{name!r} ({type(value).__name__})" for name, value in held.found.items()])
            or "nothing"
        )
    return type(held.found).__name__


def _hint(nearest: _Fitted, there: list[str], drawn: Tree) -> str:
    """Where the weights were looked for, and what their names begin with, where that may be why
    they do not fit.
    """
    hints = said(nearest.mapped, nearest.named)
    hints += (
        [f"left out of it, as no weights: {some(nearest.named.left_out)}"]
        if nearest.named.left_out
        else []
    )
    if len(there) > 1:
        hints.append(f"the file has tensors under {some([repr(inside) for inside in there], 8)}")
    taken_off = repr(nearest.named.off)
    begins = [
        each for each in _before_known_names(nearest.mapped.tensors, drawn) if each != taken_off
    ]
    if begins:
        hints.append(
            f"names of the model are there behind {some(begins)}, which prefix='...' takes off"
        )
    return f" ({'; '.join(hints)})" if hints else ""


def _before_known_names(names: Iterable[str], drawn: Tree) -> list[str]:
    """What stands before names of the model in the names of a file, the most frequent first."""
    begins: Counter[str] = Counter()
    for name in names:
        parts = name.split(".")
        begins.update(
            ".".join(parts[:i]) + "." for i in range(1, len(parts)) if ".".join(parts[i:]) in drawn
        )
    return [repr(prefix) for prefix, _ in begins.most_common()]


def _copied(saved: Tensor, drawn: Tensor, name: str, file: Path, network: Network) -> Tensor:
    """In memory of its own: the file may change or vanish during the run."""
    is_buffer = name in network.buffers
    if saved.is_meta:
        raise HeadstartError(
            f"{file}: {name!r} has a shape and no numbers (it is on the device 'meta')"
        )
    if kind := undense(saved):
        raise HeadstartError(
            f"{file}: expected a dense tensor under {name!r}, got one that is {kind}"
        )
    if not is_buffer and not saved.is_floating_point():
        raise HeadstartError(
            f"{file}: expected floating-point numbers in {name!r}, got {saved.dtype}"
        )
    if is_buffer and _kind(saved) != _kind(drawn):
        raise HeadstartError(f"{file}: expected {drawn.dtype} in {name!r}, got {saved.dtype}")
    copied = saved.detach().to(drawn.dtype, copy=True, memory_format=torch.contiguous_format)
    if is_buffer and torch.isnan(copied).any():
        raise HeadstartError(f"{file}: {name!r} holds numbers that are not numbers (NaN)")
    if not is_buffer and not torch.isfinite(copied).all():
        raise HeadstartError(f"{file}: {name!r} holds numbers that are not finite as {drawn.dtype}")
    return copied


def _kind(leaf: Tensor) -> str:
    """Whether numbers are real, complex or whole; true and false count as whole ones."""
    return "real" if leaf.is_floating_point() else "complex" if leaf.is_complex() else "whole"
