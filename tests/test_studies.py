"""Every study file that is committed runs end to end, at toy size, and ends in a report."""

from importlib import resources
from pathlib import Path

import pytest
import yaml

from headstart.study.runner import run_study
from headstart.study.spec import Study

ROOT = Path(__file__).parent.parent
FILES = sorted([*(ROOT / "studies").glob("*.yaml"), *(ROOT / "src/headstart/studies").glob("*.yaml")])
TOY = {"rounds": 2, "every": 1, "population": 6, "cohort": 2, "seeds": [0, 1]}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_study_at_its_full_size_is_valid(path: Path) -> None:
    assert len(Study.load(path).runs) > 0


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_study_at_toy_size(path: Path, tmp_path: Path) -> None:
    keys = {**yaml.safe_load(path.read_text()), **TOY}
    for axes in [keys, *keys.get("also", [])]:
        for axis in ("client_rates", "server_rates"):
            if isinstance(axes.get(axis), list):
                axes[axis] = axes[axis][:2]
    study = Study(**keys)
    run_study(study, tmp_path)
    from headstart.report.page import write

    assert write(tmp_path).read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_demo_ships_with_the_package() -> None:
    assert (resources.files("headstart") / "studies" / "demo.yaml").is_file()
