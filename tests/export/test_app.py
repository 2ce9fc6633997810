"""An app is a folder of short files, whole or not there."""

import json
import tomllib
from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.export.app import write
from headstart.export.recipe import Recipe
from headstart.parts.origin import KEPT
from headstart.study.runner import run_study
from headstart.study.spec import Study

from .conftest import Export

OWN = """
from headstart.clients.sgd import sgd
def mine(): return sgd()
"""


def test_an_app_has_the_files_that_flower_wants(exported: Export) -> None:
    app = exported("mimelite")
    asked = tomllib.loads((app / "pyproject.toml").read_text())
    assert asked["project"]["name"] == app.name == "mimelite-adam"
    flower = asked["tool"]["flwr"]["app"]
    assert flower["components"] == {"serverapp": "server_app:app", "clientapp": "client_app:app"}
    config = flower["config"]
    assert (config["rounds"], config["cohorts"], config["min-nodes"]) == (3, "nodes", 3)
    assert config["weights"] == str(app / "weights.safetensors")
    assert json.loads((app / "recipe.json").read_text())["client"] == "mimelite"
    assert sorted(path.name for path in app.iterdir()) == [
        "README.md",
        "client_app.py",
        "pyproject.toml",
        "recipe.json",
        "server_app.py",
        "weights.safetensors",
    ]
    assert "inputs: a tensor [N, 1, 8, 8]" in (app / "client_app.py").read_text()
    assert all(
        (app / f"{name}_app.py").read_text().count("\n") < 35 for name in ("server", "client")
    )


def test_nothing_is_written_over_or_left(out: Path, tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    with pytest.raises(HeadstartError, match="app is there already; choose another name"):
        write(out, tmp_path / "app", "random", "sgd", "adam")
    with pytest.raises(HeadstartError, match="letters, digits and hyphens"):
        write(out, tmp_path / "my_app", "random", "sgd", "adam")
    with pytest.raises(HeadstartError, match="recommends no pair"):
        write(out, tmp_path / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["app"]


def test_modules_of_the_users_own_go_along(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "study.yaml").write_text(
        "{task: digits, model: logistic, population: 4, cohort: 2, rounds: 1, batch_size: 512, "
        "clients: ['own:mine'], seeds: [0], executor: loop}"
    )
    out = run_study(Study.load(tmp_path / "study.yaml"), tmp_path / "out")
    app = tmp_path / "app"
    write(out, app, client="own:mine", server="sgd")
    assert (app / KEPT / "own.py").read_text() == OWN
    assert Recipe.read(app).client == "own:mine"
