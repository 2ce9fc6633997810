"""docs/deploy.md: its commands are followed word by word, and its settings are the code's."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from safetensors.torch import load_file

from headstart.export.exchanges import distance
from headstart.export.flower.settings import AppSettings
from headstart.export.recipe import Recipe
from headstart.study.spec import Study

PAGE = (Path(__file__).parent.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
TO_AN_APP, FEDERATION, MODEL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
(STUDY,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

needs_flower = pytest.mark.skipif(find_spec("flwr") is None, reason="Flower is not installed")


def follow(commands: str, folder: Path, seconds: float = 300) -> str:
    """Carry commands out in a shell, as they are written, and end what they leave running."""
    bin_ = folder / "bin"
    bin_.mkdir(exist_ok=True)
    (bin_ / "headstart").write_text(f'#!/bin/sh\nexec {sys.executable} -m headstart "$@"\n')
    (bin_ / "headstart").chmod(0o755)
    path = f"{bin_}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    said = folder / "said"
    with said.open("w") as to:
        shell = subprocess.Popen(
            ["bash", "-ec", commands], cwd=folder, env={**os.environ, "PATH": path},
            stdout=to, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        try:
            status = shell.wait(seconds)
        finally:
            with suppress(ProcessLookupError):  # none is left
                os.killpg(shell.pid, signal.SIGKILL)
    assert status == 0, said.read_text()
    return said.read_text()


def without(lines: str, *begins: str) -> str:
    return "\n".join(line for line in lines.splitlines() if not line.startswith(begins))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page was followed until there is an app."""
    here = tmp_path_factory.mktemp("deploy")
    (here / "study.yaml").write_text(STUDY)
    said = follow(without(TO_AN_APP, "pip ", "headstart conform"), here)
    assert "6 runs in " in said
    assert "next: write load_data in" in said
    return here


def test_its_app_has_the_files_that_it_names(folder: Path) -> None:
    named = set(re.findall(r"^\| `([\w.]+)` \| ", PAGE, re.MULTILINE))
    files = {path.name for path in (folder / "app").iterdir()}
    assert {name for name in named if "." in name} == files - {"README.md"}


def test_its_settings_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \|", PAGE, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`([\w-]+)`", row)}
    assert named == {name.replace("_", "-") for name in AppSettings.model_fields}


@needs_flower
def test_its_app_conforms(folder: Path) -> None:
    (command,) = [line for line in TO_AN_APP.splitlines() if line.startswith("headstart conform")]
    assert "conforms: the same weights after each of 3 rounds" in follow(command, folder)


@needs_flower
@pytest.mark.slow
def test_its_federation_ends_in_the_weights_of_the_study(folder: Path) -> None:
    shutil.rmtree(folder / "flower", ignore_errors=True)
    commands = FEDERATION
    for port in ("8000", "8100", "8101", "8102"):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            free = str(one.getsockname()[1])
        commands = commands.replace(port, free)
    follow(commands.replace("810$i", "$((20000 + RANDOM))"), folder, 580)
    trained = load_file(folder / "app" / "trained.safetensors")
    run = Recipe.read(folder / "app").run
    ended = load_file(folder / "out" / "runs" / run / "weights.safetensors")
    assert distance(trained, ended, ended) <= 1e-5


def test_its_model_is_written(folder: Path) -> None:
    said = follow(MODEL, folder)
    assert "model: model, with its card in README.md" in said
    card = (folder / "model" / "README.md").read_text()
    again = card.split("```yaml\n")[1].split("```")[0]
    (folder / "again.yaml").write_text(again)
    assert {str(run.task) for run in Study.load(folder / "again.yaml").runs} == {"digits"}
