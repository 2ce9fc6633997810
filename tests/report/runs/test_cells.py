"""Cells, settings and pairs."""

from collections.abc import Callable

import numpy as np
import pytest

from headstart.looks.competitors import Pair, Setting, family
from headstart.report.runs.cells import replaced
from headstart.report.runs.grid import Grid

A = "sgd + adam"


def test_a_diverged_run_leaves_no_mean(table: Callable[..., Grid]) -> None:
    cell = table({"random": {A: [0.5, None, 0.7]}}).cell("random", Pair("sgd", "adam"))
    assert (cell.diverged, cell.accuracy, cell.seeds) == (1, {}, {0, 1, 2})
    assert np.isnan(cell.mean)
    assert [seed for seed, value in cell.outcomes.items() if np.isnan(value)] == [1]


def test_a_cell_is_the_mean_of_its_seeds(table: Callable[..., Grid]) -> None:
    cell = table({"random": {A: [0.5, 0.75]}}).cell("random", Pair("sgd", "adam"))
    assert (cell.accuracy, cell.mean) == ({0: 0.5, 1: 0.75}, 0.625)
    assert cell.by_seed("rounds") == {0: 100, 1: 100}


def test_seeds_of_one_repeat_of_the_tuning_count_as_one(table: Callable[..., Grid]) -> None:
    """Seeds 0 and 2 have the rates of repeat 0; a repeat with a diverged run has no mean."""
    tuning = {"repeats": 2}
    cell = table({"random": {A: [0.5, 0.75, 0.7]}}, tuning=tuning).cell(
        "random", Pair("sgd", "adam")
    )
    assert cell.accuracy == {0: pytest.approx(0.6), 1: 0.75}
    assert cell.mean == pytest.approx(0.675)
    assert cell.seeds == {0, 1, 2}
    lost = table({"random": {A: [0.5, 0.75, None]}}, tuning=tuning).cell(
        "random", Pair("sgd", "adam")
    )
    assert np.isnan(lost.outcomes[0])
    assert (lost.outcomes[1], lost.accuracy) == (0.75, {})
    assert table({"random": {A: [0.5, 0.75]}}, tuning=tuning).cell(
        "random", Pair("sgd", "adam")
    ).accuracy == {
        0: 0.5,
        1: 0.75,
    }


def test_settings_are_told_in_words() -> None:
    setting = Setting("iid", "equal", 1)
    assert str(setting) == "iid, equal devices, 1 local epoch"
    assert str(replaced(setting, "local_epochs", 5)) == "iid, equal devices, 5 local epochs"
    assert str(Setting("iid", "slow", 2, "head")) == "iid, slow, 2 local epochs, training head only"


def test_a_family_is_a_name_without_parameters() -> None:
    assert (family("proximal(mu=0.1)"), family("adam@reddi"), family("sgd")) == (
        "proximal",
        "adam",
        "sgd",
    )
