"""The user's own modules, and the files of what they import."""

import sys
from pathlib import Path

import pytest

from headstart.study.given.source_files import bound, is_own, sources


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module that imports another one of the user's, a package, and what is installed."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_net.py").write_text("import numpy\nimport own_layers.dense\n")
    (tmp_path / "own_layers").mkdir()
    (tmp_path / "own_layers" / "__init__.py").write_text("")
    (tmp_path / "own_layers" / "dense.py").write_text("import json\nfrom . import sparse\n")
    (tmp_path / "own_layers" / "sparse.py").write_text("x = 1\n")
    return tmp_path


def test_modules_of_python_of_packages_and_of_headstart_are_not_own(own: Path) -> None:
    assert [is_own(name) for name in ("os", "numpy", "headstart.rng")] == [False] * 3
    assert [is_own(name) for name in ("own_net", "own_layers.dense", "nowhere")] == [True] * 3


def test_sources_are_those_of_all_own_modules_that_are_reached(own: Path) -> None:
    found = sources(["own_net"])
    assert list(found) == ["own_layers", "own_layers.dense", "own_layers.sparse", "own_net"]
    assert found["own_layers.sparse"] == b"x = 1\n"
    assert "own_net" not in sys.modules


def test_what_an_import_statement_reaches(own: Path) -> None:
    assert bound("a.b", (), "") == ["a"]
    assert bound("own_layers", ["dense", "thing"], "") == ["own_layers.dense", "own_layers"]
    assert bound(".sparse", ["x"], "own_layers") == ["own_layers.sparse"]
    assert bound("..far", ["x"], "own_layers") == []
    assert bound("numpy", ["linalg"], "") == ["numpy"]
