"""What a study is held against that needs no training: the constant answer, chance, and each start
as it is before the first round.
"""

from headstart.report.measures.before_training import initial
from headstart.report.runs.grid import Grid
from headstart.tables import BaselineRow

CONSTANT, CHANCE = "constant", "chance"


def constant(grid: Grid) -> BaselineRow | None:
    """The constant answer of the study's task; None where the tables have none."""
    return _named(grid, CONSTANT)


def chance(grid: Grid) -> BaselineRow | None:
    """A guess among all classes; None where the tables have none, as with numbers."""
    return _named(grid, CHANCE)


def constant_accuracy(grid: Grid) -> float | None:
    """The share of predictions that the constant answer gets right; None where it is not known."""
    row = constant(grid)
    return None if row is None else row.accuracy


def untrained_accuracy(grid: Grid, start: str) -> dict[int, float]:
    """The accuracy of a start before the first round, by seed; empty where it was not measured."""
    return initial(grid, start, "test_accuracy")


def untrained_loss(grid: Grid, start: str) -> dict[int, float]:
    """The loss of a start before the first round, by seed; empty where it was not measured."""
    return initial(grid, start, "test_loss")


def _named(grid: Grid, name: str) -> BaselineRow | None:
    rows = [row for row in grid.records.baselines if row.baseline == name]
    return rows[0] if rows else None
