"""How a part is written: as text, or as a mapping.

`proximal`, `proximal(mu=0.1)`, `adam@torch(epsilon=1e-7)`, `{proximal: {mu: 0.1}}` or `{name:
proximal, mu: 0.1}`.
"""

import ast
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator

from headstart.errors import HeadstartError
from headstart.parts.validation import as_name, at, shown

_WRITTEN = re.compile(
    r"^(?P<name>[\w.:-]+)(@(?P<preset>[\w-]+))?(\((?P<arguments>.*)\))?$", re.DOTALL
)


_NO_LITERAL = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
"""What Python raises of text that is no value."""


AS = "as"
"""The key by which a study names a part."""


def named(written: object, kind: str, path: str) -> tuple[object, str]:
    """A part of some kind as it is written, and the name that a study gives it, empty without one.

    The name stands beside the part or among its parameters. `path` is where the part stands.

    >>> named({"proximal": {"mu": 0.1}, "as": "ours"}, "client optimizer", "clients[0]")
    ({'proximal': {'mu': 0.1}}, 'ours')
    >>> named({"proximal": {"mu": 0.1, "as": "ours"}}, "client optimizer", "clients[0]")
    ({'proximal': {'mu': 0.1}}, 'ours')
    """
    if not isinstance(written, Mapping):
        return written, ""
    names = [written[AS]] if AS in written else []
    part = {key: value for key, value in written.items() if key != AS}
    if "name" not in part and len(part) == 1:
        ((name, inner),) = part.items()
        if isinstance(inner, Mapping) and AS in inner:
            names.append(inner[AS])
            part = {name: {key: value for key, value in inner.items() if key != AS}}
    if not names:
        return written, ""
    if len(names) > 1:
        raise HeadstartError(f"{at(path)}the {kind} is named twice (as); name it once")
    return part, as_name(names[0], f"{at(path)}as")


def read(written: object, kind: str, path: str) -> tuple[str, str | None, dict[str, Any]]:
    """The name, the preset and the parameters of a part of some kind. `path` is where it stands."""
    arguments: object = {}
    if isinstance(written, Mapping) and "name" in written:
        arguments = {key: value for key, value in written.items() if key != "name"}
        written = written["name"]
    elif isinstance(written, Mapping) and len(written) == 1:
        written, arguments = next(iter(written.items()))
    match = _WRITTEN.match(written.strip()) if isinstance(written, str) else None
    if match is None or not isinstance(arguments, Mapping | None):
        cut = isinstance(written, str) and "(" in written and ")" not in written
        hint = "; put it in quotes: in [a, b] a comma ends an item" if cut else ""
        raise HeadstartError(
            f"{at(path)}expected a {kind} such as 'name', 'name(parameter=1)' or "
            f"{{name: {{parameter: 1}}}}, got {shown(written)}{hint}"
        )
    inline = _keywords(match["arguments"] or "", path)
    for key in inline.keys() & (arguments or {}).keys():
        raise HeadstartError(f"{at(path)}the parameter {key!r} is there twice; remove one")
    return match["name"], match["preset"], {**inline, **dict(arguments or {})}


def _as_text(written: object) -> object:
    """A part that is named within another, as text, whichever way it is written.

    >>> _as_text({"table": {"path": "a.csv", "client": None}})
    "table(path='a.csv', client=None)"
    >>> _as_text({"name": "sgd", "momentum": 0.5})
    'sgd(momentum=0.5)'
    """
    if not isinstance(written, Mapping):
        return written
    named = "name" in written
    if not named and len(written) != 1:
        return written
    name = written["name"] if named else next(iter(written))
    inner = (
        {key: value for key, value in written.items() if key != "name"} if named else written[name]
    )
    if not isinstance(inner, Mapping | None):
        return written
    arguments = ", ".join(f"{key}={_as_text(value)!r}" for key, value in (inner or {}).items())
    return f"{name}({arguments})" if arguments else name


PartText = Annotated[str, BeforeValidator(_as_text)]
"""The type of a parameter that names a part: text, or the same as a mapping."""


def _keywords(text: str, path: str) -> dict[str, Any]:
    source, values = f"part({text})", {}
    expected = f"{at(path)}expected parameters as 'name=value', got {shown(text)}"
    try:
        call = ast.parse(source, mode="eval").body
    except _NO_LITERAL:
        raise HeadstartError(expected) from None
    if not isinstance(call, ast.Call) or call.args or not isinstance(call.func, ast.Name):
        raise HeadstartError(expected)
    for keyword in call.keywords:
        try:
            values[str(keyword.arg)] = _value(keyword.value)
        except _NO_LITERAL:
            value = ast.get_source_segment(source, keyword.value) or ""
            is_text = re.fullmatch(r"[\w ./+-]+", value)
            hint = f"; text needs quotes: {keyword.arg}={value!r}" if is_text else ""
            raise HeadstartError(f"{expected}{hint}") from None
    if len(values) < len(call.keywords):
        names = [str(keyword.arg) for keyword in call.keywords]
        twice = next(name for i, name in enumerate(names) if name in names[:i])
        raise HeadstartError(f"{at(path)}the parameter {twice!r} is there twice; remove one")
    return values


def _value(node: ast.expr) -> Any:
    """A literal; a bare word is what it is in YAML."""
    words = {"true": True, "false": False, "null": None}
    return words.get(node.id, node.id) if isinstance(node, ast.Name) else ast.literal_eval(node)
