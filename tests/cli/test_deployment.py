"""`export` writes an app, `conform` says whether it trains alike; bad input is one line."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from .conftest import headstart, invoke


@pytest.fixture
def out(file: Path, tmp_path: Path) -> Any:
    ended = headstart("run", file, "--out", tmp_path / "out", "--jobs", "1")
    assert ended.returncode == 0, ended.stderr
    return tmp_path / "out"


def test_an_app_is_exported_and_conforms(out: Path, tmp_path: Path) -> None:
    app = tmp_path / "app"
    told = invoke("export", out, "--into", app, "--client", "sgd", "--server", "sgd")
    assert told.exit_code == 0
    assert f"app: {app}" in told.output
    again = headstart("export", out, "--into", app, "--client", "sgd")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "is there already" in again.stderr
    ended = headstart("conform", app, out, "--rounds", "2")
    if find_spec("flwr") is None:
        assert (ended.returncode, "is not installed" in ended.stderr) == (2, True)
    else:
        assert ended.returncode == 0
        assert "conforms: the same weights after each of 2 rounds" in ended.stdout
        other = headstart("conform", app, out, "--run-config", "cohorts=nodes")
        assert other.returncode == 0  # all nodes are there, and are drawn as the plan has them


def test_bad_input_is_one_line(out: Path, tmp_path: Path) -> None:
    app = tmp_path / "app"
    for asked, line in (
        (("export", out, "--into", app, "--to", "nvflare"), "--to: expected flower"),
        (("export", tmp_path / "none", "--into", app), "expected the folder of a study"),
        (("conform", app, out, "--run-config", "rounds"), "expected KEY=VALUE"),
    ):
        ended = headstart(*asked)
        assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
        assert line in ended.stderr
        assert not app.exists()
