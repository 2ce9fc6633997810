"""The picture beside the verdict: the best pair of each start, and what lies outside of it."""

from collections.abc import Callable

from headstart.report.appendix.best_of_starts import best_of, picture
from headstart.report.runs.grid import Grid

Table = Callable[..., Grid]
ADAM, GD = "sgd + adam", "gd + adam"


def test_each_start_has_its_best_pair_with_the_interval_over_seeds(table: Table) -> None:
    grid = table(
        {
            "random": {ADAM: [0.8, 0.81, 0.82], GD: [0.7, 0.7, 0.7]},
            "proxy": {ADAM: [0.8] * 3, GD: [0.9] * 3},
        }
    )
    found = best_of(grid, "random")
    assert (found.method, round(found.accuracy or 0, 3), found.untrained) == ("FedAdam", 0.81, None)
    assert found.told == "81.0% [78.5, 83.5]"  # t(.975, 2) = 4.303 times .01 / sqrt(3)
    assert best_of(grid, "proxy").method == "FedAdam with full-batch clients"
    shown = picture(grid)
    assert shown is not None
    (behind,) = shown.tables
    assert behind.columns["pair"] == [ADAM, GD]
    assert behind.columns["seeds"] == [3, 3]


def test_a_start_whose_pairs_all_diverged_has_a_row_and_no_mark(table: Table) -> None:
    grid = table({"random": {ADAM: [0.8, None]}, "proxy": {ADAM: [0.8, 0.9]}})
    assert best_of(grid, "random").accuracy is None
    shown = picture(grid)
    assert shown is not None
    assert shown.tables[0].columns["method"] == ["diverged", "FedAdam"]


def test_without_any_accuracy_there_is_no_picture(table: Table) -> None:
    assert picture(table({"random": {ADAM: [None, None]}})) is None
