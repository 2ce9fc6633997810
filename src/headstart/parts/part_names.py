"""Names that a study gives its parts (`as`): one a part, in all grids, and no two the same."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headstart.errors import HeadstartError
from headstart.parts.given import GIVEN
from headstart.parts.registry import Component, Registry

KEEP_THEIRS = {
    "start": ("random",),
    "client optimizer": ("sgd", "gd"),
    "partition": ("iid",),
    "device setting": ("equal",),
}
"""By kind, the parts that a page asks for by name."""


def read_named(registry: Registry[Any], written: object, path: str) -> Component:
    """The part that is written, with a name that may be given to it.

    Raises:
        HeadstartError: it keeps the name it has, or gets one that another registered part has.
    """
    part = registry.component(written, path)
    if part.called and part.name in KEEP_THEIRS.get(part.kind, ()):
        raise HeadstartError(
            f"{path}: {part.name} keeps its name, by which the report compares it; name the others"
        )
    if part.called and part.called != part.name and part.called in {one.name for one in registry}:
        raise HeadstartError(
            f"{path}.as: {part.called!r} is another {part.kind}; give it a name of its own"
        )
    return part


def refuse_name(part: Component, path: str) -> Component:
    """The part, which no page compares and which can have no name.

    Raises:
        HeadstartError: it was given one.
    """
    if part.called:
        raise HeadstartError(
            f"{path}: expected no name (as), which task, model, starts, clients, servers, "
            f"partitions and devices may have, got {part.called!r}"
        )
    return part


def named_alike(
    grids: Sequence[Mapping[str, list[Any]]], axes: Iterable[str]
) -> list[dict[str, list[Any]]]:
    """The grids with each part under the name that it has in any of them.

    Args:
        grids: the values of each axis.
        axes: those whose values are parts.

    Raises:
        HeadstartError: two parts of an axis have one name, or one part has two.
    """
    found = [dict(grid) for grid in grids]
    for axis in axes:
        parts = list(itertools.chain.from_iterable(grid[axis] for grid in grids))
        named = _each_once(parts, axis)
        for grid in found:
            grid[axis] = [named.get(part, part) for part in grid[axis]]
    return found


def _each_once(parts: Sequence[Component], axis: str) -> dict[Component, Component]:
    """The parts that have a name, by themselves."""
    named: dict[Component, Component] = {}
    for part in parts:
        if part.called and named.setdefault(part, part).called != part.called:
            both = f"{named[part].called!r} and {part.called!r}"
            raise HeadstartError(f"{axis}: {part} is called both {both}; name it once")
    labels: dict[str, Component] = {}
    for part in parts:
        label = named.get(part, part).label
        if labels.setdefault(label, part) != part:
            how = "as: NAME beside the part"
            if GIVEN in (part.name, labels[label].name):
                how = "headstart.own_part(value, name='...')"
            raise HeadstartError(f"{axis}: two that differ are called {label!r}; name them: {how}")
    return named
