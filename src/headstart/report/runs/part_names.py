"""Names that a study file gives its parts (`as`).

Tables of results name parts by what they are, so that a study may be named anew at any time; from
here on a part goes by the name that people read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from headstart.report.words.written_parts import arguments, by_name

AS = "as"
SINGLE = ("task", "model")
"""Keys of a study file that name one part."""

LISTS = ("starts", "clients", "servers", "partitions", "devices")
"""Keys that name several, also in the further grids."""


@dataclass(frozen=True)
class PartNames:
    """What parts are called, by the key of the study file and how they are written there; empty for
    a part without a name.
    """

    of: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def called(self, key: str, name: str) -> str:
        """The name of a part, as tables name it; that again where it has no other.

        A tuning changes parameters: such a part is the one in the file with most of its parameters
        and no others.
        """
        return self._called(key, name) or name

    def told(self, key: str, name: str) -> str:
        """The same with what it is behind it, where it has a name."""
        called = self._called(key, name)
        return f"{called} ({name})" if called else name

    def in_file(self, key: str, name: str) -> str | dict[str, str]:
        """How a study file names the part and what it is called."""
        called = self._called(key, name)
        return {"name": name, AS: called} if called else name

    @property
    def meanings(self) -> list[str]:
        """What each name stands for."""
        found = []
        for parts in self.of.values():
            found += [f"{called}: {written}" for written, called in parts.items() if called]
        return found

    def _called(self, key: str, name: str) -> str:
        named = self.of.get(key, {})
        if not any(named.values()):
            return ""
        written = {_bare(each): called for each, called in named.items()}
        if _bare(name) in written:
            return written[_bare(name)]
        given, kind = arguments(name).items(), name.partition("(")[0]
        fitting = []
        for each in written:
            if each.partition("(")[0] == kind and arguments(each).items() <= given:
                fitting.append(each)
        return written[max(fitting, key=lambda each: len(arguments(each)))] if fitting else ""


def _bare(written: str) -> str:
    """A part as tables and files both write it: a part that a program gave by its name."""
    return by_name(written).replace('"', "'")


def part_names(settings: Mapping[str, Any]) -> PartNames:
    """The names in a study file."""
    found: dict[str, dict[str, str]] = {}
    for key in (*SINGLE, *LISTS):
        values = settings.get(key)
        parts: list[Any] = list(values) if isinstance(values, list) else [values]
        for further in settings.get("also") or () if key in LISTS else ():
            parts += further.get(key) or ()
        named = found.setdefault(key, {})
        for part in parts:
            called = str(part[AS]) if _is_named(part) else ""
            if called or isinstance(part, str):
                named[without_names(part)] = called or named.get(part, "")
    return PartNames(found)


def without_names(value: Any) -> Any:
    """The values of a study file with each part as text."""
    if _is_named(value):
        return value["name"]
    if isinstance(value, Mapping):
        return {key: without_names(inner) for key, inner in value.items()}
    return list(map(without_names, value)) if isinstance(value, list) else value


def _is_named(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"name", AS}
