"""How accuracy is shared out: the last value of every seed, averaged,
and nothing where a run diverged.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from headstart.looks.competitors import Pair
from headstart.report.appendix import shares
from headstart.report.pages import study_page as page
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

Keep = Callable[[dict[str, Any]], bool]
PAIR = Pair("sgd", "adam")


def with_shares(folder: Path) -> Grid:
    """The worst client has .10 at the beginning, and .5, .6 and .7 at the end from random,
    .1 more from proxy.
    """
    found = tables.read(folder)
    curves = dict(found.curves)
    for run in found.runs:
        end = 0.5 + 0.1 * run.seed + (0.1 if run.start == "proxy" else 0)
        curves[run.run, "client_accuracy_worst"] = (np.array([0, 60]), np.array([0.1, end]))
        curves[run.run, "test_f1_macro"] = (np.array([0, 60]), np.array([0.2, 0.25]))
    return sort(replace(found, curves=curves))


def test_the_last_values_are_averaged_over_seeds(study: Callable[..., Path], few: Keep) -> None:
    found = with_shares(study(keep=few))
    table = shares.table(found)
    assert table is not None
    assert dict(table.columns) == {
        "start": ["random", "proxy"], "pair": ["sgd + adam"] * 2, "method": ["FedAdam"] * 2,
        "worst client": [np.mean([0.5, 0.6, 0.7]), np.mean([0.6, 0.7, 0.8])],
        "macro F1": [0.25, 0.25],
    }  # fmt: skip
    said = "With FedAdam, at the end: worst client 60.0% from random and 70.0% from proxy; "
    assert shares.told(found, PAIR) == f"{said}macro F1 25.0% from random and 25.0% from proxy."


def test_a_diverged_run_leaves_no_mean(study: Callable[..., Path], few: Keep) -> None:
    found = with_shares(
        study(keep=few, diverge=lambda row: row["start"] == "random" and row["seed"] == 1)
    )
    table = shares.table(found)
    assert table is not None
    assert table.columns["macro F1"] == [None, 0.25]
    assert "random" not in shares.told(found, PAIR)


def test_a_study_that_measured_nothing_of_it_has_no_such_section(
    study: Callable[..., Path], few: Keep
) -> None:
    folder = study(keep=few)
    assert shares.table(sort(tables.read(folder))) is None
    assert 'id="shares"' not in page.write(folder).read_text()
