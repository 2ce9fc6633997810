"""docs/starts.md: every example is read, the first is run, and every start has its section."""

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from headstart.starts.base import STARTS
from headstart.study.file.trainable import trained
from headstart.study.runner import run_study
from headstart.study.spec import Study

PAGE = (Path(__file__).parent.parent / "docs" / "starts.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def test_every_start_has_its_section() -> None:
    assert {entry.name for entry in STARTS} <= set(re.findall(r"^## ([\w-]+)$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_example_is_read(example: dict[str, Any]) -> None:
    study = Study(**{"task": "digits", "model": "mlp", **example})
    for run in study.runs:
        assert STARTS.entry(run.start.name).name == run.start.name


@pytest.mark.slow
def test_the_first_example_runs(tmp_path: Path) -> None:
    example = {**EXAMPLES[0], "rounds": 2, "seeds": [0]}
    out = run_study(Study(**example), tmp_path / "out")
    runs = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    assert [(run["start"], run["trainable"], run["status"]) for run in runs] == [
        (start, trainable, "finished")
        for start in ("random", "proxy", "head-first(start='proxy')")
        for trainable in ("all", "head")
    ]


def test_the_expression_of_the_page_names_what_it_says() -> None:
    study = Study(task="cifar10", model="resnet18", trainable="fc.*|layer4.*")
    (expression,) = {run.trainable for run in study.runs}
    assert f"| `'{expression.replace('|', chr(92) + '|')}'` |" in PAGE
    names = [
        "conv1.weight",
        "layer3.1.conv2.weight",
        "layer4.0.conv1.weight",
        "fc.weight",
        "fc.bias",
    ]
    assert trained(expression, dict.fromkeys(names)) == names[2:]  # type: ignore[arg-type]
