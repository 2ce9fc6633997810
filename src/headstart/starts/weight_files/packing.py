"""Where in a file the weights of a model are, and by which names: what training scripts put around
them.

A file may hold one mapping of tensors among others (`model_state_dict` beside an optimizer's state,
`ema` beside `model`), and its names may begin with what wrapped the model when it was saved
(`module.`, `_orig_mod.`, `model.`), or lack what wraps it now. The one mapping that fits the model
is taken, one prefix is taken off or put before, and both are said.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.trees import Tree

BATCH_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
"""What BatchNorm keeps of its batches. GroupNorm takes its statistics from each sample and has no
use for them.
"""

GPT2_MASKS = re.compile(r"(.*\.)?h\.\d+\.attn\.(bias|masked_bias)")
"""The causal mask and its minus infinity, which older versions of transformers saved with GPT-2's
weights.
"""

USUAL = ("state_dict", "model", "model_state_dict")
"""Where training scripts put the weights that they go on with; taken before `ema` or `teacher`
where both fit.
"""

DEEPEST, MOST = 6, 10_000
"""Mappings inside of mappings that are looked through, and how many."""


class Mapped(NamedTuple):
    """A mapping of tensors in a file: where, its tensors, and the names under which it has
    something else.
    """

    inside: str
    tensors: dict[str, Tensor]
    others: list[str]


@dataclass(frozen=True)
class Named:
    """Tensors by the names of a model, or as near to these as they come.

    `off` and `before`: the prefix that was taken off the names and the one put before them.
    `left_out`: names of what the model has no use for. `unequal`: what one tensor of the model has
    two different ones for.
    """

    tensors: Tree
    off: str = ""
    before: str = ""
    left_out: list[str] = field(default_factory=list)
    unequal: str = ""


def mappings(found: object, network: Network) -> list[Mapped]:
    """All mappings of tensors in what a file holds, the outermost first; a bare list has the
    module's own order.
    """
    if isinstance(found, list | tuple):
        return [Mapped("", _in_order(list(found), network), [])] if found else []
    mapped: list[Mapped] = []
    left: list[tuple[str, object, int]] = [("", found, 0)]
    seen: set[int] = set()
    for inside, here, depth in left:  # grows as it goes
        if not isinstance(here, Mapping) or id(here) in seen or len(seen) == MOST:
            continue
        seen.add(id(here))
        tensors: dict[str, Tensor] = {}
        others: list[str] = []
        for name, value in here.items():
            if not isinstance(name, str):
                continue
            tensor = as_tensor(value)
            if tensor is None:
                others.append(name)
            else:
                tensors[name] = tensor
            if depth < DEEPEST:
                left.append((f"{inside}/{name}" if inside else name, value, depth + 1))
        if tensors:
            mapped.append(Mapped(inside, tensors, others))
    return mapped


def as_tensor(value: object) -> Tensor | None:
    """A tensor, or an array of numbers as one; of anything else nothing."""
    if isinstance(value, Tensor):
        return None if value.is_nested else value
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "biuf":
        return None
    try:
        return torch.from_numpy(
            np.ascontiguousarray(value, value.dtype.newbyteorder("=")).reshape(value.shape)
        )
    except TypeError:  # of more digits than torch has
        return None


def _in_order(found: list[object], network: Network) -> dict[str, Tensor]:
    """Arrays by the names of the module's `state_dict`, as Flower's clients send them without."""
    tensors = []
    for value in found:
        tensor = as_tensor(value)
        if tensor is None:
            raise HeadstartError(
                "expected tensors by the names of parameters, got a list with "
                f"{type(value).__name__}"
            )
        tensors.append(tensor)
    if len(tensors) != len(network.order):
        raise HeadstartError(
            f"expected {len(network.order)} arrays in the order of the module's state_dict, as "
            f"they have no names, got {len(tensors)}"
        )
    return dict(zip(network.order, tensors, strict=True))


def namings(mapped: Mapped, network: Network, drawn: Tree, prefix: str | None) -> Iterator[Named]:
    """The ways to take the names of a mapping for the model's, the plainest first."""
    names = list(mapped.tensors)
    if prefix is not None:
        inner, outer = {}, []
        for name, leaf in mapped.tensors.items():
            if name.startswith(prefix):
                inner[name.removeprefix(prefix)] = leaf
            else:
                outer.append(name)
        yield _named(inner, network, drawn, prefix, "", outer)
        return
    wraps = ["", *dict.fromkeys(f"{name.partition('.')[0]}." for name in drawn if "." in name)]
    known = {*drawn, *network.tied}
    for before in wraps:
        for off in ("", *_shared(names)):
            renamed = {}
            for name, leaf in mapped.tensors.items():
                bare = name.removeprefix(off)
                renamed[bare if bare in known else before + bare] = leaf
            if len(renamed) < len(names):
                continue  # two tensors would have one name
            if not (off or before) or _has_some(renamed, drawn):
                yield _named(renamed, network, drawn, off, before, [])


