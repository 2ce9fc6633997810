"""A digest of what a Python value holds: numbers, tensors, functions, classes and what these are
made of.

Of a function that is its code, without comments, names of variables and place in the file; its
defaults and attributes; the values that it closes over; and the global names that it reads, where
they are the user's own. What lies in Python itself or in an installed package counts by its name.
Code is read as Python compiled it, so that a lambda in the middle of a line is that lambda alone,
and a function typed into a prompt has a digest too; another minor version of Python compiles it
otherwise. A user's module that the code names counts by its files, with those of the user's
modules that it imports. Where anything cannot be read, the files of all that was met count too.
"""

import dis
import functools
import hashlib
import itertools
import sys
import types
from collections import defaultdict, namedtuple
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headstart.study.given.attributes import closed_over, fields_of, is_own_value
from headstart.study.given.compiled import globals_of, imports_of, read_of_modules
from headstart.study.given.source_files import is_own, sources

PLAIN = (
    type(None),
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(Ellipsis),
    range,
    slice,
    np.generic,
    PurePath,
)
PLAIN_OF_TORCH = (torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format)
LOOKS_UP = ("globals", "eval", "exec", "__import__", "import_module")
"""Functions that reach what their code does not name."""

OF_ALL = [
    getattr(sys.modules.get("random"), "_inst", None),
    getattr(np.random.normal, "__self__", None),
]
"""The generators that the functions of `random` and `numpy.random` share, which no program holds.
"""

CHANGES = (Iterator, torch.Generator, np.random.Generator, np.random.RandomState)
"""What changes as it is read, or as it is used."""

SLOT = (
    types.MemberDescriptorType,
    types.GetSetDescriptorType,
    type(namedtuple("_One", "one").one),  # type: ignore[attr-defined]
)
WRITTEN = (types.FunctionType, property, staticmethod, classmethod)
BUILT = (*PLAIN, Tensor, np.ndarray, list, tuple, set, frozenset, Mapping, functools.partial)


