"""What a study needs to be run again, beside its study file: modules, files, a program."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import files
from headstart.parts.origin import KEPT
from headstart.report.words.written_parts import GIVEN, Arguments, parts

NO_PARTS = ("name", "title", "trainable", "device")

_MODULE = re.compile(r"(?:[^\W\d]\w*/)*[^\W\d]\w*\.py")
_PATHS = re.compile(r"(?:\w+_)?(?:path|file|folder|dir)|train|test")
"""Parameters whose text is a path."""


@dataclass(frozen=True)
class Needs:
    """What a study needs that its file does not hold.

    `given`: names of the values that a Python program gave it. `paths`: files and folders, as the
    study file names them. `modules`: those of the user's own, by their places in the published
    folder. `elsewhere`: names of modules of which the results have no copy.
    """

    given: tuple[str, ...]
    paths: tuple[str, ...]
    modules: Mapping[str, bytes]
    elsewhere: tuple[str, ...]


def needs_of(settings: Mapping[str, Any], directory: Path) -> Needs:
    """The needs of the study whose results are in `directory`."""
    modules = _copies(directory / KEPT)
    given, paths, elsewhere = [], [], []
    for key, value in settings.items():
        for name, arguments in parts(value) if key not in NO_PARTS else ():
            module, is_own, _ = name.partition(":")
            paths += _paths(name, arguments)
            if name == GIVEN:
                given.append(_text(arguments.get("name")))
            if is_own and not _places(module) & modules.keys():
                elsewhere.append(module)
    return Needs(_once(given), _once(paths), modules, _once(elsewhere))


def _paths(name: str, arguments: Arguments) -> list[str]:
    if name == "hub":  # whose file lies at the hub
        return []
    named = [value for key, value in arguments.items() if _PATHS.fullmatch(key)]
    return [value for value in named if isinstance(value, str)]


def _copies(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in sorted(folder.rglob("*.py")):
        place = path.relative_to(folder).as_posix()
        if _MODULE.fullmatch(place) and path.is_file() and not path.is_symlink():
            with files.explained(path, "read"):
                found[f"{KEPT}/{place}"] = path.read_bytes()
    return found


def _places(module: str) -> set[str]:
    """Where a module lies in a published folder, if it does."""
    place = f"{KEPT}/{module.replace('.', '/')}"
    return {f"{place}.py", f"{place}/__init__.py"}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _once(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, names)))
