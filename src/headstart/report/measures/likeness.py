"""Pairs whose results are the same: one competitor under several names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headstart.looks.competitors import Pair
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid


@dataclass(frozen=True)
class Likeness:
    """Groups of pairs with the same results from every start, and with only the same accuracies.

    The results are accuracies and losses, at the end and wherever they were measured. The first are
    one competitor under several names, as nova is sgd where all clients take the same steps.
    """

    same: list[list[Pair]]
    equal: list[list[Pair]]


def likeness(grid: Grid) -> Likeness:
    """Which pairs of the base setting have the same results in every seed from every start."""
    by_result: dict[object, list[Pair]] = {}
    by_accuracy: dict[object, list[Pair]] = {}
    for pair in grid.comparable():
        cells = grid.cells_of(pair)
        if all(cell.accuracy for cell in cells):
            by_result.setdefault(_results(grid, cells), []).append(pair)
            by_accuracy.setdefault(_accuracies(cells), []).append(pair)
    same, equal = _several(by_result), _several(by_accuracy)
    return Likeness(same, [pairs for pairs in equal if pairs not in same])


def _several(groups: Mapping[object, list[Pair]]) -> list[list[Pair]]:
    """The groups of more than one pair."""
    return [pairs for pairs in groups.values() if len(pairs) > 1]


def _accuracies(cells: Sequence[Cell]) -> object:
    """Start, seed and accuracy of all runs of some cells."""
    found: list[object] = []
    for cell in cells:
        found.append((cell.start, *sorted(cell.accuracy.items())))
    return tuple(found)


def _results(grid: Grid, cells: Sequence[Cell]) -> object:
    """What came of the runs of some cells, of which equal ones have equal results."""
    found: list[object] = []
    for cell in cells:
        found += sorted((run.seed, run.test_accuracy, run.test_loss) for run in cell.runs)
        for metric in ("test_accuracy", "test_loss"):
            for seed, (rounds, values) in sorted(grid.curves(cell, metric).items()):
                found.append((seed, rounds.tobytes(), values.tobytes()))
    return tuple(found)
