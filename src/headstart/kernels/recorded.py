"""Record a function's tensor operations once for every combination of shapes and strides, then
replay them.

Autograd, vmap and the module's Python run only when recording. What is left is the cost of starting
each operation, so what moves no number is taken out (`views`). A recorded function may change its
arguments in place; that is how steps avoid new memory.
"""

import itertools
import shutil
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.fx import GraphModule, Node
from torch.fx.experimental.proxy_tensor import make_fx

from headstart.errors import HeadstartError, as_memory, reason
from headstart.kernels.convolutions import AS_PRODUCTS
from headstart.kernels.strides import first_replay
from headstart.kernels.views import without_idle_operations, without_repeated_views
from headstart.kernels.writes import depends_on_layout
from headstart.trees import Tree

Value = Tensor | Tree
Results = tuple[Any, ...]
Forms = tuple[tuple[str, ...] | None, ...]
_ONE_AT_A_TIME = threading.RLock()
"""Recording patches torch for the whole process, and a network serves one thread."""


class RecordingError(HeadstartError):
    """A function that cannot be recorded, or whose recording cannot be replayed: it must be run as
    it is written.
    """


class Recorded:
    """Operations on flat lists of tensors, the forms of what they return, and the memory that
    replaying them takes.

    They may be replayed by several threads at once, the first time by one while the others wait.
    """

    def __init__(
        self, module: GraphModule, results: Forms, compiled: Callable[..., list[Tensor]] | None
    ) -> None:
        self.results, self.peak_bytes = results, _peak_bytes(module)
        self._module, self._run, self._first = module, compiled, threading.Lock()

    def __call__(self, leaves: list[Tensor]) -> Results:
        """The results, in their forms.

        Raises:
            RecordingError: an operation refuses what it is given when it is replayed.
        """
        try:
            return _assembled(
                self._run(*leaves) if self._run else self._for_the_first_time(leaves), self.results
            )
        except Exception as error:  # whatever torch raises of somebody's network
            raise as_memory(error) or RecordingError(
                f"a step of this model was recorded and cannot be replayed ({reason(error)})"
            ) from error

    def flops(self) -> list[float]:
        """Floating-point operations of each matrix product and convolution."""
        # Takes some tenths of a second to import.
        from torch.utils.flop_counter import flop_registry

        counted = []
        for node in self._module.graph.nodes:
            if (
                count := flop_registry.get(getattr(node.target, "overloadpacket", None))
            ) is not None:
                arguments = torch.fx.map_arg(node.args, lambda one: one.meta["val"])
                keywords = torch.fx.map_arg(node.kwargs, lambda one: one.meta["val"])
                counted.append(float(count(*arguments, **keywords, out_val=node.meta["val"])))
        return counted

    def _for_the_first_time(self, leaves: list[Tensor]) -> list[Tensor]:
        with self._first:
            if not self._run:
                results = first_replay(self._module, leaves)
                self._run = self._module.forward
                return results
        return self._run(*leaves)


class Traced:
    """A function of tensors and trees, which returns a tuple of them, as its recorded operations.

    `compiled`: let Inductor make one C++ function of them, which takes seconds to minutes for each
    combination of shapes. It runs on as many threads as torch had when it was made, and
    without Python's lock.

    `as_written`: tensors lie in memory as when the function itself is run, so that its views are
    views here, too.

    The function must not look at the values of its tensors. It may be called from several threads.
    """

    def __init__(
        self,
        function: Callable[..., tuple[Value, ...]],
        compiled: bool = False,
        as_written: bool = False,
    ) -> None:
        self._function, self._compiled, self._as_written = function, compiled, as_written
        self._recorded: dict[Any, Recorded | RecordingError] = {}

    def __call__(self, *arguments: Value) -> Results:
        """The results of the function.

        Raises:
            RecordingError: torch cannot record it, or refuses to replay what it recorded.
        """
        leaves = _leaves(arguments)
        recorded = self._find(_forms(arguments), leaves)
        return recorded(leaves)

    def peak_bytes(self, *arguments: Value) -> int:
        """The most that arguments, results and what lies between them take at once, replayed;
        nothing is run.
        """
        return self._find(_forms(arguments), _leaves(arguments)).peak_bytes

    def flops(self, *arguments: Value) -> list[float]:
        """Floating-point operations of each matrix product and convolution; nothing is run."""
        return self._find(_forms(arguments), _leaves(arguments)).flops()

    def prepare(self, *arguments: Value) -> None:
        """Record for these arguments, and compile; nothing is run."""
        self._find(_forms(arguments), _leaves(arguments))

    def bound(self, *first: Value) -> Callable[..., Results]:
        """The function of the remaining arguments, contiguous tensors; the first ones are looked at
        only once.
        """
        fixed = _leaves(first)
        found: dict[tuple[torch.Size, ...], Recorded] = {}

        def call(*rest: Tensor) -> Results:
            shapes = tuple([leaf.shape for leaf in rest])
            recorded = found.get(shapes)
            if recorded is None:
                recorded = found[shapes] = self._find(
                    (*_forms(first), *_forms(rest)), [*fixed, *rest]
                )
            return recorded([*fixed, *rest])

        return call

    def _find(self, forms: Forms, leaves: list[Tensor]) -> Recorded:
        signature = (forms, *[(leaf.shape, leaf.stride(), leaf.dtype) for leaf in leaves])
        if signature not in self._recorded:
            with _ONE_AT_A_TIME:
                if signature not in self._recorded:
                    try:
                        self._recorded[signature] = self._record(forms, leaves)
                    except RecordingError as error:  # nor can it be the next time: nobody need wait
                        self._recorded[signature] = error
        recorded = self._recorded[signature]
        if isinstance(recorded, RecordingError):
            raise RecordingError(str(recorded))
        return recorded

    def _record(self, forms: Forms, leaves: list[Tensor]) -> Recorded:
        results: Forms = ()

        def flat(*leaves: Tensor) -> list[Tensor]:
            nonlocal results
            values = self._function(*_assembled(leaves, forms))
            results = _forms(values)
            return _leaves(values)

        # A tensor that is given twice would be taken for one argument.
        leaves = [leaf.detach() for leaf in leaves]
        # Fake tensors have shapes and strides but no numbers: nothing is computed, and no argument
        # changes.
        try:
            module = make_fx(flat, AS_PRODUCTS, tracing_mode="fake", _allow_non_fake_inputs=True)(
                *leaves
            )
            without_idle_operations(module)
            if not self._as_written and depends_on_layout(module):
                raise ValueError("it changes in place what it also reads under another name")
            without_repeated_views(module)
            return Recorded(module, results, _compiled(module, leaves) if self._compiled else None)
        except HeadstartError:
            raise
        except Exception as error:  # whatever a network may raise where torch cannot vectorise it
            raise as_memory(error) or RecordingError(
                f"a step of this model cannot be recorded ({reason(error)})"
            ) from error


