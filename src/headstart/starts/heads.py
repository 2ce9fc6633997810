"""The head, the last layer, which knows the classes: taken from pre-trained weights, or drawn anew.

A new head is that of the start `random` with the same seed: the two differ in what was pre-trained
and in nothing else.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.parts.validation import shown
from headstart.starts.weights import Meaning
from headstart.trees import Tree
from headstart.wording.phrases import some

SHOWN_OF_A_MISFIT = 20
"""Names that an error message lists; the others are counted."""

Head = Annotated[
    Literal["auto", "keep", "new"],
    Field(
        description="the last layer: as pre-trained, drawn anew, or (auto) as pre-trained where "
        "its classes fit, or its shape where they have no names"
    ),
]
HeadLayer = Annotated[
    str | None,
    Field(description="the name of the head's layer; left out, the last that has parameters"),
]


def last_layer(params: Tree) -> str:
    """The layer of the last parameter; empty where that belongs to the network itself."""
    return next(reversed(params), "").rpartition(".")[0]


def within(layer: str, names: Iterable[str]) -> list[str]:
    """The parameters of a layer among `names`."""
    return [name for name in names if name.startswith(f"{layer}.")] if layer else []


def gives_outputs(layer: str, params: Tree) -> bool:
    """Whether a layer has a matrix. The last one of a network with a tied output, such as GPT-2's
    norm, has none.
    """
    return any(params[name].ndim > 1 for name in within(layer, params))


@dataclass(frozen=True)
class HeadChoice:
    """What a study file says of the head: `what` becomes of it, the name of its `layer`, and of
    which `start`.
    """

    what: str
    layer: str | None
    start: str

    def applied(
        self,
        saved: Mapping[str, Tensor],
        network: Network,
        drawn: Tree,
        learnt: Meaning,
        asked: Meaning,
    ) -> tuple[Tree, str]:
        """The saved tensors with the head that is wanted, and what became of it, in words.

        They are not yet held to the rest of the model.

        A head that was learnt for the classes of one task serves another by their names: its rows
        are moved to the places of the same classes, and those of classes that it does not know are
        the ones of `drawn`. `keep` takes it in place nevertheless where it lacks a class, and says
        so. Where a side names no classes, shapes decide.

        Args:
            saved: the tensors of a file, by the names of the model.
            network: the model that they are for.
            drawn: its newly drawn parameters and buffers.
            learnt: what the outputs of `saved` stand for.
            asked: what the outputs of the model stand for.

        Raises:
            HeadstartError: the model has no such layer, or its output has none of its own and none
                is named.
        """
        params = network.parameters_of(drawn)
        layer = self.layer or last_layer(params)
        own = within(layer, drawn)
        self._refuse_none(layer, within(layer, params), params)
        theirs = set(within(layer, saved))
        new = {name: leaf for name, leaf in saved.items() if name not in theirs}
        for name in own:
            new[name] = drawn[name]
        if self.what == "new":
            return new, ""
        fits = all(_fits(name, saved, drawn) for name in own)
        if learnt.classes and asked.classes and learnt.classes != asked.classes:
            return self._by_name(saved, network, drawn, layer, new, learnt.classes, asked.classes)
        if self.what == "auto" and not fits:
            whole = set(own) <= saved.keys()
            why = "its shape does not fit" if whole else "it is not whole among the weights"
            return new, f"the head {layer!r} is new, as {why}"
        if learnt.classes or not asked.classes or not own or not fits:
            return dict(saved), ""
        kept = f"the head {layer!r} is kept by its shape: what its outputs stand for is not known"
        return dict(saved), kept

    def _by_name(
        self,
        saved: Mapping[str, Tensor],
        network: Network,
        drawn: Tree,
        layer: str,
        new: Tree,
        learnt: Sequence[str],
        asked: Sequence[str],
    ) -> tuple[Tree, str]:
        to, from_, unknown = [], [], []
        for place, name in enumerate(asked):
            if name in learnt:
                to.append(place)
                from_.append(list(learnt).index(name))
            else:
                unknown.append(repr(name))
        if self.what == "keep" and unknown:
            lost = some(unknown)
            kept = f"the head {layer!r} is kept in place, though it was not learnt for {lost}"
            return dict(saved), kept
        if not to:
            return new, f"the head {layer!r} is new: it was learnt for none of the classes"
        rows = _rows_of_classes(saved, drawn, layer, network, len(learnt), len(asked))
        if not rows:
            return new, f"the head {layer!r} is new: its rows are not one a class"
        head = dict(saved)
        for name in rows:
            head[name] = drawn[name].clone()
            head[name][torch.tensor(to)] = saved[name][torch.tensor(from_)].to(head[name])
        rest = f", new for {some(unknown)}" if unknown else ""
        return head, f"the head {layer!r} is kept by the names of {len(to)} classes{rest}"

    def _refuse_none(self, layer: str, own: list[str], params: Tree) -> None:
        if not own and (self.layer or self.what == "new"):
            raise HeadstartError(
                f"start {self.start}.head_layer: the model has no layer {layer!r} with parameters; "
                f"its parameters are {some(list(params))}"
            )
        if self.what == "new" and not self.layer and not gives_outputs(layer, params):
            raise HeadstartError(
                f"start {self.start}.head: the last layer with parameters, {layer!r}, is not the "
                "one that gives the outputs, which shares its weights with another; name that "
                "(head_layer='transformer.wte' for GPT-2), or keep it"
            )


def _rows_of_classes(
    saved: Mapping[str, Tensor], drawn: Tree, layer: str, network: Network, learnt: int, asked: int
) -> list[str]:
    """The parameters of a linear or convolutional head, which have a row a class.

    None where the head is another one.
    """
    rows = within(layer, drawn)
    for name in rows:
        shape = drawn[name].shape
        if name not in saved or saved[name].shape != (learnt, *shape[1:]) or shape[:1] != (asked,):
            return []
    return rows if network.is_linear(layer) else []


def _fits(name: str, saved: Mapping[str, Tensor], drawn: Tree) -> bool:
    return name in saved and saved[name].shape == drawn[name].shape


def misfit(saved: Mapping[str, Tensor], drawn: Tree) -> str:
    """What differs, in one line, by name and shape; empty where nothing does."""
    lacking, unknown, unequal = [], [], []
    for name, leaf in drawn.items():
        if name not in saved:
            lacking.append(f"{shown(name)} {list(leaf.shape)}")
        elif saved[name].shape != leaf.shape:
            unequal.append(f"{name!r} {list(saved[name].shape)} for {list(leaf.shape)}")
    for name, leaf in saved.items():
        if name not in drawn:
            unknown.append(f"{shown(name)} {list(leaf.shape)}")
    differences = []
    for words, names in (
        ("it lacks", lacking),
        ("the model has no", unknown),
        ("shapes differ:", unequal),
    ):
        if names:
            differences.append(f"{words} {some(names, SHOWN_OF_A_MISFIT)}")
    return "; ".join(differences)
