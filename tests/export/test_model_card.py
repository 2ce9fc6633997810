"""A card says what the model is and how good, with a header that the hub reads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import headstart
from headstart.export.model_card import card
from headstart.report.words.numbers import percent
from headstart.results.model_file import Found, found
from headstart.study.spec import Study


@pytest.fixture(scope="module")
def model(out: Path) -> Found:
    return found(out, "random", "scaffold + adam")


@pytest.fixture(scope="module")
def text(out: Path, model: Found) -> str:
    return card(headstart.load(out), model)


def test_its_header_has_the_metrics_of_the_run(text: str, model: Found) -> None:
    header: Any = yaml.safe_load(text.split("---\n")[1])
    (index,) = header["model-index"]
    (result,) = index["results"]
    assert header["library_name"] == "pytorch"
    assert index["name"] == f"small-{model.row['run'][:8]}"
    assert result["dataset"] == {"name": "digits", "type": "digits", "split": "test"}
    accuracy, loss = result["metrics"]
    assert accuracy["value"] == round(model.row["test_accuracy"], 6)
    assert loss["value"] == round(model.row["test_loss"], 6)


def test_it_says_what_the_model_is_and_what_the_study_says(
    text: str, model: Found, out: Path
) -> None:
    assert "| clients | `scaffold`, rate 0.1 |" in text
    assert "| server | `adam`, rate 0.1 |" in text
    assert "| rounds | 3, 3 of 4 clients in each, 1 local epochs |" in text
    assert f"| accuracy | {percent(model.row['test_accuracy'])} | " in text
    assert "One run was measured" in text
    assert headstart.load(out).verdict.text in text


def test_the_study_in_it_can_be_run_again(text: str, model: Found, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(text.split("```yaml\n")[1].split("```")[0])
    runs = Study.load(tmp_path / "study.yaml").runs
    assert {str(run.model) for run in runs} == {model.row["model"]}
    assert model.row["client"] in {str(run.client) for run in runs}
