"""Take out of a recording what moves no number: operations that do nothing, and views that are
there already.

`vmap` lays the axes of a product out for it and back again, for every product anew, and so for the
product's gradient. Where operations are small each such view costs as much as an operation that
computes.
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node

aten = torch.ops.aten

RESHAPES = {aten.view.default, aten.expand.default, aten._unsafe_view.default}
VIEWS = {
    *RESHAPES,
    aten.permute.default,
    aten.squeeze.dim,
    aten.squeeze.dims,
    aten.t.default,
    aten.transpose.int,
    aten.unsqueeze.default,
}
"""Operations whose result is their first argument with its indices renamed."""


def without_idle_operations(module: GraphModule) -> None:
    """Take out views to the same shape, multiplications with one, and what nobody uses."""
    for node in list(module.graph.nodes):
        source: Any = node.args[0] if node.args else None
        if node.target in RESHAPES:
            old, new = source.meta["val"], node.meta["val"]
            idle = old.shape == new.shape and old.stride() == new.stride()
        else:
            idle = node.target is aten.mul.Scalar and node.args[1] == 1
        if idle:
            node.replace_all_uses_with(source)
    module.graph.eliminate_dead_code()
    module.recompile()


def without_repeated_views(module: GraphModule) -> None:
    """Keep one of the views that show the same numbers in the same form: a transpose of a transpose
    shows its argument.

    Two views are equal if they share memory, shape, strides and offset. What is written in place to
    one shows in the other, so that either stands for the other at any time.
    """
    source: dict[Node, Node] = {}
    first: dict[Any, Node] = {}
    for node in list(module.graph.nodes):
        value = node.meta.get("val")
        if not isinstance(value, Tensor):
            continue
        if node.target in VIEWS and _memory(value) == _memory(node.args[0].meta["val"]):
            source[node] = source.get(node.args[0], node.args[0])
        form = (source.get(node, node), value.shape, value.stride(), value.storage_offset())
        earlier = first.setdefault(form, node)
        if earlier is not node:
            node.replace_all_uses_with(earlier)
    module.graph.eliminate_dead_code()
    module.recompile()


def _memory(value: Tensor) -> int:
    return int(value.untyped_storage()._cdata)
