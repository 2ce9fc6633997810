"""Parts of the user's own: the modules that they may come from, and how these are imported.

A study file is data. What it names as `package.module:factory` is code, and comes from nowhere but
(a) a module beside the study file, or else in the working folder;
(b) a module that whoever runs the study allows (`--allow`);
(c) an installed package that registers itself under the entry points `headstart`. All else is
refused before anything is imported: run a stranger's study as you would run their script.
"""

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

from headstart.errors import HeadstartError, said
from headstart.parts.beside import ModulesBeside, is_of, refuse_name_of_installed
from headstart.parts.origin import KEPT, Origin

GROUP = "headstart"
"""The entry points of packages with parts: each names a module whose import registers them."""

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


@dataclass
class _Place:
    """A folder that modules were imported from: those asked for, and all that came along.

    `finder`: what finds them; `before`: the modules that Python knew when it was first asked for
    one.
    """

    finder: ModulesBeside
    before: dict[str, ModuleType] = field(default_factory=lambda: dict(sys.modules))
    asked: dict[str, ModuleType] = field(default_factory=dict)
    along: dict[str, ModuleType] = field(default_factory=dict)


_places: dict[Path, _Place] = {}


def factory_of(name: str, origin: Origin) -> Callable[..., Any]:
    """The function or class behind `package.module:factory`, where a study of that origin may name
    it.

    Raises:
        HeadstartError: its module is in none of the places, is not to be imported, or has no such
            function.
    """
    module_name, _, attribute = name.partition(":")
    if not _NAME.fullmatch(module_name) or not attribute.isidentifier():
        raise HeadstartError(f"expected package.module:factory, got {name!r}")
    place = _place_of(module_name, origin)
    with one_line(f"cannot import {name!r}"):
        module = (
            importlib.import_module(module_name) if place is None else _from(place, module_name)
        )
        factory = getattr(module, attribute)
    if not callable(factory):
        kind = type(factory).__name__
        raise HeadstartError(f"expected a function behind {name!r}, got {kind}")
    found: Callable[..., Any] = factory
    return found


def file_of(name: str, origin: Origin) -> Path | None:
    """The file of the module of `package.module:factory`, if it was imported and has one."""
    module_name = name.partition(":")[0]
    place = _place_of(module_name, origin)
    asked = _places[place].asked if place in _places else {}
    file = getattr(asked.get(module_name) or sys.modules.get(module_name), "__file__", None)
    return Path(file) if file else None


def imported_from(origin: Origin) -> dict[str, Path]:
    """The files of all modules that were imported from the folders of an origin, by their place in
    these.
    """
    files: dict[str, Path] = {}
    for place in _looked_in(origin):
        if place not in _places:
            continue
        _note_late(place)
        for module in _places[place].along.values():
            file = Path(str(getattr(module, "__file__", "")))
            if file.suffix == ".py":
                files.setdefault(str(file.relative_to(place)), file)
    return dict(sorted(files.items()))


def _note_late(place: Path) -> None:
    """Take up what modules of a folder have imported since, such as when a part was made."""
    modules = _places[place]
    for name, module in list(sys.modules.items()):
        if module is not modules.before.get(name) and _is_from(module, name, place):
            modules.along[name] = module


@contextmanager
def sent_along() -> Iterator[None]:
    """Processes that begin afresh within the block look in the folders of own modules, too: what
    they are sent may be of these.
    """
    places = [str(place) for place in _places]
    sys.path += places
    try:
        yield
    finally:
        for place in places:
            sys.path.remove(place)


@contextmanager
def one_line(doing: str) -> Iterator[None]:
    """Turns whatever somebody's own code may raise, a `SystemExit` too, into one line that begins
    with `doing`.
    """
    try:
        yield
    except (HeadstartError, KeyboardInterrupt, GeneratorExit):
        raise
    except BaseException as error:
        ends = ", which would end the program" if isinstance(error, SystemExit) else ""
        raise HeadstartError(f"{doing}: {type(error).__name__}: {said(error)}{ends}") from error


