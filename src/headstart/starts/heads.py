"""The head, the last layer, which knows the classes: taken from pre-trained weights, or drawn anew.

A new head is that of the start `random` with the same seed: the two differ in what was pre-trained
and in nothing else.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
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

SHOWN, SHOWN_OF_A_MISFIT = 3, 20
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

    def on(
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
        new |= {name: drawn[name] for name in own}
        if self.what == "new":
            return new, ""
        fits = all(name in saved and saved[name].shape == drawn[name].shape for name in own)
        if learnt.classes and asked.classes and learnt.classes != asked.classes:
            return self._by_name(saved, network, drawn, layer, new, learnt.classes, asked.classes)
        if self.what == "auto" and not fits:
            lacks = any(name not in saved for name in own)
            why = "it is not whole among the weights" if lacks else "its shape does not fit"
            return new, f"the head {layer!r} is new, as {why}"
        if learnt.classes or not asked.classes or not own or not fits:
            return dict(saved), ""
        return dict(
            saved
        ), f"the head {layer!r} is kept by its shape: what its outputs stand for is not known"

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
        known = [name for name in asked if name in learnt]
        if self.what == "keep" and len(known) < len(asked):
            lost = listed([repr(name) for name in asked if name not in learnt])
            return dict(
                saved
            ), f"the head {layer!r} is kept in place, though it was not learnt for {lost}"
        rows = _rows_of_classes(saved, drawn, layer, network, len(learnt), len(asked))
        if not known or not rows:
            why = (
                "it was learnt for none of the classes"
                if not known
                else "its rows are not one a class"
            )
            return new, f"the head {layer!r} is new: {why}"
        to = torch.tensor([i for i, name in enumerate(asked) if name in learnt])
        from_ = torch.tensor([list(learnt).index(name) for name in known])
        moved = {name: drawn[name].clone() for name in rows}
        for name, leaf in moved.items():
            leaf[to] = saved[name][from_].to(leaf)
        unknown = [repr(name) for name in asked if name not in learnt]
        rest = f", new for {listed(unknown)}" if unknown else ""
        return {
            **saved,
            **moved,
        }, f"the head {layer!r} is kept by the names of {len(known)} classes{rest}"

    def _refuse_none(self, layer: str, own: list[str], params: Tree) -> None:
        if not own and (self.layer or self.what == "new"):
            raise HeadstartError(
                f"start {self.start}.head_layer: the model has no layer {layer!r} with parameters; "
                f"its parameters are {listed(list(params))}"
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
    """The parameters of a linear or convolutional head, which have a row a class; none of another
    head.
    """
    rows = within(layer, drawn)
    fitting = [
        name
        for name in rows
        if name in saved
        and saved[name].shape == (learnt, *drawn[name].shape[1:])
        and drawn[name].shape[:1] == (asked,)
    ]
    return rows if fitting == rows and network.is_linear(layer) else []


def misfit(saved: Mapping[str, Tensor], drawn: Tree) -> str:
    """What differs, in one line, by name and shape; empty where nothing does."""

    def only(these: Mapping[str, Tensor], those: Mapping[str, Tensor]) -> list[str]:
        return [
            f"{shown(name)} {list(leaf.shape)}" for name, leaf in these.items() if name not in those
        ]

    differences = {
        "it lacks": only(drawn, saved),
        "the model has no": only(saved, drawn),
        "shapes differ:": [
            f"{name!r} {list(saved[name].shape)} for {list(leaf.shape)}"
            for name, leaf in drawn.items()
            if name in saved and saved[name].shape != leaf.shape
        ],
    }
    return "; ".join(
        f"{words} {listed(names, SHOWN_OF_A_MISFIT)}"
        for words, names in differences.items()
        if names
    )


def listed(names: Collection[str], shown: int = SHOWN) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - shown
    return ", ".join(list(names)[:shown]) + (f" and {more} more" if more > 0 else "")
