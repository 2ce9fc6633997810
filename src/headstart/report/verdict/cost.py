"""What the choice costs: rounds, bytes in all and for each client, and simulated seconds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from headstart.report.measures.speed import (
    reached,
    reached_by_all,
    rounds_needed,
    share_of,
    there_before_training,
)
from headstart.report.panels.speedup import between_measurements
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import MEGABYTE, percent, size
from headstart.report.words.remarks import capital
from headstart.wording.phrases import count, listed, some

ASSUMED = "Bytes are those of both ways, uncompressed; seconds those of the study's devices."

CLOSELY = 2
"""Digits of what is sent and of simulated seconds: no plan needs more of a simulation."""


KILOBYTE = 1000

OTHERS = 3
"""Other starts whose cost is told."""

AS_THEY_ARE = "Nothing with the weights as they are. "
"""What comes first where training added nothing."""


@dataclass(frozen=True)
class Price:
    """What a cell costs, in the median over seeds.

    Attributes:
        rounds: to the target, or of whole runs.
        sent: bytes both ways, of all clients; None where they are not known.
        seconds: simulated; None where they are not known.
        is_to_target: whether it is to the target.
    """

    rounds: float
    sent: float | None
    seconds: float | None
    is_to_target: bool

    def parts(self) -> Iterator[str]:
        """Yield each figure with its unit."""
        yield count_of(self.rounds)
        if self.sent is not None:
            yield f"{traffic(self.sent)} in all"
        if self.seconds is not None:
            yield f"{size(self.seconds, CLOSELY)} simulated seconds"


def price(cell: Cell, to_target: bool) -> Price:
    """What a cell without a diverged run costs: to the target, or in whole runs."""
    rounds = {seed: float(ran or 0) for seed, ran in cell.by_seed("rounds").items()}
    if to_target:
        rounds = rounds_needed(cell)
    return Price(
        float(np.median(list(rounds.values()))),
        share_of(cell, cell.by_seed("bytes_sent"), rounds),
        share_of(cell, cell.by_seed("simulated_seconds"), rounds),
        to_target,
    )


def what_it_costs(grid: Grid, cell: Cell, as_it_is: bool = False) -> str:
    """Rounds, bytes and simulated seconds to the target, or of whole runs; medians over seeds. Of
    the best pair of each other start in a clause.

    Args:
        grid: the study's cells.
        cell: the runs of the start and the pair that are to be taken.
        as_it_is: whether their training added nothing.
    """
    if cell.diverged:
        return ""
    goal, note, is_there = "for the whole run", "", False
    if grid.target is not None:
        target, runs = percent(grid.target, 0), count(len(cell.runs), "run")
        is_there = there_before_training(cell)
        note = f" ({target} is reached by {reached(cell)} of {runs})"
        if is_there:
            note = f" ({target} is reached before the first round)"
        elif reached_by_all(cell):
            goal, note = f"to {target}{_measured_every(grid)}", ""
    found = price(cell, to_target=goal.startswith("to "))
    each = for_each_client(grid, found.rounds, found.sent) if found.sent is not None else ""
    first = AS_THEY_ARE if as_it_is else ""
    return (
        f"{first}{method(cell.pair)} from {cell.start} costs {listed(list(found.parts()))} {goal}, "
        f"in the median over seeds{note}.{each}{beside(grid, cell.start, found)} {ASSUMED}"
    )


def traffic(sent: float) -> str:
    """Write what is sent in a unit that is read.

    >>> traffic(12_300_000), traffic(960)
    ('12 MB', '0.96 kB')
    """
    if sent < MEGABYTE / 100:
        return f"{size(sent / KILOBYTE, CLOSELY)} kB"
    return f"{size(sent / MEGABYTE, CLOSELY)} MB"


def count_of(rounds: float) -> str:
    """Write a median of rounds.

    >>> count_of(1.0), count_of(12.5)
    ('1 round', '12.5 rounds')
    """
    return f"{rounds:g} round{'' if rounds == 1 else 's'}"


def beside(grid: Grid, start: str, taken: Price) -> str:
    """What the best pair of each other start costs, the first few; empty where there is none.

    Args:
        grid: the study's cells.
        start: the one to take.
        taken: what it costs.
    """
    told: dict[str, list[str]] = {}
    for other in grid.starts:
        cell = grid.best(other)
        if other == start or cell is None or cell.diverged:
            continue
        told.setdefault(_against(grid, cell, taken), []).append(f"{other} ({method(cell.pair)})")
    clauses = [f"from {some(starts, OTHERS)} {said}" for said, starts in told.items()]
    return f" {capital('; '.join(clauses[:OTHERS]))}." if clauses else ""


def _against(grid: Grid, cell: Cell, taken: Price) -> str:
    """What a cell costs, said beside what another does."""
    to_target = grid.target is not None and reached_by_all(cell)
    if to_target and there_before_training(cell):
        return f"{percent(grid.target or 0, 0)} is there before the first round"
    found = price(cell, to_target)
    alike = found.rounds == taken.rounds and found.sent == taken.sent
    if alike and to_target == taken.is_to_target:
        return "it is as many rounds and bytes"
    sent = "" if found.sent is None else f" and {traffic(found.sent)}"
    goal = f" to {percent(grid.target or 0, 0)}" if to_target else ""
    missed = grid.target is not None and not to_target
    never = f", without {percent(grid.target or 0, 0)} in every run" if missed else ""
    return f"it is {count_of(found.rounds)}{sent}{goal}{never}"


def _measured_every(grid: Grid) -> str:
    """How closely rounds to a target are known."""
    every = between_measurements(grid)
    return f" (accuracy was measured every {count(every, 'round')})" if every else ""


def for_each_client(grid: Grid, rounds: float, sent: float) -> str:
    """In how many of the rounds a client takes part, and how much it sends and receives in each;
    empty where that is not known.
    """
    settings = grid.records.settings
    cohort, population = settings.get("cohort"), settings.get("population")
    if not isinstance(cohort, int) or not cohort or not rounds:
        return ""
    message = traffic(sent / cohort / rounds)
    if not isinstance(population, int) or population < cohort:
        return f" A client sends and receives {message} in each of its rounds."
    part = size(rounds * cohort / population, CLOSELY)
    taking_part = f"A client takes part in {part} of them on average"
    return f" {taking_part}, and sends and receives {message} each time."
