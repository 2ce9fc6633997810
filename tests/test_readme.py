"""What the README shows runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_own_module_learns(tmp_path: Path) -> None:
    """The example is worth showing: the model learns a rule that no linear model can."""
    code = next(code for code in blocks("python") if "simulate" in code)
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    status, accuracy = done.stdout.split()
    assert status == "finished"
    assert float(accuracy) > 0.8  # half of the rows have each label


@pytest.mark.slow
def test_study_file_and_commands(tmp_path: Path) -> None:
    (study,) = blocks("yaml")
    (tmp_path / "study.yaml").write_text(study)
    commands = next(text for text in blocks("bash") if "headstart run" in text)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in [line.split("#")[0].split() for line in commands.splitlines()]:
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "report.html").exists()


def test_make_targets_exist() -> None:
    makefile = (README.parent / "Makefile").read_text()
    for line in next(text for text in blocks("bash") if "make demo" in text).splitlines():
        target = line.split("#")[0].split()[1]
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
