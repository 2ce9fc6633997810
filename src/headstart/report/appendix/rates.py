"""The rates of a study: which differ between starts, which were tried, and which lie at an edge."""

from collections.abc import Mapping

from headstart.looks.competitors import ALL
from headstart.report.appendix.tuning import at_an_end
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.table import Rows, Table
from headstart.wording.phrases import listed


def differed(grid: Grid) -> tuple[Table | None, int]:
    """Rates and parameters by start where they differ, and how many pair x setting rows are the
    same.
    """
    rows, same = Rows("pair", "method", "setting", *grid.starts), 0
    for pair, setting in grid.places():
        used: dict[str, str] = {}
        for start in grid.starts:
            cell = grid.cells.get((start, pair, setting))
            if cell:
                used[start] = _rates_of(cell)
        if len(used) > 1 and len(set(used.values())) == 1:
            same += 1
        elif len(used) > 1:
            rows.add(str(pair), method(pair), str(setting), *_of_starts(grid, used))
    caption = "Rates that differ between starts"
    return rows.table("differed", caption) if rows else None, same


def _of_starts(grid: Grid, used: Mapping[str, str]) -> list[str]:
    return [used.get(start, "not run") for start in grid.starts]


def _rates_of(cell: Cell) -> str:
    """The rates of a cell, and the parameters that a label does not show; those of each repeat of
    the tuning.
    """
    of_repeats: dict[str, None] = {}
    for run in cell.runs:
        told = [f"client {run.client_rate:g}, server {run.server_rate:g}"]
        told += [name for name in (run.client, run.server) if name not in cell.pair]
        of_repeats[", ".join(told)] = None
    return "; ".join(of_repeats)


def trained(grid: Grid) -> str:
    """Which weights were trained from which start; empty where it was all of them from
    every start.
    """
    parts = {}
    for start in grid.starts:
        names = [run.trainable for run in grid.records.runs if run.start == start]
        parts[start] = listed(dict.fromkeys(names))
    if set(parts.values()) == {ALL}:
        return ""
    if len(set(parts.values())) == 1:
        return f"From every start the same weights were trained: {parts[grid.starts[0]]}."
    each = "; ".join(f"{names} from {start}" for start, names in parts.items())
    return (
        f"Starts differ in which weights were trained: {each}. They are compared only where it was "
        "the same."
    )


def tried(grid: Grid) -> Table | None:
    """Every rate that was tried, where a cell was run at several; the one in use is marked."""
    rows = Rows(
        "start",
        "pair",
        "method",
        "setting",
        "client rate",
        "server rate",
        "accuracy",
        "seeds",
        "diverged runs",
        "used",
    )
    for (start, pair, setting), cells in grid.rates.items():
        for i, cell in enumerate(cells if len(cells) > 1 else ()):
            run = cell.runs[0]
            place = start, str(pair), method(pair), str(setting), run.client_rate, run.server_rate
            mean = cell.mean if cell.accuracy else None
            rows.add(*place, mean, len(cell.runs), cell.diverged, i == 0)
    return rows.table("rates", "All rates that were tried", "accuracy") if rows else None


def edges(grid: Grid) -> list[str]:
    """A warning for each rate whose best value is the least or the largest that was tried."""
    at_end: dict[str, list[str]] = {"client_rate": [], "server_rate": []}
    for (start, pair, setting), cells in grid.rates.items():
        for name, at in at_end.items():
            values = [getattr(cell.runs[0], name) for cell in cells]
            low, high = min(values), max(values)
            if setting == grid.base and low < high and values[0] in (low, high):
                at.append(f"{method(pair)} from {start}")
    return [at_an_end(name.replace("_", " "), at) for name, at in at_end.items() if at]