def refuse_other_form(
    kind: str, name: str, signature: inspect.Signature, takes: Sequence[str]
) -> None:
    """Refuse a function that cannot be called with what the program hands in: it was made for
    something else.

    What it takes first may be called otherwise than `takes` says, but then has no default.
    """
    positional: list[inspect.Parameter] = []
    takes_any = False
    for parameter in signature.parameters.values():
        takes_any = takes_any or parameter.kind is parameter.VAR_POSITIONAL
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            positional.append(parameter)
    lacks = len(positional) < len(takes) and not takes_any
    asks_more = any(_has_no_default(parameter) for parameter in positional[len(takes) :])
    means_other = False
    for parameter, wanted in zip(positional, takes, strict=False):
        if not _has_no_default(parameter) and parameter.name != wanted:
            means_other = True
    if lacks or asks_more or means_other:
        own = ", ".join(signature.parameters)
        raise HeadstartError(
            f"expected a function of ({', '.join(takes)}) as a {kind}, with parameters of its own "
            f"after a *, got {name!r}, which is one of ({own}); write a function that calls it"
        )


def _has_no_default(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


def load_installed() -> dict[str, str]:
    """Import what installed packages register, once; returns why those that cannot be imported
    cannot.
    """
    global _faults
    if _faults is None:
        _faults = {}
        for point in metadata.entry_points(group=GROUP):
            try:
                with one_line("cannot import"), _registering(_package(point)):
                    point.load()
            except HeadstartError as error:
                _faults[_package(point)] = f"{point.value}: {' '.join(str(error).split())}"
    return _faults


def registering() -> str:
    """The installed package that is being imported to register its parts, or nothing."""
    return _registers


_faults: dict[str, str] | None = None
_registers = ""


@contextmanager
def _registering(package: str) -> Iterator[None]:
    global _registers
    _registers = package
    try:
        yield
    finally:
        _registers = ""


def _module(point: metadata.EntryPoint) -> str:
    """The module that an entry point names, also where it names it badly."""
    return point.value.partition(":")[0].strip()


def _package(point: metadata.EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.name


def _looked_in(origin: Origin) -> tuple[Path, ...]:
    return (origin.folder, origin.folder / KEPT, *origin.places[1:])


def _place_of(module: str, origin: Origin) -> Path | None:
    """The folder that has the module, or None where Python may look for it."""
    if origin.allow is None:
        _leave_others(None)
        if _is_importable(module):
            return None
    for place in _looked_in(origin):
        file = place.joinpath(*module.split("."))
        if file.with_suffix(".py").is_file() or (file / "__init__.py").is_file():
            return place
    installed = [_module(point) for point in metadata.entry_points(group=GROUP)]
    if origin.allow is None or any(_is_in(module, one) for one in (*origin.allow, *installed)):
        return None
    file_name = f"{module.replace('.', '/')}.py"
    raise HeadstartError(
        f"expected a module of your own, {file_name} in {' or '.join(map(str, origin.places))}, "
        f"and found none; {module!r} from elsewhere is taken only with --allow {module}"
    )


def _is_importable(module: str) -> bool:
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _from(place: Path, name: str) -> ModuleType:
    """A module of a folder. One of that name from another folder stays with the study that it
    belongs to.
    """
    kept = _places.setdefault(place, _Place(ModulesBeside(place, __file__)))
    _leave_others(place)
    if name in kept.asked:
        return kept.asked[name]
    top = name.partition(".")[0]
    loaded = sys.modules.get(top)
    if loaded is not None and not _is_from(loaded, top, place):
        raise HeadstartError(f"{place / top} has the name of another module, {top!r}; rename it")
    refuse_name_of_installed(top, place)
    before = set(sys.modules)
    if kept.finder in sys.meta_path:
        sys.meta_path.remove(kept.finder)
    sys.meta_path.insert(0, kept.finder)
    importlib.invalidate_caches()
    try:
        kept.asked[name] = importlib.import_module(name)
    finally:
        came = {one: sys.modules[one] for one in set(sys.modules) - before}
        kept.along.update(
            {one: module for one, module in came.items() if _is_from(module, one, place)}
        )
        _leave_others(place)
    return kept.asked[name]


def _leave_others(place: Path | None) -> None:
    """Has Python know the modules of this folder, and forget those of others that have the same
    names.
    """
    for other, modules in _places.items():
        if other == place:
            sys.modules.update(modules.along)
            continue
        for name, module in modules.along.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def _is_from(module: ModuleType, name: str, place: Path) -> bool:
    file = getattr(module, "__file__", None)
    if file is None:
        return any(Path(path).is_relative_to(place) for path in getattr(module, "__path__", ()))
    return is_of(Path(file), name, place)
