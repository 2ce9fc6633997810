"""Modules beside a study file: whose imports find them, and whose do not."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.parts.beside import ModulesBeside
from headstart.study.spec import Study

NET = """
from torch import nn
{head}
def net(input_shape, outputs):
    {body}
    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))
"""


PROBING = """
def has(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return True
"""


def build(folder: Path, head: str = "", body: str = "pass") -> None:
    """Reads a study of a model beside it, and makes the model."""
    (folder / "net_beside_of_test.py").write_text(NET.format(head=head, body=body))
    study = {"task": "digits", "model": "net_beside_of_test:net", "seeds": 0}
    (folder / "study.yaml").write_text(yaml.safe_dump(study))
    MODELS.build(Study.load(folder / "study.yaml").model, (1, 8, 8), 10)


@pytest.fixture
def probing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A library that tries whether there is another one."""
    library = tmp_path / "library"
    library.mkdir()
    (library / "probing_of_test.py").write_text(PROBING)
    monkeypatch.syspath_prepend(library)
    yield "probing_of_test"
    sys.modules.pop("probing_of_test", None)


@pytest.mark.parametrize("when", ["head", "body"])
def test_a_library_that_looks_for_another_does_not_find_a_file_beside_the_study(
    tmp_path: Path, probing: str, when: str
) -> None:
    (tmp_path / "optional_of_test.py").write_text("raise AssertionError('imported')")
    line = f"import {probing}; assert not {probing}.has('optional_of_test')"
    build(tmp_path, **{when: line})
    assert not importlib.import_module(probing).has("optional_of_test")


@pytest.mark.parametrize("when", ["head", "body"])
@pytest.mark.parametrize("line", ["import {}", "import importlib; importlib.import_module('{}')"])
def test_a_module_beside_finds_its_neighbours_at_any_time(
    tmp_path: Path, when: str, line: str
) -> None:
    name = f"neighbour_of_test_{when}"
    (tmp_path / f"{name}.py").write_text("VALUE = 3")
    build(tmp_path, **{when: line.format(name)})
    assert sys.modules[name].VALUE == 3


def test_a_folder_of_modules_is_a_package_without_a_word_of_it(tmp_path: Path) -> None:
    (tmp_path / "folder_of_test").mkdir()
    (tmp_path / "folder_of_test" / "part.py").write_text("VALUE = 4")
    build(tmp_path, "from folder_of_test.part import VALUE")
    assert sys.modules["folder_of_test.part"].VALUE == 4


@pytest.mark.parametrize("name", ["ensurepip", "mypy"])
def test_a_neighbour_with_the_name_of_an_installed_module_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, name, raising=False)
    (tmp_path / f"{name}.py").write_text("raise AssertionError('imported')")
    with pytest.raises(
        HeadstartError, match=rf"{name} has the name of another module, '{name}'; rename it$"
    ):
        build(tmp_path, f"import {name}")


def test_a_folder_of_data_does_not_hide_a_module(tmp_path: Path) -> None:
    (tmp_path / "colorsys").mkdir()
    build(tmp_path, "import colorsys; assert colorsys.rgb_to_hsv")


def test_the_libraries_of_an_environment_inside_the_folder_are_not_of_it(tmp_path: Path) -> None:
    (tmp_path / "optional_of_test.py").write_text("")
    finder = ModulesBeside(tmp_path, "nobody")
    inside = compile(
        "found = finder.find_spec('optional_of_test', None)",
        str(tmp_path / ".venv/lib/it.py"),
        "exec",
    )
    names = {"finder": finder, "__name__": "it"}
    exec(inside, names)
    assert names["found"] is None
    beside = compile(
        "found = finder.find_spec('optional_of_test', None)", str(tmp_path / "it.py"), "exec"
    )
    exec(beside, names)
    assert names["found"] is not None
