"""What training is held against, as a table and in a sentence."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.report.appendix import baselines
from headstart.report.runs import records
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.tables import BaselineRow, BaselineRunRow

Keep = Callable[[dict[str, Any]], bool]


def constant(rule: str = "majority", answer: str = "yes") -> BaselineRow:
    return BaselineRow(
        task="made",
        baseline="constant",
        rule=rule,
        answer=answer,
        accuracy=0.601,
        loss=0.672,
        predictions=1000,
    )


CHANCE = replace(constant("uniform", "any of 2"), baseline="chance", accuracy=0.5, loss=0.693)


def grid_of(folder: Path, *rows: BaselineRow) -> Grid:
    return sort(replace(records.read(folder), baselines=rows))


def test_a_row_for_each(study: Callable[..., Path], few: Keep) -> None:
    grid = grid_of(study(keep=few), constant(), CHANCE)
    table = baselines.table(grid)
    assert table is not None
    assert table.columns["what"] == [
        "constant answer: yes (majority)", "chance", "random, untrained", "proxy, untrained",
        "random, FedAdam (sgd + adam)", "proxy, FedAdam (sgd + adam)",
    ]  # fmt: skip
    ends = [
        float(np.mean([run.test_accuracy for run in grid.records.runs if run.start == s]))
        for s in grid.starts
    ]  # type: ignore[misc]
    assert table.columns["accuracy"][:2] == [0.601, 0.5]
    np.testing.assert_allclose(table.columns["accuracy"][4:], ends)
    assert table.percent == {"accuracy"}


def test_the_sentence(study: Callable[..., Path], few: Keep) -> None:
    said = baselines.told(grid_of(study(keep=few), constant(), CHANCE))
    assert said.startswith(
        "Always answering \u201cyes\u201d, the most frequent class of the training rows, has a "
        "test accuracy of 60.1%; a guess has 50.0%; a model that was not trained has "
    )


def test_numbers_have_a_mean_and_no_chance(study: Callable[..., Path], few: Keep) -> None:
    said = baselines.told(grid_of(study(keep=few), constant("mean", "3.25")))
    assert said.startswith(
        "Always answering the mean of the training rows (3.25) has a test accuracy of 60.1%; a "
        "model"
    )


def test_a_study_without_them_has_no_table(study: Callable[..., Path], few: Keep) -> None:
    grid = grid_of(study(keep=few))
    assert baselines.table(grid) is None
    assert baselines.told(grid) == ""


@pytest.mark.parametrize(
    ("central", "said"),
    [
        ((0.9, 0.91, 0.92), "of the gap is closed."),
        ((0.48, 0.50, 0.52), "hardly known: "),
        ((0.35, 0.46, 0.47), "cannot be said: the gap may be nothing."),
    ],
)
def test_a_share_that_says_nothing_is_said_as_such(
    table: Callable[..., Grid], central: tuple[float, ...], said: str
) -> None:
    grid = table({"random": {"sgd + adam": [0.80, 0.81, 0.83]}})
    rows = []
    for run, whole in zip(grid.records.runs, central, strict=True):
        for kind, accuracy in (("centralised", whole), ("local", 0.4)):
            rows.append(
                BaselineRunRow(
                    run=f"{run.run}/{kind}", held_against=run.run, baseline=kind, alone=None,
                    status="finished", rounds=9, test_accuracy=accuracy, seconds=1.0,
                )
            )  # fmt: skip
    assert said in baselines.gap_told(sort(replace(grid.records, baseline_runs=tuple(rows))))
