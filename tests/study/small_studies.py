"""Studies of one run, to be changed by a key or a line."""

from pathlib import Path
from typing import Any

from headstart.study.spec import Study

BASE = {"task": "digits", "model": "mlp", "population": 10, "cohort": 3, "seeds": [0]}


def study(**keys: Any) -> Any:
    return Study(**{**BASE, **keys})


def load(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "study.yaml"
    path.write_text("task: digits\nmodel: mlp\npopulation: 10\ncohort: 3\n" + text)
    return Study.load(path)
