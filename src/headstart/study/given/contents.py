"""A digest of what a Python value holds: numbers, tensors, functions, classes and what these are
made of.

Of a function that is its code, without comments, names of variables and place in the file; its
defaults; the values that it closes over; and the global names that it reads, where they are the
user's own. What lies in Python itself or in an installed package counts by its name. Code is read
as Python compiled it, so that a lambda in the middle of a line is that lambda alone, and a function
typed into a prompt has a digest too; another minor version of Python compiles it otherwise.
"""

import dis
import functools
import hashlib
import inspect
import sys
import sysconfig
import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from pathlib import Path, PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

PLAIN = (type(None), bool, int, float, complex, str, bytes, type(Ellipsis), range, slice, np.generic, PurePath)
PLAIN_OF_TORCH = (torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format)
READS_A_GLOBAL = ("LOAD_GLOBAL", "LOAD_NAME")
INSTALLED = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib", "purelib", "platlib"))
OURS = Path(__file__).resolve().parents[2]


def digest(*values: object) -> tuple[str, str]:
    """The sha256 of what the values hold, and the type of the first thing inside that could not be
    read; empty: none.
    """
    contents = _Contents()
    try:
        for value in values:
            contents.add(value)
    except RecursionError:
        contents.unread = "something nested too deeply"
    except Exception as error:  # whatever the attributes of somebody's object may raise
        contents.unread = f"something that raises {type(error).__name__} when it is read"
    return contents.sha256.hexdigest(), contents.unread


class _Contents:
    """What was read so far. A thing that comes again counts by the place that it had first, so that
    cycles end.
    """

    def __init__(self) -> None:
        self.sha256, self.unread = hashlib.sha256(), ""
        self._places: dict[int, int] = {}
        self._held: list[object] = []  # so that no number of a thing is given to another one

    def add(self, value: object) -> None:
        if isinstance(value, PLAIN + PLAIN_OF_TORCH) and not isinstance(value, Enum):
            self._feed(type(value).__name__, repr(value))
            return
        if id(value) in self._places:
            self._feed("again", str(self._places[id(value)]))
            return
        self._places[id(value)] = len(self._places)
        self._held.append(value)
        self._read(value)

    def _read(self, value: Any) -> None:
        if isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, np.ndarray):
            self._array(value)
        elif isinstance(value, Enum):
            self._feed("enum", type(value).__qualname__, value.name)
        elif isinstance(value, list | tuple):
            self._all(type(value).__name__, value)
        elif isinstance(value, set | frozenset):
            self._all("set", sorted(digest(item)[0] for item in value))
        elif isinstance(value, Mapping):
            self._all("mapping", [part for item in value.items() for part in item])
        elif isinstance(value, functools.partial):
            self._all("partial", [value.func, value.args, value.keywords])
        elif isinstance(value, types.MethodType):
            self._all("method", [value.__func__, value.__self__])
        elif isinstance(value, property):
            self._all("property", [value.fget, value.fset])
        elif isinstance(value, staticmethod | classmethod):
            self._all(type(value).__name__, [value.__func__])
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.ModuleType):
            self._feed("module", value.__name__)
        elif isinstance(value, type):
            self._class(value)
        elif not _is_own(value) and callable(value) and hasattr(value, "__qualname__"):
            self._feed("builtin", str(getattr(value, "__module__", "")), value.__qualname__)
        else:
            self._object(value)

    def _tensor(self, tensor: Tensor) -> None:
        numbers = tensor.detach().cpu().contiguous()
        self._feed("tensor", str(tensor.dtype), str(tuple(tensor.shape)))
        self.sha256.update(numbers.view(-1).view(torch.uint8).numpy().data if numbers.numel() else b"")

    def _array(self, array: Any) -> None:
        self._feed("array", str(array.dtype), str(array.shape))
        if array.dtype.hasobject:
            self.add(array.tolist())
        else:
            self.sha256.update(np.ascontiguousarray(array).tobytes())

    def _function(self, function: types.FunctionType) -> None:
        self._all("closure", _closed_over(function))
        if not _is_own(function):
            self._feed("function", str(function.__module__), function.__qualname__)
            return
        self._all("function", [function.__code__, function.__defaults__, function.__kwdefaults__])
        for name in _globals_of(function.__code__):
            if name in function.__globals__:
                self._feed("global", name)
                self.add(function.__globals__[name])

    def _code(self, code: types.CodeType) -> None:
        """Every step with what it loads. A docstring is loaded by none."""
        self._feed("code")
        for step in dis.get_instructions(code):
            self._feed(step.opname)
            if step.opcode in dis.hasconst:
                self.add(step.argval)
            else:
                self._feed(step.argrepr if step.opcode in dis.hasname else str(step.arg))

    def _class(self, kind: type) -> None:
        self._feed("class", kind.__module__ if not _is_own(kind) else "", kind.__qualname__)
        if _is_own(kind):
            members = {name: value for name, value in vars(kind).items() if name not in _OF_EVERY_CLASS}
            self._all("members", [kind.__bases__, members])

    def _object(self, value: Any) -> None:
        self._class(type(value))
        fields = dict(vars(value)) if hasattr(value, "__dict__") else {}
        for kind in type(value).__mro__:
            for name in vars(kind).get("__slots__", ()):
                if hasattr(value, name) and name != "__weakref__":
                    fields[name] = getattr(value, name)
        if not fields and not _is_own(type(value)):
            self.unread = self.unread or type(value).__qualname__
        self.add(fields)

    def _all(self, kind: str, values: Iterable[object]) -> None:
        values = list(values)
        self._feed(kind, str(len(values)))
        for value in values:
            self.add(value)

    def _feed(self, *texts: str) -> None:
        for text in texts:
            content = text.encode(errors="surrogatepass")
            self.sha256.update(f"{len(content)}:".encode() + content)


_OF_EVERY_CLASS = {
    "__module__", "__dict__", "__weakref__", "__doc__", "__annotations__", "__qualname__", "__firstlineno__",
    "__static_attributes__", "__annotate__", "__annotate_func__", "__annotations_cache__", "__abstractmethods__",
    "_abc_impl", "__parameters__", "__orig_bases__", "__match_args__",
}  # fmt: skip


def _closed_over(function: types.FunctionType) -> list[object]:
    found = []
    for cell in function.__closure__ or ():
        try:
            found.append(cell.cell_contents)
        except ValueError:  # not filled yet
            found.append("empty")
    return found


def _globals_of(code: types.CodeType) -> list[str]:
    """The global names that a function reads, also in the functions inside it."""
    names = [step.argval for step in dis.get_instructions(code) if step.opname in READS_A_GLOBAL]
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names += _globals_of(constant)
    return sorted(set(names))


def _is_own(value: Any) -> bool:
    """Whether a function or class is the user's: neither Headstart's, nor of Python, nor of an
    installed package.
    """
    module = sys.modules.get(str(getattr(value, "__module__", None)))
    if module is None or module is sys.modules.get("__main__"):
        return isinstance(value, types.FunctionType | type)
    file = getattr(module, "__file__", None)
    if file is None:
        origin = getattr(getattr(module, "__spec__", None), "origin", None)
        return origin not in ("built-in", "frozen")
    path = Path(file).resolve()
    return not any(path.is_relative_to(folder) for folder in (*INSTALLED, OURS))


def required(function: Callable[..., object]) -> int | None:
    """How many arguments by position a function must be given; None where it does not say."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return None
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in by_position and one.default is one.empty for one in parameters)
