"""What comes before a claim: that nothing was trained, or not for long enough."""

from dataclasses import dataclass

import numpy as np

from headstart.report.measures.baselines import (
    chance,
    constant_accuracy,
    untrained_accuracy,
    untrained_loss,
)
from headstart.report.measures.speed import METRIC, reached_by_all
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.verdict.sentences import in_points
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent, signed
from headstart.statistics.joint.decisions import contradictions
from headstart.wording.phrases import count, listed

NOTHING = 0.01
"""Of accuracy: a gain of more is not called nothing, however large the margin is."""

SURE, SURER = 1.2, 2.0
"""Times the loss of a guess: weights whose loss is higher are sure of wrong answers; from twice on
they are not newly drawn ones, whatever is known of them. Ours.
"""

LAST, EARLIEST = 0.8, 0.6
"""A curve still rises if it does from 0.8 of the rounds on, or where nothing was measured there
from the last measurement before it, but not from before 0.6 of the rounds.
"""


@dataclass(frozen=True)
class Headlines:
    """Each headline is a sentence, empty where it does not apply.

    Attributes:
        constant: the best pair is no better than an answer that looks at nothing; then nothing is
            claimed.
        untrained: training added nothing; then no pair is claimed to be good.
        rising: accuracy still rises at the last round; then claims are for so many rounds.
        tied: the tuning could not tell trials apart.
        disagreeing: what the first seeds said is denied by all of them.
        mistaken: a start begins sure of wrong answers, as a head does of other classes.
    """

    constant: str = ""
    untrained: str = ""
    rising: str = ""
    tied: str = ""
    disagreeing: str = ""
    mistaken: str = ""

    @property
    def sentences(self) -> list[str]:
        """Those that apply."""
        said = [self.mistaken, self.constant, self.untrained, self.disagreeing, self.rising]
        return list(filter(None, [*said, self.tied]))


def headlines(grid: Grid, leader: str, tied: str = "") -> Headlines:
    """The headlines of a study.

    Args:
        grid: the study's cells.
        leader: the start whose best pair has the highest accuracy.
        tied: where its tuning could not tell trials apart.
    """
    best = grid.best(leader)
    if best is None:
        return Headlines(tied=tied, mistaken=begins_mistaken(grid))
    untrained = nothing_added(grid, best)
    return Headlines(
        no_better(grid, best),
        untrained,
        still_rising(grid, but=leader if untrained else ""),
        tied,
        seeds_disagree(grid),
        begins_mistaken(grid),
    )


def begins_mistaken(grid: Grid) -> str:
    """The weights of a start answer no better than a guess before training, and are surer than it:
    what a head does whose outputs stand for other classes. A new head is not sure of anything.
    """
    guess = chance(grid)
    if guess is None or guess.accuracy is None or not guess.loss:
        return ""
    said, of_one_answer = [], []
    known = {run.start for run in grid.records.runs if run.begun_with}
    constant = constant_accuracy(grid)
    for start in grid.starts:
        right, loss = untrained_accuracy(grid, start), untrained_loss(grid, start)
        if not right or not loss:
            continue
        began, lost = float(np.mean([*right.values()])), float(np.mean([*loss.values()]))
        right_so_far = f"{percent(began)} right (loss {lost:.2g})"
        if {*right.values()} == {constant} and lost > SURER * guess.loss:
            of_one_answer.append(f"{start} gets {right_so_far}")
        elif start in known and began <= guess.accuracy + NOTHING and lost > SURE * guess.loss:
            said.append(f"{start} {right_so_far}")
    if of_one_answer:
        return (
            f"Before training {listed(of_one_answer)}: to the digit what the constant answer gets, "
            f"and surer than a guess (loss {guess.loss:.2g}). Such weights give one answer to "
            "every row: check that they were learned on inputs of the same units and scale (the "
            "study shifts and scales a table's columns by the mean and deviation of its training "
            "rows) and with the classes in the same order (classes: [...] of the start)."
        )
    if not said:
        return ""
    return (
        f"Before training a guess gets {percent(guess.accuracy)} right (loss {guess.loss:.2g}), "
        f"and {listed(said)}: no better, and surer of it. Its head may have its classes in another "
        "order than the task's, which are sorted by name: say which they are (classes: [...] of "
        "the start) or draw a new head (head: new)."
    )


def no_better(grid: Grid, best: Cell) -> str:
    """The best pair ends where an answer that looks at nothing is already."""
    constant = constant_accuracy(grid)
    if constant is None or not _is_little(grid, best.mean - constant):
        return ""
    by = _more_than_shows(best.mean - constant, " by more than {} points")
    return (
        f"No pair is better than the constant answer{by} in the mean: that looks at no input and "
        f"gets {percent(constant)} right, and {method(best.pair)} from {best.start} "
        f"{percent(best.mean)}. Nothing was learned that could be compared: try other rates, more "
        "rounds, or another model."
    )


