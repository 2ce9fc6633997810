"""Where tests are and what they may touch: each at the place of its module,
none of a private name.
"""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "headstart"
TESTS = sorted((ROOT / "tests").rglob("*.py"))

UNDER_CONTRACT = {
    "clients", "servers", "models", "starts", "probes", "tasks", "tasks/partitions", "tasks/tokens",
    "engine/executors", "report/panels", "trackers", "testing",
}  # fmt: skip
"""Rooms of methods, each of which a contract holds; tests of their mathematics have a file where
there are some.
"""


def modules_tested_elsewhere() -> list[str]:
    """The modules that have no file of tests at their place."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE)
        room = place.parent.as_posix()
        if path.stem.startswith("__") or room in UNDER_CONTRACT:
            continue
        if not (ROOT / "tests" / place.parent / f"test_{path.stem}.py").exists():
            found.append(place.as_posix())
    return found


def test_a_module_has_its_tests_at_its_place() -> None:
    assert modules_tested_elsewhere() == []


def private_imports(tree: ast.AST) -> list[str]:
    """The names with a leading underscore that a module takes from the package."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("headstart"):
            found += [
                alias.name
                for alias in node.names
                if alias.name.startswith("_") and alias.name != "__version__"
            ]
    return found


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_no_test_imports_a_private_name(path: Path) -> None:
    assert private_imports(ast.parse(path.read_text(encoding="utf-8"))) == []


def test_what_a_private_import_is() -> None:
    text = "from headstart.study.rounds import _x, y\nfrom os import _exit\n"
    assert private_imports(ast.parse(text)) == ["_x"]