def _compiled(module: GraphModule, leaves: list[Tensor]) -> Callable[..., list[Tensor]]:
    """One function by Inductor (C++ on the CPU), without the rest of `torch.compile`: there is no
    Python to capture, and no guard to check.

    Raises:
        HeadstartError: there is no C++ compiler.
    """
    from torch._inductor import compile as compile_graph  # takes a second to import

    # There is one function; and a fork would not have the threads.
    options: dict[str, Any] = {"compile_threads": 1}
    if leaves[0].device.type == "cpu":
        if not (shutil.which("g++") or shutil.which("clang++")):
            raise HeadstartError(
                "compiled=True needs a C++ compiler, and there is neither g++ nor clang++; "
                "install one"
            )
        options |= {"cpp_wrapper": True, "cpp.threads": torch.get_num_threads()}
    with torch.no_grad():
        run = compile_graph(module, [*leaves], options=options)
    # What tells torch.compile to leave this function alone costs 18 µs a call; nothing here is
    # under torch.compile.
    unwrapped: Callable[..., list[Tensor]] = getattr(run, "_torchdynamo_orig_callable", run)
    return unwrapped


def _forms(values: tuple[Value, ...]) -> Forms:
    return tuple(tuple(value) if isinstance(value, dict) else None for value in values)


def _leaves(values: tuple[Value, ...]) -> list[Tensor]:
    leaves: list[Tensor] = []
    for value in values:
        leaves.extend(value.values() if isinstance(value, dict) else (value,))
    return leaves


def _assembled(leaves: Any, forms: Forms) -> Results:
    rest = iter(leaves or ())
    values: list[Value] = []
    for names in forms:
        values.append(next(rest) if names is None else {name: next(rest) for name in names})
    return tuple(values)


def _peak_bytes(module: GraphModule) -> int:
    """Each memory counts from the operation that makes it to the last that uses it or a view;
    arguments to the end.
    """
    nodes = list(module.graph.nodes)
    born: dict[int, int] = {}
    dies: dict[int, int] = {}
    size: dict[int, int] = {}
    for time, node in enumerate(nodes):
        for used in (node, *node.all_input_nodes):
            for memory in _memories(used):
                dies[memory] = (
                    len(nodes) - 1 if used.op == "placeholder" else max(time, dies.get(memory, 0))
                )
        for memory, bytes_ in _memories(node).items():
            born.setdefault(memory, time)
            size[memory] = bytes_
    changes = [0] * (len(nodes) + 1)
    for memory, bytes_ in size.items():
        changes[born[memory]] += bytes_
        changes[dies[memory] + 1] -= bytes_
    return max(itertools.accumulate(changes))


def _memories(node: Node) -> dict[int, int]:
    """The storages behind a node's value, with their bytes."""
    value = node.meta.get("val")
    found = {}
    for one in value if isinstance(value, list | tuple) else [value]:
        if isinstance(one, Tensor):
            found[one.untyped_storage()._cdata] = one.untyped_storage().nbytes()
    return found
