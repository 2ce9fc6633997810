"""Names for the parts of a study: a registry per kind, one decorator per part.

A part is a factory. Its keyword-only arguments are its parameters: types, bounds, defaults and
descriptions are read from the signature, and the study file, the command line's listing and the
error messages all use that one declaration. Positional arguments are what the program hands in (a
task, a seed); a user never writes them.

    @CLIENTS.register("proximal", source="arXiv 1812.06127, Eq. 2")
    def proximal(
        *, mu: Annotated[float, Field(ge=0, description="...")] = 0.01
    ) -> ClientOptimizer: ...

A part is written `proximal`, `proximal(mu=0.1)`, `adam@torch(epsilon=1e-7)` (a preset, then changes
to it), as a mapping `{proximal: {mu: 0.1}}` or `{name: proximal, mu: 0.1}`, or, for one's own,
`package.module:factory(width=3)`.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, PydanticUserError, ValidationError

from headstart.errors import HeadstartError, nearest
from headstart.parts import given, own_modules
from headstart.parts.origin import Origin, current, within
from headstart.parts.parameters import Tunable, is_later, parameters_of
from headstart.parts.validation import at, validate
from headstart.parts.written import AS, named, read

T = TypeVar("T")


@dataclass(frozen=True)
class Component:
    """A chosen part: its registered name, its preset, and every parameter, defaults included (but
    see `AddedLater`).

    `str()` gives the name that result tables carry: parameters appear where they differ from the
    default. `called` is the name that a study gives it, for people to read: another name makes no
    other part. `origin` says where its paths and its own module are looked up; it is no part of
    what the component is called.
    """

    kind: str
    name: str
    preset: str | None
    parameters: tuple[tuple[str, Any], ...]
    changed: tuple[tuple[str, Any], ...]
    called: str = field(default="", compare=False, kw_only=True)
    origin: Origin = field(default_factory=current, repr=False, kw_only=True)

    def __hash__(self) -> int:
        try:
            parameters = hash(self.parameters)
        except TypeError:  # there are lists among them
            parameters = 0
        return hash((self.kind, self.name, self.preset, self.origin, parameters))

    def identity(self) -> dict[str, Any]:
        """All that makes it what it is."""
        names = ("kind", "name", "preset", "parameters", "changed")
        return {name: getattr(self, name) for name in names}

    def __str__(self) -> str:
        if self.name == given.GIVEN:
            return str(dict(self.parameters)["name"])
        return self._with(given.brief)

    @property
    def label(self) -> str:
        """What people call it: by the study's own name, where there is one."""
        return self.called or str(self)

    @property
    def written(self) -> str:
        """As a study file names it: a part that a Python program gave by its contents too."""
        return self._with(repr)

    @property
    def in_file(self) -> str | dict[str, str]:
        """The same with the name that the study gives it."""
        return {"name": self.written, AS: self.called} if self.called else self.written

    def _with(self, shown: Callable[[object], str]) -> str:
        arguments = ", ".join(f"{name}={shown(value)}" for name, value in self.changed)
        return (
            self.name
            + (f"@{self.preset}" if self.preset else "")
            + (f"({arguments})" if arguments else "")
        )


@dataclass(frozen=True)
class Entry(Generic[T]):
    """A registered factory and what its signature and docstring declare. `package`: an installed
    one that has it.
    """

    name: str
    factory: Callable[..., T]
    source: str
    presets: Mapping[str, Mapping[str, Any]]
    parameters: type[BaseModel]
    known_as: str = ""
    package: str = ""

    @property
    def summary(self) -> str:
        """The first paragraph of the factory's docstring, as one line."""
        return " ".join((inspect.getdoc(self.factory) or "").split("\n\n")[0].split())

    @property
    def tunable(self) -> dict[str, Tunable]:
        """The parameters that a tuning searches, with their ranges."""
        found = {}
        for name, info in self.parameters.model_fields.items():
            for mark in info.metadata:
                if isinstance(mark, Tunable):
                    found[name] = mark
        return found


