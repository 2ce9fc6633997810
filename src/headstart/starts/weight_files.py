"""Weights in files that somebody else wrote: read as tensors, and nothing that executes.

safetensors files and torch files are read, the latter with `weights_only`. Names must be those of the model; how
`squeezenet1_0` and `resnet18` take torchvision's is told there.
"""

import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import safetensors.torch
import torch
from pydantic import AfterValidator, Field
from torch import Tensor

from headstart import files
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.starts.base import Start
from headstart.starts.heads import listed, misfit, with_head
from headstart.tasks.base import Task
from headstart.trees import Tree

BATCH_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""What BatchNorm keeps of its batches. GroupNorm takes its statistics from each sample and has no use for them."""

GPT2_BUFFERS = re.compile(r"(.*\.)?h\.\d+\.attn\.(bias|masked_bias)")
"""The causal mask and its minus infinity, which older versions of transformers saved with GPT-2's weights."""

GPT2 = "transformer."
"""Before every name, but in files of GPT-2 without its output layer, such as those of the published checkpoints."""

INSIDE = ("state_dict", "model")
"""Where training scripts put the weights in a file that holds more, such as the optimizer's state."""


def _sha256(written: str | None) -> str | None:
    if written is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", written):
        raise ValueError(f"expected a sha256 of 64 hex digits, got {written!r}")
    return written and written.lower()


Sha256 = Annotated[
    str | None, AfterValidator(_sha256), Field(description="what the file must be; not checked if left out")
]


def from_file(file: Path, sha256: str | None, head: str, head_layer: str | None, start: str) -> Start:
    """The start that reads its weights from a file; `start` is its name, for error messages.

    Raises:
        HeadstartError: the file cannot be read, or is not the one with that sha256.
    """
    if file.is_dir():
        raise HeadstartError(f"{file}: expected a file of weights, got a folder")
    content = files.digest(file)
    if sha256 not in (None, content):
        raise HeadstartError(f"{file}: expected sha256 {sha256}, got {content}; it is damaged, or another file")

    def weights(artefact: Tree, network: Network, task: Task, seed: int) -> Tree:
        drawn = network.initial(seed)
        saved, left_out = _weights_of(_read(file), drawn)
        saved = with_head(saved, drawn, head, head_layer, start)
        if differs := misfit(saved, drawn):
            buffers = f" (left out of it, as no weights: {listed(left_out)})" if left_out else ""
            raise HeadstartError(f"{file} does not fit the model: {differs}{buffers}")
        return {name: _copied(saved[name], leaf, name, file) for name, leaf in drawn.items()}

    return Start(weights, content=content, check=lambda network, task: weights({}, network, task, 0))


def _weights_of(found: Mapping[str, Tensor], drawn: Tree) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of a file by the names of the model, and the names of those left out: buffers, and a tied output.

    Only what the model has no parameter for is left out: statistics of BatchNorm, the masks of GPT-2's attention, and
    an output layer of GPT-2 that equals the embedding.
    """
    bare = {name.removeprefix(GPT2) for name in drawn if name.startswith(GPT2)}
    found = {GPT2 + name if name in bare and name not in drawn else name: leaf for name, leaf in found.items()}
    tied, embedding = found.get("lm_head.weight"), found.get("transformer.wte.weight")
    same = tied is not None and embedding is not None and torch.equal(tied, embedding)
    left_out = [
        name
        for name in found
        if name not in drawn
        and (
            name.rpartition(".")[2] in BATCH_STATISTICS
            or GPT2_BUFFERS.fullmatch(name)
            or (name == "lm_head.weight" and same)
        )
    ]
    return {name: leaf for name, leaf in found.items() if name not in left_out}, left_out


def _read(file: Path) -> Mapping[str, Tensor]:
    """The tensors of a file by name, mapped into memory where its form allows that."""
    kind = "safetensors" if file.suffix == ".safetensors" else "a torch file"
    try:
        if kind == "safetensors":
            found: object = safetensors.torch.load_file(file)
        else:  # what torch wrote before 1.6 is no zip archive and cannot be mapped
            with warnings.catch_warnings(action="ignore"):  # of what else a file holds, which is refused below
                found = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except Exception as error:  # whatever a damaged file may raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].split(". ")[0]
        raise HeadstartError(
            f"{file} cannot be read as {kind} ({reason}): it is damaged, of another kind, or holds more than tensors"
        ) from error
    while isinstance(found, Mapping):
        inner = next((found[name] for name in INSIDE if isinstance(found.get(name), Mapping)), None)
        if inner is None:
            break
        found = inner
    if not isinstance(found, Mapping):
        raise HeadstartError(f"{file}: expected tensors by the names of parameters, got {type(found).__name__}")
    for name, leaf in found.items():
        if not isinstance(name, str):
            raise HeadstartError(f"{file}: expected names of parameters, got {name!r}")
        if not isinstance(leaf, Tensor):
            raise HeadstartError(f"{file}: expected a tensor under {name!r}, got {type(leaf).__name__}")
        if leaf.layout != torch.strided:
            raise HeadstartError(f"{file}: expected a dense tensor under {name!r}, got {leaf.layout}")
    return found


def _copied(saved: Tensor, drawn: Tensor, name: str, file: Path) -> Tensor:
    """In memory of its own: the file may change or vanish during the run."""
    if not saved.is_floating_point():
        raise HeadstartError(f"{file}: expected floating-point numbers in {name!r}, got {saved.dtype}")
    copied = saved.detach().to(drawn.dtype, copy=True, memory_format=torch.contiguous_format)
    if not torch.isfinite(copied).all():
        raise HeadstartError(f"{file}: {name!r} holds numbers that are not finite as {drawn.dtype}")
    return copied
