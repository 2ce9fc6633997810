"""Modules of the package as syntax trees, and what rules find in them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1] / "src" / "headstart"
FILES = sorted(ROOT.rglob("*.py"))


def imports(tree: Any) -> Iterator[Any]:
    """(line, module) of every import, however deep inside a function;
    those for type checking only as well.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            if node.module == "headstart":
                yield from ((node.lineno, f"headstart.{alias.name}") for alias in node.names)
            elif node.module and node.module.startswith("headstart."):
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, module


def calls(tree: Any) -> Iterator[Any]:
    """(line, dotted name, keyword names) of every call, with import aliases resolved."""
    aliases: dict[Any, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            aliases |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            aliases |= {
                alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names
            }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, _, rest = ast.unparse(node.func).partition(".")
            name = aliases.get(first, first) + (f".{rest}" if rest else "")
            yield node.lineno, name, {keyword.arg: keyword.value for keyword in node.keywords}


def broken(rule: Any, place: Any, text: str) -> Any:
    return [f"{place}:{line}: {message}" for line, message in rule(place, ast.parse(text))]
