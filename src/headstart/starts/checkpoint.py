"""Weights from a file: what somebody trained before, with its last layer or with a new one.

The paper's first axis (Nguyen et al., arXiv 2206.15387, section 3): ImageNet weights for images, another corpus for
text, in each case without the layer that knows the classes, which is drawn anew where they differ.

safetensors files and torch files are read, the latter with `weights_only`: tensors, and nothing that executes. Names
must be those of the model; how `squeezenet1_0` and `resnet18` take torchvision's is told there.
"""

import hashlib
import re
import zipfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import safetensors.torch
import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from headstart import files
from headstart.errors import HeadstartError
from headstart.files import located
from headstart.models.network import Network
from headstart.starts.base import STARTS, Start
from headstart.tasks.base import Task
from headstart.trees import Tree

BATCH_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""What BatchNorm keeps of its batches. GroupNorm takes its statistics from each sample and has no use for them."""

INSIDE = ("state_dict", "model")
"""Where training scripts put the weights in a file that holds more, such as the optimizer's state."""

SHOWN = 3
"""Names that an error message lists; the others are counted."""


def _sha256(written: str | None) -> str | None:
    if written is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", written):
        raise ValueError(f"expected a sha256 of 64 hex digits, got {written!r}")
    return written and written.lower()


@STARTS.register("checkpoint", source="Nguyen et al., arXiv 2206.15387, section 3 (pre-trained weights)")
def checkpoint(
    *,
    path: Annotated[
        str, Field(description="a safetensors or torch file; may begin with $HEADSTART_DATA/, a folder of the machine")
    ],
    sha256: Annotated[
        str | None, AfterValidator(_sha256), Field(description="what the file must be; not checked if left out")
    ] = None,
    head: Annotated[
        Literal["auto", "keep", "new"],
        Field(description="the last layer: from the file, drawn anew, or (auto) from the file where its shape fits"),
    ] = "auto",
    head_layer: Annotated[
        str | None, Field(description="the name of the head's layer; left out, the last that has parameters")
    ] = None,
) -> Start:
    """Weights from a file, such as ImageNet's: all layers but the head, which is kept or new.

    A new head is drawn from the run's seed, and is the one that the start `random` has with that seed: the two differ
    in what was pre-trained and in nothing else. Whether `auto` draws one is known only with the model, so the start
    counts as seeded in any case. Where the head is kept, every seed gets the same weights, and all that is lost by
    that is a file read once a run. The other way round, one drawn head would have served the runs of all seeds, and the
    intervals of a study would have left its luck out.

    The running statistics of BatchNorm in the file are left out. Every other name must be the model's.

    Raises:
        HeadstartError: the file cannot be read, is not the one with that sha256, does not fit the model or holds
            numbers that are not finite.
    """
    file = located(path)
    content = _digest(file)
    if sha256 not in (None, content):
        raise HeadstartError(f"{file}: expected sha256 {sha256}, got {content}; it is damaged, or another file")

    def weights(network: Network, task: Task, seed: int) -> Tree:
        drawn = network.initial(seed)
        saved = {name: leaf for name, leaf in _read(file).items() if name.rpartition(".")[2] not in BATCH_STATISTICS}
        layer = head_layer or _last_layer(drawn)
        own = _within(layer, drawn)
        if not own and (head_layer or head == "new"):
            raise HeadstartError(
                f"start checkpoint.head_layer: the model has no layer {layer!r} with parameters; "
                f"its parameters are {_shown(list(drawn))}"
            )
        fits = all(name in saved and saved[name].shape == drawn[name].shape for name in own)
        if head == "new" or (head == "auto" and not fits):
            saved = {name: leaf for name, leaf in saved.items() if name not in _within(layer, saved)}
            saved |= {name: drawn[name] for name in own}
        _refuse_misfit(saved, drawn, file)
        return {name: _copied(saved[name], leaf, name, file) for name, leaf in drawn.items()}

    return Start(weights, seeded=True, content=content)


def _digest(file: Path) -> str:
    with files.explained(file, "read"), file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _read(file: Path) -> Mapping[str, Tensor]:
    """The tensors of a file by name, mapped into memory where its form allows that."""
    kind = "safetensors" if file.suffix == ".safetensors" else "a torch file"
    try:
        if kind == "safetensors":
            found: object = safetensors.torch.load_file(file)
        else:  # what torch wrote before 1.6 is no zip archive and cannot be mapped
            found = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as error:  # whatever a damaged file may raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
        raise HeadstartError(
            f"{file} cannot be read as {kind} ({reason}): it is damaged, of another kind, or holds more than tensors"
        ) from error
    for name in INSIDE:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping):
        raise HeadstartError(f"{file}: expected tensors by the names of parameters, got {type(found).__name__}")
    for name, leaf in found.items():
        if not isinstance(leaf, Tensor):
            raise HeadstartError(f"{file}: expected a tensor under {name!r}, got {type(leaf).__name__}")
    return found


def _last_layer(params: Tree) -> str:
    """The layer of the last parameter; empty where that belongs to the network itself."""
    return next(reversed(params), "").rpartition(".")[0]


def _within(layer: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(f"{layer}.")] if layer else []


def _refuse_misfit(saved: Mapping[str, Tensor], drawn: Tree, file: Path) -> None:
    """One line for all that differs: names on either side only, and shapes."""
    shapes = [
        f"{name!r} {list(saved[name].shape)} for {list(leaf.shape)}"
        for name, leaf in drawn.items()
        if name in saved and saved[name].shape != leaf.shape
    ]
    differences = {
        "it lacks": [repr(name) for name in drawn if name not in saved],
        "the model has no": [repr(name) for name in saved if name not in drawn],
        "shapes differ:": shapes,
    }
    found = [f"{words} {_shown(names)}" for words, names in differences.items() if names]
    if found:
        raise HeadstartError(f"{file} does not fit the model: {'; '.join(found)}")


def _shown(names: Collection[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(list(names)[:SHOWN]) + (f" and {more} more" if more > 0 else "")


def _copied(saved: Tensor, drawn: Tensor, name: str, file: Path) -> Tensor:
    """In memory of its own: the file may change or vanish during the run."""
    if not saved.is_floating_point():
        raise HeadstartError(f"{file}: expected floating-point numbers in {name!r}, got {saved.dtype}")
    if not torch.isfinite(saved).all():
        raise HeadstartError(f"{file}: {name!r} holds numbers that are not finite")
    return saved.detach().to(drawn.dtype, copy=True, memory_format=torch.contiguous_format)
