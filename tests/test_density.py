"""How densely the code is written: comprehensions, comprehensions in one another, and wide lines.

Each figure may only fall. Whoever brings one down writes the lower number here; nobody raises one.
"""

import ast
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
WRITTEN = ROOT / "docs/findings.md"  # by a command, in lines as long as what a study says
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted(page for page in (ROOT / "docs").glob("*.md") if page != WRITTEN),
]
WIDTH = 100
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

MOST = {
    "comprehensions per 100 lines": 2.2,
    "nested comprehensions per 100 lines": 0,
    "percent of lines over 100 columns": 0,
    "modules over 350 lines": 0,
}


def comprehensions(tree: ast.AST) -> tuple[int, int]:
    """Count the comprehensions of a module, and those with another inside or with more than one
    `for` or `if`.
    """
    found = [node for node in ast.walk(tree) if isinstance(node, COMPREHENSIONS)]
    nested = 0
    for node in found:
        conditions = sum(len(generator.ifs) for generator in node.generators)
        inner = [child for child in ast.walk(node) if isinstance(child, COMPREHENSIONS)]
        nested += len(node.generators) > 1 or conditions > 1 or len(inner) > 1
    return len(found), nested


def is_row(line: str) -> bool:
    """Whether a line of a page is the row of a table, which cannot be broken."""
    return line.lstrip().startswith("|")


@lru_cache
def figures() -> dict[str, float]:
    """Measure the whole package."""
    lines = wide = total = nested = long = 0
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        own = text.splitlines()
        lines += len(own)
        long += len(own) > 350
        wide += sum(len(line) > WIDTH for line in own)
        here, inside = comprehensions(ast.parse(text))
        total, nested = total + here, nested + inside
    for path in PAGES:
        own = [line for line in path.read_text(encoding="utf-8").splitlines() if not is_row(line)]
        lines += len(own)
        wide += sum(len(line) > WIDTH for line in own)
    return {
        "comprehensions per 100 lines": 100 * total / lines,
        "nested comprehensions per 100 lines": 100 * nested / lines,
        "percent of lines over 100 columns": 100 * wide / lines,
        "modules over 350 lines": long,
    }


@pytest.mark.parametrize("name", MOST)
def test_the_code_gets_no_denser(name: str) -> None:
    assert figures()[name] <= MOST[name]


def test_what_counts_as_nested() -> None:
    plain = "[x for x in y if x]"
    nested = "[[x for x in y] for y in z]; {x for y in z for x in y}; [x for x in y if x if y]"
    assert comprehensions(ast.parse(plain)) == (1, 0)
    assert comprehensions(ast.parse(nested)) == (4, 3)
