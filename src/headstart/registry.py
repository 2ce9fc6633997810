"""Names for the parts of a study: a registry per kind, one decorator per part.

A part is a factory. Its keyword-only arguments are its parameters: types, bounds, defaults and descriptions are
read from the signature, and the study file, the command line's listing and the error messages all use that one
declaration. Positional arguments are what the program hands in (a task, a seed); a user never writes them.

    @CLIENTS.register("proximal", source="arXiv 1812.06127, Eq. 2")
    def proximal(*, mu: Annotated[float, Field(ge=0, description="...")] = 0.1) -> ClientOptimizer: ...

A part is written `proximal`, `proximal(mu=0.1)`, `adam@torch(epsilon=1e-7)` (a preset, then changes to it),
as a mapping `{proximal: {mu: 0.1}}` or `{name: proximal, mu: 0.1}`, or, for one's own,
`package.module:factory(width=3)`.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, create_model
from pydantic.fields import FieldInfo

from headstart.errors import HeadstartError, nearest

T = TypeVar("T")

_WRITTEN = re.compile(r"^(?P<name>[\w.:-]+)(@(?P<preset>[\w-]+))?(\((?P<arguments>.*)\))?$", re.DOTALL)
_BOUNDS = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
_TYPES = {float: "a number", int: "a whole number", str: "a text", bool: "true or false"}


@dataclass(frozen=True)
class Component:
    """A chosen part: its registered name, its preset, and every parameter, defaults included.

    `str()` gives the name that result tables carry: parameters appear where they differ from the default.
    """

    kind: str
    name: str
    preset: str | None
    parameters: tuple[tuple[str, Any], ...]
    changed: tuple[tuple[str, Any], ...]

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.changed)
        return self.name + (f"@{self.preset}" if self.preset else "") + (f"({arguments})" if arguments else "")


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A registered factory and what its signature and docstring declare."""

    name: str
    factory: Callable[..., T]
    source: str
    presets: Mapping[str, Mapping[str, Any]]
    parameters: type[BaseModel]

    @property
    def summary(self) -> str:
        """The first line of the factory's docstring."""
        return (inspect.getdoc(self.factory) or "").split("\n")[0]


@dataclass
class Registry(Generic[T]):
    """The parts of one kind; importing the modules of `package` fills it, on first use.

    Raises `HeadstartError`, with the nearest name and the path in the user's file, for whatever is not declared.
    """

    kind: str
    package: str
    _entries: dict[str, Entry[T]] = field(default_factory=dict)
    _loaded: bool = False

    def register(
        self, name: str, *, source: str, presets: Mapping[str, Mapping[str, Any]] | None = None
    ) -> Callable[[Callable[..., T]], Callable[..., T]]:
        """Register a factory under `name`, with the paper or data source that it stands on."""

        def add(factory: Callable[..., T]) -> Callable[..., T]:
            if name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            self._entries[name] = Entry(name, factory, source, dict(presets or {}), _parameters(factory))
            return factory

        return add

    def __iter__(self) -> Iterator[Entry[T]]:
        self._load()
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def entry(self, name: str, path: str = "") -> Entry[T]:
        """The entry of a name, or of a `package.module:factory` of the user's own."""
        if ":" in name:
            return Entry(name, factory := _import(name, path), "the user's own", {}, _parameters(factory))
        self._load()
        if name not in self._entries:
            raise HeadstartError(f"{_at(path)}unknown {self.kind} {name!r}{nearest(name, self._entries)}")
        return self._entries[name]

    def component(self, written: object, path: str = "") -> Component:
        """Read and check how a user wrote a part. `path` is where it stands, for error messages."""
        if isinstance(written, Component):
            return written
        name, preset, arguments = self._read(written, path)
        entry = self.entry(name, path)
        if preset is not None and preset not in entry.presets:
            offer = nearest(preset, entry.presets) if entry.presets else "; it has none"
            raise HeadstartError(f"{_at(path)}unknown preset {preset!r} of {self.kind} {name!r}{offer}")
        base = dict(entry.presets[preset]) if preset else {}
        values = validate(entry.parameters, {**base, **arguments}, path or name).model_dump()
        defaults = entry.parameters(**base).model_dump()
        changed = {key: value for key, value in values.items() if value != defaults[key]}
        return Component(self.kind, name, preset, _frozen(values), _frozen(changed))

    def build(self, component: Component, *context: Any) -> T:
        """Call the factory with what the program hands in and the component's parameters."""
        return self.entry(component.name).factory(*context, **dict(component.parameters))

    def _load(self) -> None:
        if not self._loaded:
            package = importlib.import_module(self.package)
            for module in pkgutil.iter_modules(package.__path__):
                importlib.import_module(f"{self.package}.{module.name}")
            self._loaded = True

    def _read(self, written: object, path: str) -> tuple[str, str | None, dict[str, Any]]:
        arguments: object = {}
        if isinstance(written, Mapping) and "name" in written:
            arguments = {key: value for key, value in written.items() if key != "name"}
            written = written["name"]
        elif isinstance(written, Mapping) and len(written) == 1:
            written, arguments = next(iter(written.items()))
        match = _WRITTEN.match(written.strip()) if isinstance(written, str) else None
        if match is None or not isinstance(arguments, Mapping | None):
            raise HeadstartError(
                f"{_at(path)}expected a {self.kind} such as 'name', 'name(parameter=1)' or "
                f"{{name: {{parameter: 1}}}}, got {written!r}"
            )
        inline = _keywords(match["arguments"] or "", path)
        return match["name"], match["preset"], {**inline, **dict(arguments or {})}


