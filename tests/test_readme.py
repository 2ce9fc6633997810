"""What the README shows runs as it stands there."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

README = Path(__file__).parent.parent / "README.md"
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def blocks(language: str) -> list[str]:
    return [text for found, text in BLOCKS if found == language]


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_own_module_learns(tmp_path: Path) -> None:
    """The example is worth showing: the model learns a rule that no linear model can."""
    code = next(code for code in blocks("python") if "simulate" in code)
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    status, accuracy = done.stdout.split()
    assert status == "finished"
    assert float(accuracy) > 0.8  # half of the rows have each label


@pytest.mark.slow
def test_study_file_and_commands(tmp_path: Path) -> None:
    study = next(text for text in blocks("yaml") if "# study.yaml" in text)
    (tmp_path / "study.yaml").write_text(study)
    carry_out(next(text for text in blocks("bash") if "headstart run study" in text), tmp_path)
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.slow
def test_own_data_and_own_model(tmp_path: Path) -> None:
    """The lines of the README as they stand, on a table with its columns; under 15 of them."""
    study = next(text for text in blocks("yaml") if "# own.yaml" in text)
    module = next(text for text in blocks("python") if "def net" in text)
    assert len([line for line in (study + module).splitlines() if line.strip()]) < 15
    (tmp_path / "own.yaml").write_text(study)
    (tmp_path / "my_model.py").write_text(module)
    header = re.findall(r"header `([\w,]+)`", README.read_text(encoding="utf-8"))[0]
    draw = np.random.Generator(np.random.Philox(0))
    ages, doses = draw.integers(20, 90, 1200), draw.uniform(0, 5, 1200).round(2)
    outcomes = np.where(ages * doses > 130, "better", "same")
    rows = [f"clinic {i % 40},{ages[i]},{doses[i]},{outcomes[i]}" for i in range(1200)]
    (tmp_path / "visits.csv").write_text("\n".join([header, *rows]))
    carry_out(next(text for text in blocks("bash") if "own.yaml" in text), tmp_path)
    assert (tmp_path / "partition.png").read_bytes().startswith(b"\x89PNG")
    runs = pq.read_table(tmp_path / "own" / "results" / "runs.parquet").to_pylist()
    assert [run["status"] for run in runs] == ["finished"] * 3
    # The larger class has about half of the rows.
    assert min(run["test_accuracy"] for run in runs) > 0.75


def carry_out(commands: str, folder: Path) -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for command in [line.split("#")[0].split() for line in commands.splitlines()]:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_make_targets_exist() -> None:
    makefile = (README.parent / "Makefile").read_text()
    for line in next(text for text in blocks("bash") if "make demo" in text).splitlines():
        target = line.split("#")[0].split()[1]
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
