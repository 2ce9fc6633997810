"""What a published study needs to be run again, beside its study file: modules, files, a
program.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import files
from headstart.parts.origin import KEPT
from headstart.report.publication.markdown import code
from headstart.wording.phrases import listed

RUN = "headstart run study.yaml --out out"
SAME = "   # the same clients, batches and order, so the same results"

NO_PARTS = ("name", "title", "trainable", "device")

_PART = re.compile(r"([\w.-]+(?::[^\W\d]\w*)?)(?:@[\w.-]+)?(\(.*\))?", re.DOTALL)
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
        for name, arguments in _parts(value) if key not in NO_PARTS else ():
            module, is_own, _ = name.partition(":")
            paths += _paths(name, arguments)
            if name == "python":
                given.append(_text(arguments.get("name")))
            if is_own and not _places(module) & modules.keys():
                elsewhere.append(module)
    return Needs(_once(given), _once(paths), modules, _once(elsewhere))


def in_words(needs: Needs) -> list[str]:
    """The lines of a README on how to repeat the study."""
    if needs.given:
        return [
            f"A Python program gave this study {listed(map(code, needs.given))}, which "
            "`study.yaml` names and does not hold: run that program to repeat it.",
            *_to_have(needs),
        ]
    allow = "".join(f" --allow {name}" for name in needs.elsewhere)
    command = f"{RUN}{allow}{SAME}"
    return [*_to_have(needs), "```bash", command, "headstart publish out --into again", "```"]


def _to_have(needs: Needs) -> list[str]:
    """What must be there before the study is run again, each with an empty line behind it."""
    lines = []
    if needs.paths:
        names = listed(map(code, needs.paths))
        lines += [
            f"Not in this folder, and to be put in place first: {names} (a path that does not "
            "begin with `/`, `~` or `$` is looked up beside `study.yaml`).",
            "",
        ]
    if needs.modules:
        copies = f"`{KEPT}/` has copies of the study's own modules: code that runs with it."
        lines += [copies, ""]
    if needs.elsewhere:
        names = listed(map(code, needs.elsewhere))
        first = "Not in this folder, and to be installed first"
        lines += [f"{first}: the Python modules {names}.", ""]
    return lines


Arguments = Mapping[str, Any]


def _parts(value: Any) -> Iterator[tuple[str, Arguments]]:
    """All that may be parts in the values of a study: their names and what they are given."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _parts(each)
    if isinstance(value, str) and (match := _PART.fullmatch(value)):
        arguments = _arguments(match[2] or "()")
        yield match[1], arguments
        for key, each in arguments.items():
            if _is_part(key, each):
                yield from _parts(each)


def _is_part(name: str, value: Any) -> bool:
    """Whether a parameter is a part too: a column may be called `site:id`, and is none."""
    return name in ("task", "like") or (isinstance(value, str) and value.endswith(")"))


def _arguments(written: str) -> Arguments:
    """The parameters in brackets; none where these are something else."""
    try:
        call = ast.parse(f"part{written}", mode="eval").body
        keywords = call.keywords if isinstance(call, ast.Call) else []
        return {str(each.arg): ast.literal_eval(each.value) for each in keywords}
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {}


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
