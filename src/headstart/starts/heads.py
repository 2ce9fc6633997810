"""The head, the last layer, which knows the classes: taken from pre-trained weights, or drawn anew.

A new head is that of the start `random` with the same seed: the two differ in what was pre-trained and in nothing else.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor

from headstart.errors import HeadstartError
from headstart.trees import Tree

SHOWN, SHOWN_OF_A_MISFIT = 3, 20
"""Names that an error message lists; the others are counted."""

Head = Annotated[
    Literal["auto", "keep", "new"],
    Field(description="the last layer: as pre-trained, drawn anew, or (auto) as pre-trained where its shape fits"),
]
HeadLayer = Annotated[
    str | None, Field(description="the name of the head's layer; left out, the last that has parameters")
]


def last_layer(params: Tree) -> str:
    """The layer of the last parameter; empty where that belongs to the network itself."""
    return next(reversed(params), "").rpartition(".")[0]


def within(layer: str, names: Iterable[str]) -> list[str]:
    """The parameters of a layer among `names`."""
    return [name for name in names if name.startswith(f"{layer}.")] if layer else []


def gives_outputs(layer: str, params: Tree) -> bool:
    """Whether a layer has a matrix. The last one of a network with a tied output, such as GPT-2's norm, has none."""
    return any(params[name].ndim > 1 for name in within(layer, params))


def with_head(saved: Mapping[str, Tensor], drawn: Tree, head: str, head_layer: str | None, start: str) -> Tree:
    """The saved tensors, with the head of `drawn` where theirs is not wanted or does not fit; not yet held to the rest.

    Raises:
        HeadstartError: the model has no such layer, or its output has none of its own and none is named.
    """
    layer = head_layer or last_layer(drawn)
    own = within(layer, drawn)
    if not own and (head_layer or head == "new"):
        raise HeadstartError(
            f"start {start}.head_layer: the model has no layer {layer!r} with parameters; "
            f"its parameters are {listed(list(drawn))}"
        )
    if head == "new" and not head_layer and not gives_outputs(layer, drawn):
        raise HeadstartError(
            f"start {start}.head: the last layer with parameters, {layer!r}, is not the one that gives the outputs, "
            "which shares its weights with another; name that (head_layer='transformer.wte' for GPT-2), or keep it"
        )
    fits = all(name in saved and saved[name].shape == drawn[name].shape for name in own)
    if head == "new" or (head == "auto" and not fits):
        others = {name: leaf for name, leaf in saved.items() if name not in within(layer, saved)}
        return others | {name: drawn[name] for name in own}
    return dict(saved)


def misfit(saved: Mapping[str, Tensor], drawn: Tree) -> str:
    """What differs, in one line, by name and shape; empty where nothing does."""

    def only(these: Mapping[str, Tensor], those: Mapping[str, Tensor]) -> list[str]:
        return [f"{name!r} {list(leaf.shape)}" for name, leaf in these.items() if name not in those]

    differences = {
        "it lacks": only(drawn, saved),
        "the model has no": only(saved, drawn),
        "shapes differ:": [
            f"{name!r} {list(saved[name].shape)} for {list(leaf.shape)}"
            for name, leaf in drawn.items()
            if name in saved and saved[name].shape != leaf.shape
        ],
    }
    return "; ".join(f"{words} {listed(names, SHOWN_OF_A_MISFIT)}" for words, names in differences.items() if names)


def listed(names: Collection[str], shown: int = SHOWN) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - shown
    return ", ".join(list(names)[:shown]) + (f" and {more} more" if more > 0 else "")
