"""Record a function's tensor operations once for every combination of shapes and strides, then replay them.

Autograd, vmap and the module's Python run only when recording. What is left is the cost of starting each operation,
so operations that do nothing (views to the same shape, multiplication with one, what nobody uses) are taken out.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx

from headstart.trees import Tree

Value = Tensor | Tree
_VIEWS = {torch.ops.aten.view.default, torch.ops.aten.expand.default, torch.ops.aten._unsafe_view.default}


def traced(function: Callable[..., tuple[Value, ...]], compiled: bool = False) -> Callable[..., tuple[Any, ...]]:
    """A function of tensors and trees, which returns a tuple of them, as its recorded operations.

    `compiled`: let torch.compile fuse them, which takes seconds to minutes for each combination of shapes.

    The function must be free of side effects and must not look at the values of its tensors.
    """
    recorded: dict[Any, tuple[Callable[..., list[Tensor]], list[list[str] | None]]] = {}

    def call(*arguments: Value) -> tuple[Any, ...]:
        leaves = _leaves(arguments)
        forms = tuple(tuple(value) if isinstance(value, dict) else None for value in arguments)
        signature = (forms, *((leaf.shape, leaf.stride(), leaf.dtype) for leaf in leaves))
        if signature not in recorded:
            recorded[signature] = _record(function, arguments, compiled)
        graph, results = recorded[signature]
        return _assembled(graph(*leaves), results)

    return call


def _record(
    function: Callable[..., tuple[Value, ...]], arguments: tuple[Value, ...], compiled: bool
) -> tuple[Callable[..., list[Tensor]], list[list[str] | None]]:
    forms = [list(value) if isinstance(value, dict) else None for value in arguments]
    results: list[list[str] | None] = []

    def flat(*leaves: Tensor) -> list[Tensor]:
        values = function(*_assembled(leaves, forms))
        results[:] = [list(value) if isinstance(value, dict) else None for value in values]
        return _leaves(values)

    module = make_fx(flat)(*_leaves(arguments))
    _without_idle_operations(module)
    return _compiled(module) if compiled else module.forward, results


def _compiled(module: GraphModule) -> Callable[..., list[Tensor]]:
    """Without torch's own checks before every call: what they look at is the key under which a record is kept."""
    unguarded: dict[str, Any] = {"guard_filter_fn": torch.compiler.skip_all_guards_unsafe}
    return torch.compile(module.forward, dynamic=False, fullgraph=True, options=unguarded)


def _leaves(values: tuple[Value, ...]) -> list[Tensor]:
    leaves: list[Tensor] = []
    for value in values:
        leaves.extend(value.values() if isinstance(value, dict) else (value,))
    return leaves


def _assembled(leaves: Any, forms: list[list[str] | None]) -> tuple[Any, ...]:
    rest = iter(leaves)
    return tuple(next(rest) if names is None else {name: next(rest) for name in names} for names in forms)


def _without_idle_operations(module: GraphModule) -> None:
    for node in list(module.graph.nodes):
        source: Any = node.args[0] if node.args else None
        if node.target in _VIEWS:
            old, new = source.meta["val"], node.meta["val"]
            idle = old.shape == new.shape and old.stride() == new.stride()
        else:
            idle = node.target is torch.ops.aten.mul.Scalar and node.args[1] == 1
        if idle:
            node.replace_all_uses_with(source)
    module.graph.eliminate_dead_code()
    module.recompile()
