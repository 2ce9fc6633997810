"""One word, one meaning: the glossary of CONTRIBUTING, the names of classes, and what docstrings
say.

What is not yet so is counted, and no count may grow.
"""

import ast
import itertools
import re
import textwrap
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
GLOSSARY = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Words")[2]
ENTRIES = re.findall(r"^\| ([a-z ]+) \| (.+) \|$", GLOSSARY.partition("\n## ")[0], re.MULTILINE)[1:]

MANY = 5


@lru_cache
def definitions() -> list[tuple[str, ast.AST]]:
    """Every class and function that is no part of a function, with where it is."""
    found: list[tuple[str, ast.AST]] = []
    for path in SOURCES:
        place = path.relative_to(ROOT / "src" / "headstart").as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        found += [(f"{place}: {name}", node) for name, node in defined(tree)]
    return found


def defined(parent: ast.AST, prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """The classes and functions of a module, and those of its classes, by their full names."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield prefix + node.name, node
        if isinstance(node, ast.ClassDef):
            yield from defined(node, f"{prefix}{node.name}.")


def is_public(name: str) -> bool:
    """Whether no part of a name, as `Class.method`, begins with an underscore."""
    return not any(part.startswith("_") for part in name.partition(": ")[2].split("."))


def is_overload(node: ast.FunctionDef) -> bool:
    """Whether a function only states another type of the one that follows."""
    return any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)


def parameters(node: ast.FunctionDef) -> int:
    """How many parameters a function has, `self` and `cls` left out."""
    names = [arg.arg for arg in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def without_docstring() -> list[str]:
    """The public names that say nothing."""
    found = []
    for name, node in definitions():
        if not isinstance(node, ast.ClassDef | ast.FunctionDef) or not is_public(name):
            continue
        overload = isinstance(node, ast.FunctionDef) and is_overload(node)
        if not overload and not ast.get_docstring(node):
            found.append(name)
    return found


def without_args() -> list[str]:
    """The public functions of many parameters that do not list them.

    The parameters of a registered factory, and of a command, are described where they are declared.
    """
    found = []
    for name, node in definitions():
        if not isinstance(node, ast.FunctionDef) or not is_public(name):
            continue
        decorators = [ast.unparse(one) for one in node.decorator_list]
        registered = any("register" in one or ".command" in one for one in decorators)
        lists = "Args:" in (ast.get_docstring(node) or "")
        if parameters(node) >= MANY and not registered and not lists:
            found.append(name)
    return found


CODE = re.compile(r" +(?:@|def |class |from |import )")
"""How a block of code in a docstring begins."""

ENTRY = re.compile(r"(?!>>>|\.\.\.)\S+ {2,}\S")
"""An entry of a map: a name, and after a gap what it is."""


def broken_docstrings() -> list[str]:
    """Where a docstring lost its lines: two files of a map, or two statements, in one."""
    found = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Constant):
                continue
            if isinstance(node.value.value, str) and is_broken(node.value.value, node.col_offset):
                found.append(f"{path.relative_to(ROOT)}: {node.lineno}")
    return found


def is_broken(docstring: str, indent: int) -> bool:
    """Whether entries of a map run together, a line stands left of the others, or code is none."""
    lines = docstring.splitlines()
    if any(line.count("DIR/") > 1 or line[:indent].strip() for line in lines[1:]):
        return True
    lines = [lines[0], *(line[indent:] for line in lines[1:])]
    for line, following in itertools.pairwise(lines):
        is_name = ENTRY.match(following) or " " not in following
        if ENTRY.match(line) and following[:1].strip() and not is_name:
            return True
    for block in "\n".join(lines).split("\n\n"):
        if block.startswith(" ") and CODE.match(block) and not is_code(textwrap.dedent(block)):
            return True
    return False


def is_code(text: str) -> bool:
    """Whether a text is statements of Python."""
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@pytest.mark.parametrize(
    "lines",
    [
        ["A map.", "", "DIR/a  one DIR/b  two"],
        ["A map.", "", "DIR/a  one", "and DIR/b  two"],
        ["A list.", "", "flower  starts at 0, and", "the rate is", "        multiplied"],
        ["Code.", "", "    @part() def made(*, mu:", "    float): ..."],
    ],
)
def test_a_docstring_whose_lines_ran_together_is_known(lines: list[str]) -> None:
    assert is_broken("\n".join(lines), 0)


def test_a_line_that_stands_left_of_its_docstring_is_known() -> None:
    assert is_broken("One.\n\n    flower  two, and\nthree\n", 4)


def test_each_word_of_the_glossary_is_there_once() -> None:
    words = [word for word, _ in ENTRIES]
    assert len(words) > 30
    assert [word for word, count in Counter(words).items() if count > 1] == []


@pytest.mark.parametrize(("word", "meaning"), ENTRIES)
def test_the_class_of_a_word_is_one_of_the_package(word: str, meaning: str) -> None:
    classes = {name.rpartition(": ")[2] for name, _ in definitions()}
    for named in re.findall(r"`(\w+)`", meaning):
        assert named in classes, word


def test_each_class_has_a_name_of_its_own() -> None:
    classes = [node.name for _, node in definitions() if isinstance(node, ast.ClassDef)]
    twice = {name for name, count in Counter(classes).items() if count > 1}
    assert twice == set()


def test_public_names_say_what_they_are() -> None:
    assert without_docstring() == []


def test_docstrings_keep_their_lines() -> None:
    """A map of a folder has one entry a line, code has its lines,
    and no line stands left of the rest.
    """
    assert broken_docstrings() == []


def test_functions_of_many_parameters_list_them() -> None:
    assert without_args() == []
