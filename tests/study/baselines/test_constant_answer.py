"""What needs no training: held to scikit-learn's constant answers, and to counts made by hand."""

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import log_loss, mean_squared_error
from torch import Tensor

from headstart import tables
from headstart.report.judgement.reading import read
from headstart.report.measures.baselines import chance, constant, constant_accuracy
from headstart.report.pages import study_page
from headstart.study.baselines.constant_answer import untrained_answers
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tables import BaselineRow
from headstart.tasks.base import TASKS, Examples, Scores, Task, classification
from headstart.tasks.text.next_token import next_token
from headstart.tasks.tokens.characters import characters


def a_task(labels: list[int], tested: list[int], outputs: int, **given: Any) -> Task:
    def rows(targets: list[int]) -> Examples:
        return Examples(torch.zeros(len(targets), 2), torch.tensor(targets))

    return Task("made", rows(labels), rows(tested), rows(tested), outputs, **given)


def by_name(rows: list[BaselineRow]) -> dict[str, BaselineRow]:
    return {row.baseline: row for row in rows}


def test_it_is_the_majority_of_the_training_rows_judged_on_others() -> None:
    labels, tested = [0] * 400 + [1] * 350 + [2] * 250, [0] * 20 + [1] * 70 + [2] * 10
    found = by_name(untrained_answers(a_task(labels, tested, 3), a_task(labels, tested, 3).test))
    dummy = DummyClassifier(strategy="prior").fit(np.zeros((1000, 1)), labels)
    assert found["constant"].accuracy == dummy.score(np.zeros((100, 1)), tested) == 0.2
    # scikit-learn's shares are 400/1000, ours 401/1003
    shares = np.array([401, 351, 251]) / 1003
    assert found["constant"].loss == pytest.approx(
        log_loss(tested, np.tile(shares, (100, 1))), abs=1e-12
    )
    assert found["constant"].loss == pytest.approx(
        log_loss(tested, dummy.predict_proba(np.zeros((100, 1)))), abs=0.005
    )
    assert (found["constant"].rule, found["constant"].answer, found["constant"].predictions) == (
        "majority",
        "0",
        100,
    )
    assert (found["chance"].accuracy, found["chance"].loss) == (1 / 3, pytest.approx(math.log(3)))


def test_a_class_that_no_training_row_has_costs_a_finite_loss() -> None:
    task = a_task([0, 0, 1], [2], 3)
    found = by_name(untrained_answers(task, task.test))["constant"]
    assert (found.accuracy, found.loss) == (0.0, pytest.approx(math.log(6)))  # (0 + 1) / (3 + 3)


def test_an_objective_of_ones_own_is_asked() -> None:
    def doubled(outputs: Tensor, targets: Tensor) -> Scores:
        return Scores(*[2 * column for column in classification(outputs, targets)])

    labels, tested = [0] * 30 + [1] * 70, [1] * 55 + [0] * 45
    plain, own = (
        a_task(labels, tested, 2, objective=objective) for objective in (classification, doubled)
    )
    for one, other in zip(
        untrained_answers(plain, plain.test), untrained_answers(own, own.test), strict=True
    ):
        assert (other.accuracy, other.predictions) == (one.accuracy, 2 * one.predictions)
        assert other.loss == pytest.approx(one.loss, abs=1e-6)


def test_an_objective_that_raises_leaves_the_study_without() -> None:
    def refusing(outputs: Tensor, targets: Tensor) -> Scores:
        raise RuntimeError("not of these")

    task = a_task([0, 1], [0], 2, objective=refusing)
    assert untrained_answers(task, task.test) == []


def test_numbers_are_answered_with_their_mean() -> None:
    def squared(outputs: Tensor, targets: Tensor) -> Scores:
        error = (outputs.squeeze(-1) - targets) ** 2
        return Scores(error, (error < 0.25).to(error.dtype), torch.ones_like(error))

    draw = np.random.Generator(np.random.Philox(key=3))
    train, test = draw.normal(2, 1, 500), draw.normal(2, 1, 5000)
    part = [
        Examples(torch.zeros(len(y), 2), torch.tensor(y, dtype=torch.float32))
        for y in (train, test)
    ]
    task = Task("numbers", part[0], part[1], part[1], 1, squared)
    (found,) = untrained_answers(task, task.test)
    dummy = DummyRegressor().fit(np.zeros((500, 1)), train)
    assert found.rule == "mean"
    assert found.loss == pytest.approx(
        mean_squared_error(test, dummy.predict(np.zeros((5000, 1)))), rel=1e-5
    )
    assert found.accuracy == pytest.approx(np.mean(np.abs(test - train.mean()) < 0.5), abs=1e-3)