@dataclass
class Registry(Generic[T]):
    """The parts of one kind; importing the modules of `package`, and of `rooms` of it, fills it, on
    first use.

    `returns` is the type of a part, None for a function; `takes` names what the program hands a
    factory of this kind. Raises `HeadstartError`, with the nearest name and the path in the user's
    file, for whatever is not declared.
    """

    kind: str
    package: str
    returns: type | None = None
    rooms: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    _entries: dict[str, Entry[T]] = field(default_factory=dict)
    _installed: list[Entry[T]] = field(default_factory=list)
    _loaded: bool = False

    def register(
        self,
        name: str,
        *,
        source: str,
        presets: Mapping[str, Mapping[str, Any]] | None = None,
        known_as: str = "",
    ) -> Callable[[Callable[..., T]], Callable[..., T]]:
        """Register a factory under `name`, with the paper or data source that it stands on.

        `known_as`: what papers call it, where that differs; who writes that is offered `name`.
        """

        def add(factory: Callable[..., T]) -> Callable[..., T]:
            package = own_modules.registering()
            parameters = parameters_of(factory)
            entry = Entry(name, factory, source, dict(presets or {}), parameters, known_as, package)
            if package:
                self._installed.append(entry)
            elif name in self._entries:
                raise ValueError(f"{self.kind} {name!r} is registered twice")
            else:
                self._entries[name] = entry
            return factory

        return add

    def __iter__(self) -> Iterator[Entry[T]]:
        self._load()
        return iter(sorted(self._entries.values(), key=lambda entry: entry.name))

    def entry(self, name: str, path: str = "") -> Entry[T]:
        """The entry of a name, or of a `package.module:factory` of the user's own."""
        if ":" in name:
            return self._own_entry(name, path)
        if name == given.GIVEN:
            return _given_entry(self.kind)
        self._load()
        if name not in self._entries:
            known_as = {entry.known_as.lower(): entry.name for entry in self if entry.known_as}
            faults = "".join(
                f"; {package} cannot be used ({why})" for package, why in self.faults().items()
            )
            offer = nearest(name, self._entries, known_as)
            raise HeadstartError(f"{at(path)}unknown {self.kind} {name!r}{offer}{faults}")
        return self._entries[name]

    def faults(self) -> dict[str, str]:
        """By package: why parts of those that are installed cannot be used."""
        self._load()
        faults = dict(own_modules.load_installed())
        for entry in self._installed:
            if self._entries[entry.name] is not entry:
                faults[entry.package] = f"{self.kind} {entry.name!r} is registered already"
        return faults

    def component(self, written: object, path: str = "") -> Component:
        """Read and check how a user wrote a part. `path` is where it stands, for error messages."""
        if isinstance(written, Component):
            return written
        written, called = named(written, self.kind, path)
        name, preset, arguments = read(written, self.kind, path)
        entry = self.entry(name, path)
        if preset is not None and preset not in entry.presets:
            offer = nearest(preset, entry.presets) if entry.presets else "; it has none"
            raise HeadstartError(
                f"{at(path)}unknown preset {preset!r} of {self.kind} {name!r}{offer}"
            )
        base = dict(entry.presets[preset]) if preset else {}
        values = validate(entry.parameters, {**base, **arguments}, path or name).model_dump()
        required = {
            key for key, info in entry.parameters.model_fields.items() if info.is_required()
        } - set(base)
        defaults = entry.parameters(**base, **{key: values[key] for key in required}).model_dump()
        changed = {
            key: value for key, value in values.items() if key in required or value != defaults[key]
        }
        later = {
            key for key, info in entry.parameters.model_fields.items() if is_later(info.metadata)
        }
        values = {key: value for key, value in values.items() if key in changed or key not in later}
        if name == given.GIVEN:
            given.find(self.kind, **values, path=path)
        return Component(self.kind, name, preset, _frozen(values), _frozen(changed), called=called)

    def entry_of(self, component: Component) -> Entry[T]:
        """The entry of a component."""
        with within(component.origin):
            return self.entry(component.name)

    def varied(self, component: Component, values: Mapping[str, Any]) -> Component:
        """The same part with other values of some parameters."""
        written = component.name + (f"@{component.preset}" if component.preset else "")
        with within(component.origin):
            other = self.component({written: {**dict(component.changed), **values}})
        return replace(other, called=component.called)

    def build(self, component: Component, *context: Any) -> T:
        """Call the factory with what the program hands in and the component's parameters."""
        factory = self.entry_of(component).factory
        with within(component.origin):
            if ":" not in component.name and component.name != given.GIVEN:
                return factory(*context, **dict(component.parameters))
            name = str(component) if component.name == given.GIVEN else component.name
            with own_modules.one_line(f"{self.kind} {name!r} failed"):
                part = factory(*context, **dict(component.parameters))
            is_one = callable(part) if self.returns is None else isinstance(part, self.returns)
            if not is_one:
                expected = "function" if self.returns is None else self.returns.__name__
                raise HeadstartError(
                    f"{self.kind} {name!r}: expected it to return a {expected}, got "
                    f"{type(part).__name__}"
                )
            return part

    def _load(self) -> None:
        if not self._loaded:
            for folder in (self.package, *(f"{self.package}.{room}" for room in self.rooms)):
                for module in pkgutil.iter_modules(importlib.import_module(folder).__path__):
                    importlib.import_module(f"{folder}.{module.name}")
            self._loaded = True
            own_modules.load_installed()
            for entry in self._installed:
                self._entries.setdefault(entry.name, entry)

    def _own_entry(self, name: str, path: str) -> Entry[T]:
        try:
            factory = own_modules.factory_of(name, current())
            with own_modules.one_line(f"cannot read the parameters of {name!r}"):
                signature = inspect.signature(factory)
            own_modules.refuse_other_form(self.kind, name, signature, self.takes)
        except HeadstartError as error:
            raise HeadstartError(f"{at(path)}{error}") from error
        try:
            return Entry(name, factory, "the user's own", {}, parameters_of(factory))
        except (TypeError, ValueError, NameError, PydanticUserError, ValidationError) as error:
            raise HeadstartError(
                f"{at(path)}cannot read the parameters of {name!r}: {' '.join(str(error).split())}"
            ) from error


def own_file(component: Component) -> Path | None:
    """The file that `package.module:factory` of the user's own is read from, if the part is such
    and has one.
    """
    return own_modules.file_of(component.name, component.origin) if ":" in component.name else None


def _given_entry(kind: str) -> Entry[Any]:
    """The entry of the parts that a Python program gave: values of this process."""

    def factory(*context: Any, name: str, sha256: str) -> Any:
        return given.find(kind, name, sha256).factory(*context)

    return Entry(given.GIVEN, factory, "a Python program", {}, parameters_of(factory))


def _frozen(values: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in values.items())
