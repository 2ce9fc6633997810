"""Find results that depend on which views are copies, where something is written in place.

`h.flatten(1)` is a view of h where the strides of h allow one, else a copy. Written in place
afterwards, h changes what was flattened in the first case alone. Which case it is depends on how h
lies in memory, and so on the executor: under `vmap` and with channels last it lies otherwise than
where a network is run as it is written.
"""

from collections import defaultdict
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

aten = torch.ops.aten

PERHAPS_COPIES = {aten.view.default, aten._unsafe_view.default, aten.clone.default}
"""What `reshape`, `flatten` and `contiguous` are recorded as."""


def depends_on_layout(module: GraphModule) -> bool:
    """Whether what was viewed, or copied, and is then written in place, is read under an older
    name.
    """
    source: dict[Node, Node] = {}
    kin: dict[Node, list[Node]] = defaultdict(list)
    stale: set[Node] = set()
    for node in module.graph.nodes:
        if not stale.isdisjoint(node.all_input_nodes):
            return True
        for written in _written(node):
            older = kin[_origin(written, source)]
            stale.update(other for other in older if _may_be_copies(other, written, source))
        if (one := _seen_by(node)) is not None:
            source[node] = one
        kin[_origin(node, source)].append(node)
    return False


def _seen_by(node: Node) -> Node | None:
    """What a node is a view of, or may be a copy of."""
    value = node.meta.get("val")
    for one in node.all_input_nodes[:1]:
        seen = one.meta.get("val")
        if isinstance(value, Tensor) and isinstance(seen, Tensor):
            same = value.untyped_storage()._cdata == seen.untyped_storage()._cdata
            copied = node.target is aten.clone.default and "memory_format" in node.kwargs
            return one if same or copied else None
    return None


def _origin(node: Node, source: dict[Node, Node]) -> Node:
    while node in source:
        node = source[node]
    return node


def _may_be_copies(one: Node, other: Node, source: dict[Node, Node]) -> bool:
    """Whether on the way from one to the other there is what is a view in one layout and a copy in
    another.
    """
    return any(
        node.target in PERHAPS_COPIES for node in _chain(one, source) ^ _chain(other, source)
    )


def _chain(node: Node, source: dict[Node, Node]) -> set[Node]:
    nodes = {node}
    while node in source:
        node = source[node]
        nodes.add(node)
    return nodes


def _written(node: Node) -> list[Node]:
    """The arguments that an operation changes."""
    schema: Any = getattr(node.target, "_schema", None)
    if schema is None or not schema.is_mutable:
        return []
    written = []
    for argument, given in zip(schema.arguments, node.args, strict=False):
        writes = argument.alias_info is not None and argument.alias_info.is_write
        if writes and isinstance(given, Node):
            written.append(given)
    return written
