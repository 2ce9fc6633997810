"""The text of a study file: YAML as its version 1.2 reads it, of which nothing is executed.

Words and numbers are those of YAML's core schema: `010` is ten, `1:30`, `1_0`, `yes`, `on` and
`2020-01-01` are text. Python's YAML is of version 1.1, where they are 8, 90, 10, true, true and a
date. A file is small and has an end, whatever is in it: what stands for more than it says (an alias
within an alias within an alias) is counted as what it stands for.
"""

import itertools
import json
import re
import stat
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from headstart import files
from headstart.errors import HeadstartError
from headstart.parts.validation import DEEPEST, refuse_unwritable

MOST_BYTES = 10**6
"""A study file of 100,000 seeds has two thirds of it. Reading so many takes some seconds."""

MOST_LETTERS = 500
"""Of a reason why a file cannot be read, which may hold a part of it."""

MOST_NODES = 500_000
"""Values in a file, those that an alias stands for counted each time."""

_TAG = "tag:yaml.org,2002:"


def read(path: Path) -> dict[str, Any]:
    """The keys of a study file, as they are written.

    Raises:
        HeadstartError: the file cannot be read, or is no mapping of keys.
    """
    with files.explained(path, "read"):
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
            raise HeadstartError(f"cannot read {path}: expected a file, got a device or a pipe")
        if found.st_size > MOST_BYTES:
            raise HeadstartError(
                f"{path}: expected a study file of at most {MOST_BYTES // 10**6} MB, got "
                f"{found.st_size // 10**6} MB"
            )
        content = path.read_bytes()
    try:
        keys = _keys(content.decode(), path.name)
        if isinstance(keys, Mapping) and all(isinstance(key, str) for key in keys):
            refuse_unwritable(keys)
            return dict(keys)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise HeadstartError(f"{path} cannot be read as YAML: {reason[:MOST_LETTERS]}") from None
    except HeadstartError as error:
        raise HeadstartError(f"{path}: {error}") from None
    raise HeadstartError(f"{path}: expected a mapping of study keys, got {type(keys).__name__}")


def written(keys: Mapping[str, Any]) -> str:
    """The text of a study file that `read` reads as these keys."""
    return yaml.dump(dict(keys), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def in_line(value: Any) -> str:
    """A value as it stands on the line of its key.

    >>> in_line("a: b"), in_line(["age", "010"]), in_line("a\\nb")
    ("'a: b'", "[age, '010']", '"a\\\\nb"')
    """
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=MOST_BYTES
    )
    return text.removesuffix("...\n").strip()


def _keys(text: str, name: str) -> object:
    loader = _Loader(text)
    loader.name = name
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}, 0) > MOST_NODES:
            raise HeadstartError(
                f"expected a study file of at most {MOST_NODES:,} values, got more"
            )
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _size(node: yaml.Node, known: dict[int, int], depth: int) -> int:
    """How many values a node stands for. `known`: those of the nodes that were seen, 0 while one is
    counted.
    """
    if id(node) in known:
        if not known[id(node)]:
            raise yaml.MarkedYAMLError(
                problem="an alias stands within what it names", problem_mark=node.start_mark
            )
        return known[id(node)]
    if depth > DEEPEST:
        problem = f"expected lists and mappings at most {DEEPEST} deep, got more"
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
    known[id(node)] = 0
    inner = [] if isinstance(node, yaml.ScalarNode) else node.value
    if isinstance(node, yaml.MappingNode):
        inner = itertools.chain.from_iterable(inner)
    known[id(node)] = 1 + sum(_size(one, known, depth + 1) for one in inner)
    return known[id(node)]


class _Loader(yaml.SafeLoader):
    """YAML without tags that execute anything; keys stand once; scalars as in the core schema of
    YAML 1.2.
    """

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    yaml_constructors = {}  # noqa: RUF012

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[Any] = set()
        for key_node, _ in node.value:
            if key_node.tag == f"{_TAG}merge":
                continue
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="expected a word as a key", problem_mark=key_node.start_mark
                )
            key = self.construct_object(key_node, deep=True)
            if key in keys:
                problem = f"the key {key!r} is there twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key_node.start_mark)
            keys.add(key)
        return super().construct_mapping(node, deep)


def _of_scalar(loader: _Loader, node: yaml.Node) -> Any:
    """A scalar whose tag says what it is; it was found by its form, or a `!!int` of another form is
    refused.
    """
    kind = node.tag.removeprefix(_TAG)
    text = str(loader.construct_scalar(node))  # type: ignore[arg-type]
    if not _FORMS[kind].fullmatch(text):
        raise yaml.MarkedYAMLError(
            problem=f"expected {node.tag!r}, got {text!r}", problem_mark=node.start_mark
        )
    match kind:
        case "null":
            return None
        case "bool":
            return text.lower() == "true"
        case "int":
            sign, digits = (-1 if text[0] == "-" else 1), text.lstrip("+-")
            return sign * int(digits, {"0o": 8, "0x": 16}.get(digits[:2], 10))
        case _:
            return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_FORMS = {
    "null": re.compile(r"~|null|Null|NULL|"),
    "bool": re.compile(r"true|True|TRUE|false|False|FALSE"),
    "int": re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    "float": re.compile(
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
    ),
    "merge": re.compile(r"<<"),
}
"""The core schema of YAML 1.2.2, section 10.3.2, and the merge key of 1.1."""

for _kind, _form in _FORMS.items():
    _Loader.add_implicit_resolver(f"{_TAG}{_kind}", re.compile(f"(?:{_form.pattern})$"), None)
    if _kind != "merge":
        _Loader.add_constructor(f"{_TAG}{_kind}", _of_scalar)
for _kind in ("str", "seq", "map"):
    _Loader.add_constructor(f"{_TAG}{_kind}", yaml.SafeLoader.yaml_constructors[f"{_TAG}{_kind}"])
_Loader.add_constructor(None, yaml.SafeLoader.construct_undefined)  # type: ignore[type-var]


class _Dumper(yaml.SafeDumper):
    """Writes a text in quotes where either version of YAML would take it for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


for _kind in ("null", "bool", "int", "float"):
    _Dumper.add_implicit_resolver(
        f"{_TAG}{_kind}", re.compile(f"(?:{_FORMS[_kind].pattern})$"), None
    )
