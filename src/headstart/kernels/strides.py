"""Hold a recording to the strides that it was made with.

Recording asks torch which strides an operation's result will have, and bakes the answer in:
`reshape` becomes `view` where these strides allow one. For some operations the answer is wrong. The
gradients of ELU, hardtanh (and so ReLU6), hardswish, hardsigmoid, softplus and logit follow the
strides of their first argument, and are said to follow those of their second. So the first replay
goes operation by operation, and where a result that will be viewed came out otherwise, what lays it
out as recorded becomes a part of the recording. The same goes for what kernels read in the order in
which it was recorded to lie.
"""

from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Interpreter, Node

aten = torch.ops.aten

STRICT = {
    aten.view.default: 1,
    aten.view.dtype: 1,
    aten._unsafe_view.default: 1,
    aten._reshape_alias.default: 1,
    aten.as_strided.default: 1,
    aten.as_strided_.default: 1,
    aten.view_as_real.default: 1,
    aten.view_as_complex.default: 1,
    aten.native_group_norm.default: 1,
    aten.native_group_norm_backward.default: 2,
}
"""Operations that raise, or that give other numbers, where so many of their first arguments have
other strides than were recorded.
"""


def first_replay(module: GraphModule, leaves: list[Tensor]) -> list[Tensor]:
    """The results of a recording's first replay, after which `module.forward` is right for all that
    follow.
    """
    replay = _FirstReplay(module)
    results = replay.results(leaves)
    for node in replay.astray:
        with module.graph.inserting_after(node):
            laid_out = module.graph.call_function(_laid_out, (node, node.meta["val"].stride()))
        node.replace_all_uses_with(laid_out)
        laid_out.update_arg(0, node)
    if replay.astray:
        module.recompile()
    return results


class _FirstReplay(Interpreter):
    """Runs a recording and notes the results that are viewed later and came `astray`: with other
    strides.
    """

    def __init__(self, module: GraphModule) -> None:
        super().__init__(module)
        self._viewed = _viewed(module)
        self.astray: list[Node] = []

    def results(self, leaves: list[Tensor]) -> list[Tensor]:
        """Run the recording. `Interpreter.run` does the same under the lock of a progress bar.

        Processes that are forked share that lock, and one that is killed under it never gives it
        back.
        """
        self.args_iter = iter(leaves)
        for node in self.graph.nodes:
            self.env[node] = self.run_node(node)
            for used in self.user_to_last_uses.get(node, []):
                del self.env[used]
        (output,) = self.graph.find_nodes(op="output")
        results: list[Tensor] = self.env[output]
        return results

    def run_node(self, n: Node) -> Any:
        value = super().run_node(n)
        if n in self._viewed and _differ(value, n.meta["val"]):
            self.astray.append(n)
            value = _laid_out(value, n.meta["val"].stride())
        return value


def _viewed(module: GraphModule) -> set[Node]:
    """The operations that made the memory which strict ones look at, also through other views of
    it.
    """
    makers: dict[int, Node] = {}
    viewed = set()
    for node in module.graph.nodes:
        if isinstance(value := node.meta.get("val"), Tensor):
            makers.setdefault(_memory(value), node)
        for argument in node.args[: STRICT.get(node.target, 0)]:
            viewed.add(makers[_memory(argument.meta["val"])])
    return viewed


def _memory(value: Tensor) -> int:
    return int(value.untyped_storage()._cdata)


def _differ(value: Tensor, recorded: Tensor) -> bool:
    """Whether strides differ in a dimension along which there is a step to take."""
    steps = zip(value.shape, value.stride(), recorded.stride(), strict=True)
    return any(size > 1 and mine != theirs for size, mine, theirs in steps)


def _laid_out(value: Tensor, strides: tuple[int, ...]) -> Tensor:
    empty = torch.empty_strided(value.shape, strides, dtype=value.dtype, device=value.device)
    return empty.copy_(value)
