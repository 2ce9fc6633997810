"""The commands that write what came of studies say where it lies."""

from pathlib import Path

import pytest
from tests.cli.conftest import invoke
from tests.study.small_studies import study

from headstart.study.runner import run_study


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outcomes") / "out"
    keys = {"model": "logistic", "rounds": 1, "executor": "loop", "seeds": [0, 1]}
    return run_study(study(**keys, client_rates=0.1, server_rates=1.0), folder)


def test_a_report_is_written_beside_the_tables_or_elsewhere(out: Path, tmp_path: Path) -> None:
    assert invoke("report", out).stdout == f"report: {out / 'report.html'}\n"
    elsewhere = tmp_path / "page"
    assert invoke("report", out, "--into", elsewhere).stdout.startswith(f"report: {elsewhere}")
    assert (elsewhere / "report.html").is_file()


def test_the_weights_of_a_run_are_copied_and_named(out: Path, tmp_path: Path) -> None:
    file = tmp_path / "w.safetensors"
    found = invoke("model", out, "--into", file, "--seed", "1")
    assert found.exit_code == 0
    assert "seed 1" in found.stdout
    assert file.stat().st_size > 0


def test_a_folder_that_is_none_is_an_error(tmp_path: Path) -> None:
    found = invoke("report", tmp_path / "nowhere")
    assert found.exit_code != 0
    assert "nowhere" in str(found.exception)