def validate(model: type[BaseModel], values: Mapping[str, Any], path: str = "") -> BaseModel:
    """Check values against a pydantic model; the first fault becomes one line with its path."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        fault = error.errors()[0]
        place, known = path, model
        info: FieldInfo | None = None
        for step in fault["loc"]:
            if isinstance(step, int):
                place += f"[{step}]"
                continue
            if fault["type"] == "extra_forbidden" and step == fault["loc"][-1]:
                offer = nearest(str(step), known.model_fields) if known.model_fields else "; there are none"
                raise HeadstartError(f"{_at(place)}unknown key {str(step)!r}{offer}") from None
            info = known.model_fields.get(str(step), info)
            place = f"{place}.{step}" if place else str(step)
            if info is not None and inspect.isclass(info.annotation) and issubclass(info.annotation, BaseModel):
                known = info.annotation
        if fault["type"] == "missing":
            raise HeadstartError(f"{place}: expected {describe(info) if info else 'a value'}, got nothing") from None
        if fault["type"] in ("value_error", "assertion_error"):
            raise HeadstartError(f"{_at(place)}{fault['ctx']['error']}") from None
        expected = describe(info) if info else fault["msg"]
        raise HeadstartError(f"{_at(place)}expected {expected}, got {fault['input']!r}") from None


def describe(info: FieldInfo) -> str:
    """What a parameter takes, in words.

    >>> from typing import Annotated
    >>> from pydantic import Field
    >>> describe(FieldInfo.from_annotation(Annotated[float, Field(ge=0, lt=1)]))
    'a number >= 0 and < 1'
    """
    options = typing.get_args(info.annotation)
    if typing.get_origin(info.annotation) is typing.Literal:
        return "one of " + ", ".join(map(str, options))
    if typing.get_origin(info.annotation) in (list, tuple, set):
        words = "a list"
    elif type(None) in options:
        inner = FieldInfo.from_annotation(next(option for option in options if option is not type(None)))
        words = describe(inner) + " or nothing"
    else:
        words = _TYPES.get(info.annotation, "a mapping")  # type: ignore[arg-type]
    bounds = [
        f"{sign} {getattr(rule, name)}"
        for rule in info.metadata
        for name, sign in _BOUNDS.items()
        if hasattr(rule, name)
    ]
    return f"{words} {' and '.join(bounds)}".strip()


def _parameters(factory: Callable[..., Any]) -> type[BaseModel]:
    hints = typing.get_type_hints(factory, include_extras=True)
    fields: dict[str, Any] = {
        name: (hints[name], ... if parameter.default is parameter.empty else parameter.default)
        for name, parameter in inspect.signature(factory).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    config = ConfigDict(extra="forbid", validate_default=True, allow_inf_nan=False, protected_namespaces=())
    return create_model(factory.__name__, __config__=config, **fields)


def _import(name: str, path: str) -> Callable[..., Any]:
    module, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise HeadstartError(f"{_at(path)}cannot import {name!r}: {error}") from None
    if not callable(factory):
        raise HeadstartError(f"{_at(path)}expected a function behind {name!r}, got {type(factory).__name__}")
    return typing.cast(Callable[..., Any], factory)


def _keywords(text: str, path: str) -> dict[str, Any]:
    try:
        call = ast.parse(f"part({text})", mode="eval").body
        assert isinstance(call, ast.Call)
        assert not call.args
        return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError, AssertionError):
        raise HeadstartError(f"{_at(path)}expected parameters as 'name=value', got {text!r}") from None


def _frozen(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in values.items())


def _at(path: str) -> str:
    return f"{path}: " if path else ""