def nothing_added(grid: Grid, best: Cell) -> str:
    """The weights are as good before the first round as after the last."""
    before = untrained_accuracy(grid, best.start)
    if not before:
        return ""
    began = sum(before.values()) / len(before)
    if not _is_little(grid, best.mean - began):
        return ""
    added = _more_than_shows(best.mean - began, "no more than {} points") or "nothing"
    what, then = f"Training added {added}", "or try other rates or more rounds"
    if began - best.mean > grid.margin:
        what, then = "Training made the accuracy worse", "or try lower rates"
    found = rise(grid, best)
    if found and found.goes_on(grid.margin):
        risen = in_points(found.mean)
        then = f"or try lower rates and more rounds: at the end accuracy rises again, by {risen}"
    return (
        f"{what}: from {best.start} accuracy is {percent(began)} before the first "
        f"round and {percent(best.mean)} after the last with {method(best.pair)}, the best of its "
        f"pairs. Use the weights as they are, {then}."
    )


def _is_little(grid: Grid, gain: float) -> bool:
    return gain <= min(grid.margin, NOTHING)


def _more_than_shows(gain: float, text: str) -> str:
    """Write the gain into the text; nothing where it is too small to show."""
    shown = f"{100 * gain:.1f}"
    return text.format(shown) if float(shown) > 0 else ""


def seeds_disagree(grid: Grid) -> str:
    """What a look said of two starts, and the mean of all seeds denies."""
    found, looks = grid.decided, grid.decided.decisions
    said = []
    for it in contradictions(looks):
        one, other = found.starts[it.one], found.starts[it.other]
        sure = f"at least {in_points(it.said.low)}" if it.now < it.said.low else ""
        sure = sure or f"at most {in_points(it.said.high)}"
        said.append(
            f"the first {count(it.seeds, 'seed')} said that {one} is ahead of {other} by {sure}, "
            f"all {looks[-1].seeds} have {signed(100 * it.now)} points"
        )
    if not said:
        return ""
    return (
        f"Seeds disagree: {listed(said)}. That is rare where runs are alike: runs may collapse at "
        "times, or something changed between them. What the first seeds said is not used."
    )


@dataclass(frozen=True)
class Rise:
    """How accuracy went at the end of training.

    Attributes:
        since: the round from which it is looked at.
        until: the last round.
        by: how much higher it ended than it was there, by seed.
        last: how much of that, in the mean over seeds, came after the last measurement but one.
    """

    since: int
    until: int
    by: dict[int, float]
    last: float

    @property
    def mean(self) -> float:
        """The mean over seeds."""
        return float(np.mean([*self.by.values()]))

    def goes_on(self, margin: float) -> bool:
        """Whether it rises in every seed, by more than matters, and to the end."""
        return min(self.by.values()) > 0 and self.mean > margin and self.last > 0


def still_rising(grid: Grid, but: str = "") -> str:
    """Accuracy still rises where training stopped, in every seed, and the target is not reached.

    but: the start that training added nothing to, whose headline says how it ends.
    """
    rises = {}
    for start in grid.starts:
        cell = grid.best(start)
        if cell is None or start == but or (grid.target is not None and reached_by_all(cell)):
            continue
        found = rise(grid, cell)
        if found and found.goes_on(grid.margin):
            rises[start] = found
    if not rises:
        return ""
    since = min(found.since for found in rises.values())
    until = max(found.until for found in rises.values())
    said = listed(f"by {in_points(found.mean)} from {start}" for start, found in rises.items())
    return (
        f"Accuracy still rises at the end: between rounds {since} and {until} {said}, in every "
        "seed. More rounds may change what is said here: run more of them."
    )


def rise(grid: Grid, cell: Cell) -> Rise | None:
    """How accuracy rose over about the last fifth of the rounds; None where too little of it was
    measured.
    """
    by, last, since, until = {}, [], 0, 0
    for seed, (rounds, values) in grid.curves(cell, METRIC).items():
        at = np.flatnonzero(rounds <= LAST * rounds[-1])[-1] if len(rounds) else 0
        if at and rounds[at] >= EARLIEST * rounds[-1]:
            by[seed] = float(values[-1] - values[at])
            last.append(float(values[-1] - values[-2]))
            since, until = int(rounds[at]), int(rounds[-1])
    return Rise(since, until, by, float(np.mean(last))) if by else None