def test_text_is_answered_with_the_unigram_of_what_counts() -> None:
    tokens = characters(["abca"])
    documents = {"train": "aab", "test": "abc"}

    def rows(text: str) -> Examples:
        ids = torch.tensor([[*tokens.encode(text).tolist(), tokens.ignored, tokens.ignored]])
        return Examples(ids, ids)

    train, test = map(rows, documents.values())
    task = Task("text", train, test, test, tokens.size, next_token(tokens.ignored), tokens=tokens)
    found = by_name(untrained_answers(task, task.test))
    shares = np.array([3, 2, 1]) / (3 + tokens.size)  # of a, b and c, with one more of each
    assert found["constant"].accuracy == 1 / 3
    assert found["constant"].loss == pytest.approx(-np.log(shares).mean())
    assert (found["constant"].rule, found["constant"].predictions) == ("unigram", 3)
    # the task's own objective, asked about the same outputs, says the same
    counts = np.bincount(
        train.targets.numpy()[train.targets.numpy() != tokens.ignored], minlength=tokens.size
    )
    outputs = torch.log(torch.tensor((counts + 1) / (3 + tokens.size))).expand(1, 5, -1)
    loss, correct, predictions = (column.item() for column in task.objective(outputs, test.targets))
    assert found["constant"].loss == pytest.approx(loss / predictions)
    assert (correct, predictions) == (1.0, 3.0)
    assert found["chance"].accuracy == 1 / tokens.size


def test_targets_of_which_nobody_says_what_counts_have_none() -> None:
    task = a_task([0, 1], [0], 2)
    several = Examples(torch.zeros(2, 3), torch.zeros(2, 3, dtype=torch.int64))
    assert untrained_answers(replace(task, train=several), several) == []


def test_digits_are_answered_by_one_of_ten() -> None:
    task = TASKS.build(TASKS.component("digits"))
    found = by_name(untrained_answers(task, task.test))
    most = int(np.bincount(task.train.targets.numpy()).argmax())
    assert found["constant"].accuracy == float((task.test.targets == most).double().mean())
    assert found["chance"].accuracy == 0.1


@pytest.fixture(scope="module")
def positives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of a table of which 60.1 % are positive, in each of its parts."""
    folder = tmp_path_factory.mktemp("positives")
    draw = np.random.Generator(np.random.Philox(key=5))
    lines = ["x,z,part,label"]
    for part in ("train", "validation", "test"):
        for i in range(1000):
            x, z = draw.normal(size=2)
            lines.append(f"{x:.3f},{z:.3f},{part},{'yes' if i < 601 else 'no'}")
    (folder / "table.csv").write_text("\n".join(lines) + "\n")
    table = {
        "path": str(folder / "table.csv"),
        "label": "label",
        "features": ["x", "z"],
        "split": "part",
    }
    study = Study(
        task={"table": table}, model="logistic", population=10, cohort=5, rounds=2, every=1,
        seeds=[0, 1]
    )  # fmt: skip
    return run_study(study, folder / "out")


def test_a_table_of_601_positives_in_1000_has_a_constant_answer_of_601(positives: Path) -> None:
    rows = pq.read_table(positives / "results" / "baselines.parquet").to_pylist()
    assert [(row["baseline"], row["accuracy"]) for row in rows] == [
        ("constant", 0.601),
        ("chance", 0.5),
    ]
    assert (rows[0]["answer"], rows[0]["predictions"]) == ("yes", 1000)
    grid = read(positives).grid
    assert constant_accuracy(grid) == 0.601
    assert constant(grid) == BaselineRow(**rows[0])
    assert chance(grid) == BaselineRow(**rows[1])


def test_its_page_says_so(positives: Path) -> None:
    page = study_page.write(positives).read_text()
    assert (
        "Always answering “yes”, the most frequent class of the training rows, has a test accuracy "
        "of 60.1%" in page
    )
    assert "a guess has 50.0%" in page
    assert pq.read_table(positives / "tables" / "baselines.parquet")["accuracy"][0].as_py() == 0.601


def test_a_folder_from_before_gains_the_table(positives: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(positives, tmp_path / "copy"))
    found = tables.read_results(copy)
    (copy / "results" / "baselines.parquet").unlink()
    tables.write_results(copy, replace(found, baselines=None))
    assert constant_accuracy(read(copy).grid) is None
    run_study(Study.load(copy / "study.yaml"), copy)
    assert constant_accuracy(read(copy).grid) == 0.601
