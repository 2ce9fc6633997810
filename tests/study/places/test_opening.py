"""A place is opened by its name; Ray is imported by nobody who does not ask for it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.study.small_studies import study
from tests.syntax import FILES, ROOT

from headstart.errors import HeadstartError
from headstart.study.places.opening import THIS_MACHINE, On, opened


def ignore(line: str) -> None:
    raise AssertionError(line)


@pytest.mark.parametrize(("jobs", "expected"), [(3, 3), (None, os.cpu_count())])
def test_this_machine_has_as_many_jobs_as_asked_for_or_cores(jobs: Any, expected: int) -> None:
    with opened(THIS_MACHINE, study(), jobs, ignore) as place:
        assert place.jobs == expected


@pytest.mark.parametrize(
    ("name", "address", "message"),
    [
        ("spark", None, "on: expected here or ray, got 'spark'"),
        (
            "here",
            "10.0.0.1:6379",
            "address: expected none where runs are carried out here, got '10.0.0.1:6379'",
        ),
    ],
)
def test_another_place_is_refused(name: str, address: Any, message: str) -> None:
    with pytest.raises(HeadstartError) as refused:
        On.named(name, address)
    assert str(refused.value).startswith(message)


def test_ray_is_not_imported_where_it_is_not_asked_for(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
import headstart.cli
from headstart.study.runner import run_study
from headstart.study.spec import Study
study = Study(task="digits", model="mlp", population=10, cohort=3, seeds=[0], rounds=1)
run_study(study, Path({str(tmp_path / "out")!r}), None)
sys.exit(int("ray" in sys.modules))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_only_the_cluster_imports_ray() -> None:
    cluster = ROOT / "study" / "places" / "cluster"
    for path in FILES:
        if "import ray" in (text := path.read_text()) or "from ray" in text:
            assert path.parent == cluster, path
            assert "\nimport ray" not in text, f"{path}: where Ray is missing the module must load"
            assert "\nfrom ray" not in text, f"{path}: where Ray is missing the module must load"