def digest(*values: object) -> tuple[str, str]:
    """The sha256 of what the values hold, and the type of the first thing inside that could not be
    read; empty: none.
    """
    contents = _Contents()
    try:
        for value in values:
            contents.add(value)
        if contents.unread:
            contents.add(sources(contents.modules))
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
        self.modules: set[str] = set()
        self._places: dict[int, int] = {}
        self._held: list[object] = []  # so that no number of a thing is given to another one

    def add(self, value: object) -> None:
        kind = type(value)
        if isinstance(value, PLAIN + PLAIN_OF_TORCH) and not (
            isinstance(value, Enum) or is_own_value(kind)
        ):
            self._feed(kind.__name__, repr(value))
            return
        if id(value) in self._places:
            self._feed("again", str(self._places[id(value)]))
            return
        self._places[id(value)] = len(self._places)
        self._held.append(value)
        self._read(value)

    def _read(self, value: Any) -> None:
        self._by_kind(value)
        if isinstance(value, BUILT) and not isinstance(value, Enum | np.ma.MaskedArray):
            self._beside(value)

    def _beside(self, value: Any) -> None:
        """The class and the attributes of what is a number, a tensor or a collection as well."""
        if is_own_value(type(value)):
            self.add(type(value))
        if fields := fields_of(value):
            self.add(fields)

    def _by_kind(self, value: Any) -> None:
        if any(value is one for one in OF_ALL):
            self._feed("shared generator", type(value).__qualname__)
        elif isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, np.ndarray):
            self._array(value)
        elif isinstance(value, Enum):
            self._feed("enum", type(value).__qualname__, str(value.name))
            self._all("value", [value.value, type(value)])
        elif isinstance(value, PLAIN):
            base: Any = next(kind for kind in PLAIN if isinstance(value, kind))
            self._feed(base.__name__, base.__repr__(value))
        elif isinstance(value, list | tuple):
            self._all(type(value).__name__, value)
        elif isinstance(value, set | frozenset):
            self._set(value)
        elif isinstance(value, Mapping):
            self._feed(type(value).__name__)
            self._all("mapping", itertools.chain.from_iterable(value.items()))
            if isinstance(value, defaultdict):
                self.add(value.default_factory)
        elif isinstance(value, functools.partial):
            self._all("partial", [value.func, value.args, value.keywords])
        elif isinstance(value, types.MethodType):
            self._all("method", [value.__func__, value.__self__])
        elif isinstance(value, property):
            self._all("property", [value.fget, value.fset])
        elif isinstance(value, SLOT):
            self._slot(value)
        elif isinstance(value, staticmethod | classmethod):
            self._all(type(value).__name__, [value.__func__])
        elif isinstance(value, types.FunctionType):
            self._function(value)
        elif isinstance(value, types.CodeType):
            self._code(value)
        elif isinstance(value, types.ModuleType):
            self._feed("module", value.__name__)
            self._modules([value.__name__])
        elif isinstance(value, type):
            self._class(value)
        elif callable(value) and "__wrapped__" in getattr(value, "__dict__", {}):
            self._all("wrapped", [type(value).__qualname__, value.__wrapped__])
        elif not is_own_value(value) and callable(value) and hasattr(value, "__qualname__"):
            self._feed("builtin", str(getattr(value, "__module__", "")), value.__qualname__)
            if isinstance(of := getattr(value, "__self__", None), BUILT) and of is not None:
                self.add(of)
            if isinstance(value, np.ufunc) and value.__name__.endswith("(vectorized)"):
                self._cannot_read(value)
        else:
            self._object(value)

    def _slot(self, value: Any) -> None:
        self._feed("slot", type(value).__name__)
        if type(value) is SLOT[2]:  # the field of a named tuple says which place it reads
            self.add(value.__reduce__()[1])

    def _cannot_read(self, value: object) -> None:
        self.unread = self.unread or type(value).__qualname__

    def _modules(self, names: Iterable[str]) -> None:
        """Own modules by what their files hold."""
        names = [name for name in names if is_own(name)]
        found = sources(names)
        for name in names:
            if name not in found and not any(module.startswith(f"{name}.") for module in found):
                self.unread = self.unread or "module without a file"
        hashed = {name: _sha256(held) for name, held in found.items()}
        self._feed("sources", *itertools.chain.from_iterable(hashed.items()))

    def _set(self, value: Iterable[object]) -> None:
        """Its members in the order of their digests, as a set has none that lasts."""
        members = []
        for item in value:
            sha256, unread = digest(item)
            self.unread = self.unread or unread
            members.append(sha256)
        self._all("set", sorted(members))

    def _tensor(self, tensor: Tensor) -> None:
        numbers = tensor.detach().cpu().resolve_conj().resolve_neg().contiguous()
        self._feed("tensor", str(tensor.dtype), str(tuple(tensor.shape)), str(tensor.requires_grad))
        self.sha256.update(
            numbers.view(-1).view(torch.uint8).numpy().data if numbers.numel() else b""
        )

    def _array(self, array: Any) -> None:
        self._feed("array", type(array).__qualname__, str(array.dtype), str(array.shape))
        if isinstance(array, np.ma.MaskedArray):
            self.add(np.ma.getmaskarray(array))
            array = array.data
        if array.dtype.hasobject:
            self.add(array.tolist())
        else:
            self.sha256.update(np.ascontiguousarray(array).tobytes())

    def _function(self, function: types.FunctionType) -> None:
        self._all("closure", closed_over(function))
        if not is_own_value(function):
            self._feed("function", str(function.__module__), function.__qualname__)
            return
        self.modules.add(str(function.__module__))
        self._all(
            "function",
            [function.__code__, function.__defaults__, function.__kwdefaults__, vars(function)],
        )
        for name in globals_of(function.__code__):
            if name in function.__globals__:
                self._feed("global", name)
                self.add(function.__globals__[name])
            if name in LOOKS_UP:
                self.unread = self.unread or f"{name}()"
        self._modules(
            imports_of(function.__code__, str(function.__globals__.get("__package__") or ""))
        )
        for module, name in read_of_modules(function.__code__):
            of = function.__globals__.get(module)
            if name in LOOKS_UP:
                self.unread = self.unread or f"{name}()"
            if isinstance(of, types.ModuleType) and is_own(of.__name__):
                self._feed("of a module", name)
                if isinstance(value := vars(of).get(name), BUILT):
                    self.add(value)

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
        self._feed("class", kind.__module__ if not is_own_value(kind) else "", kind.__qualname__)
        if is_own_value(kind):
            self.modules.add(kind.__module__)
            if issubclass(kind, Enum):
                members: dict[str, Any] = {
                    name: one.value for name, one in kind.__members__.items()
                }
                members |= {
                    name: value for name, value in vars(kind).items() if isinstance(value, WRITTEN)
                }
                self.add(members)
                return
            if is_own_value(type(kind)):
                self.add(type(kind))
            members = {
                name: value for name, value in vars(kind).items() if name not in _OF_EVERY_CLASS
            }
            self._all("members", [kind.__bases__, members])

    def _object(self, value: Any) -> None:
        self._class(type(value))
        if is_own_value(type(value)):
            self.add(fields_of(value))
            if not any(
                "__reduce__" in vars(kind)
                for kind in type(value).__mro__[:-1]
                if not is_own_value(kind)
            ):
                return
        try:
            if isinstance(value, CHANGES):
                raise TypeError("it changes as it is read")
            reduced = value.__reduce_ex__(4)
        except Exception:  # whatever a library says of what it cannot write down
            self._cannot_read(value)
            return
        parts = reduced if isinstance(reduced, tuple) else (reduced,)
        self._all("reduced", [list(part) if isinstance(part, Iterator) else part for part in parts])

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
    "__module__", "__dict__", "__weakref__", "__doc__", "__annotations__", "__qualname__",
    "__firstlineno__",
    "__static_attributes__", "__annotate__", "__annotate_func__", "__annotations_cache__",
    "__abstractmethods__",
    "_abc_impl", "__parameters__", "__orig_bases__", "__match_args__",
}  # fmt: skip


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
