"""docs/cluster.md: its commands are commands, its study is a study,
and what it says of one machine is so.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from headstart.cli import app
from headstart.study.places.cluster.driver import LOSSES
from headstart.study.spec import Study

PAGE = (Path(__file__).parent.parent / "docs" / "cluster.md").read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).replace("\\\n", " ")
RUNS = [
    line.partition("headstart run ")[2] for line in SHELL.splitlines() if "headstart run " in line
]
JOB, PER_RUN = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
STUDY: dict[str, Any] = {
    "task": "digits",
    "model": "mlp(hidden=[8])",
    "population": 10,
    "cohort": 3,
    "rounds": 2,
    "seeds": [0, 1],
}

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")


def ends(command: list[str], folder: Path) -> str:
    small = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "RAY_object_store_memory": "100000000",
    }
    ended = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **small},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_every_run_that_it_names_has_options_that_there_are() -> None:
    commands: Any = typer.main.get_command(app)
    known = {parameter.opts[0] for parameter in commands.commands["run"].params}
    runs = [*RUNS, JOB["spec"]["entrypoint"].removeprefix("headstart run ")]
    assert len(runs) == 4
    for command in runs:
        words = shlex.split(command)
        assert {word for word in words if word.startswith("--")} <= known
        assert words[words.index("--on") + 1] == "ray"


def test_its_numbers_and_keys_are_those_of_the_code() -> None:
    asked: Any = Study(**STUDY, **PER_RUN)
    assert asked.file.per_run.gpus == 0.25
    assert LOSSES == 5
    assert "five times in a row" in PAGE


@needs_ray
def test_ray_has_the_commands_that_it_names() -> None:
    for command, options in (
        ("start", {"--head", "--port", "--address"}),
        ("symmetric-run", {"--address", "--min-nodes"}),
    ):
        told = subprocess.run(
            [str(Path(sys.executable).parent / "ray"), command, "--help"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert all(option in told for option in options)


@needs_ray
@pytest.mark.slow
def test_its_first_command_runs_a_study_on_a_laptop(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(json.dumps(STUDY))
    words = [sys.executable, "-m", "headstart", "run", *shlex.split(RUNS[0]), "--jobs", "1"]
    assert "2 runs in " in ends(words, tmp_path)


@needs_ray
@pytest.mark.slow
def test_its_command_for_slurm_runs_on_one_node(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(json.dumps(STUDY))
    (line,) = [line for line in SHELL.splitlines() if "symmetric-run" in line]
    asked = (
        line.replace("srun ray", "ray")
        .replace("$head:6379", "127.0.0.1:6391")
        .replace("--min-nodes 4", "--min-nodes 1")
    )
    small = "--num-cpus 1 --object-store-memory 100000000 --include-dashboard False -- "
    command = asked.replace("-- ", small, 1).replace(
        " headstart ", f" {sys.executable} -m headstart "
    )
    assert "2 runs in " in ends(shlex.split(command), tmp_path)