def _has_some(renamed: Mapping[str, Tensor], drawn: Tree) -> bool:
    """Whether a tensor has name and shape of the model's: other names may all fall to a head that
    is drawn anew.
    """
    return any(name in drawn and leaf.shape == drawn[name].shape for name, leaf in renamed.items())


def _shared(names: list[str]) -> list[str]:
    """The prefixes that all names have, the shortest first.

    >>> _shared(["module.model.a.weight", "module.model.b.weight"])
    ['module.', 'module.model.']
    """
    parts = [name.split(".")[:-1] for name in names]
    shared: list[str] = []
    for place in zip(*parts, strict=False):
        if len(set(place)) > 1:
            break
        shared.append(f"{shared[-1] if shared else ''}{place[0]}.")
    return shared


def _named(
    renamed: dict[str, Tensor],
    network: Network,
    drawn: Tree,
    off: str,
    before: str,
    left_out: list[str],
) -> Named:
    """The tensors that the model has, and those that are of another; second names of tied tensors
    are put together.

    Only what the model has not is left out: statistics of BatchNorm, masks of GPT-2, and buffers
    that a module makes anew.
    """
    tensors: Tree = {}
    unequal = ""
    unsaved = network.unsaved()
    for name, leaf in renamed.items():
        first = network.tied.get(name, name)
        if first in tensors or (first != name and first in renamed):
            other = renamed.get(first, tensors.get(first))
            if other is None or not _equal(leaf, other):
                two = f"{first!r} and {name!r} are one tensor of the model, but not of the file"
                unequal = unequal or two
        elif first in drawn:
            tensors[first] = leaf
        elif name in unsaved:
            left_out = [*left_out, name]
            if not _equal(leaf, unsaved[name]):
                anew = f"the model makes {name!r} anew (persistent=False), with other numbers"
                unequal = unequal or anew
        elif name.rpartition(".")[2] in BATCH_STATISTICS or GPT2_MASKS.fullmatch(name):
            left_out = [*left_out, name]
        else:
            tensors[name] = leaf
    # Torch counts batches from the beginning, too, where older files lack the number.
    for name in network.buffers:
        if name.endswith("num_batches_tracked") and name not in tensors:
            tensors[name] = drawn[name]
    return Named(tensors, off, before, left_out, unequal)


def _equal(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool(torch.equal(a.to(b.dtype), b.cpu()))


def said(mapped: Mapped, named: Named) -> list[str]:
    """What was done to find the weights, a few words each; none where they lay there."""
    lines = [f"taken from {mapped.inside!r} in it"] if mapped.inside else []
    lines += [f"the prefix {named.off!r} taken off its names"] if named.off else []
    lines += [f"the prefix {named.before!r} put before its names"] if named.before else []
    return lines
