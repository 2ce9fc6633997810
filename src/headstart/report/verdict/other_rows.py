"""What a verdict says of other test rows: all seeds of a study are judged on the same ones.

Bounds over seeds say nothing of other rows: the test part is drawn once. What another draw could
change is bounded by the two accuracies and the number of rows alone (`headstart.statistics.rows`),
as no table keeps which rows a run gets right.
"""

from dataclasses import dataclass, replace

import numpy as np

from headstart.report.measures.baselines import constant
from headstart.report.runs.grid import Grid
from headstart.report.verdict.sentences import Sentence, in_points
from headstart.statistics.rows import moved_at_most

UNITS = {"majority": "row", "mean": "row", "unigram": "token"}
"""What one prediction is of, by the rule that finds the constant answer."""


@dataclass(frozen=True)
class JudgedOn:
    """The predictions that accuracy is the share of: the same ones for every run of a study.

    Attributes:
        number: how many there are.
        part: the part of the data that they are of, `test` or `validation`.
        unit: `row`, `token`, or `prediction` where nothing says which.
    """

    number: int
    part: str
    unit: str

    @property
    def units(self) -> str:
        """The unit in the plural, where there are several."""
        return self.unit if self.number == 1 else f"{self.unit}s"

    def __str__(self) -> str:
        return f"{self.number:,} {self.part} {self.units}"

    @property
    def sentence(self) -> str:
        """Of which rows all is claimed."""
        return f"{self._claimed}."

    def with_others(self, what: str) -> str:
        """The same, and what as many others could do."""
        return f"{self._claimed}: as many others {what}."

    @property
    def _claimed(self) -> str:
        return f"All of it is claimed of the {self} that all seeds share"


@dataclass(frozen=True)
class OtherRows:
    """What other test rows could change of the comparison that a verdict rests on.

    Attributes:
        judged_on: the rows that all seeds share.
        start: the one that is named.
        against: the nearest start that it is named before.
        lead: final accuracy from the one over the other, each with its best pair, as a share.
        could_move: by how much another draw of as many rows could move the lead, at most, in 95 %
            of draws, where rows are independent.
    """

    judged_on: JudgedOn
    start: str
    against: str
    lead: float
    could_move: float

    @property
    def could_undo(self) -> bool:
        """Whether the lead is smaller than what another draw could change."""
        return abs(self.lead) < self.could_move

    @property
    def sentence(self) -> str:
        """Of which rows all is claimed, and what others could change."""
        return self.judged_on.with_others(
            f"could move the difference between {self.start} and {self.against} by up to about "
            f"{_roughly(self.could_move)} if {self.judged_on.units} are independent, less where "
            "both get the same ones right"
        )

    @property
    def caution(self) -> str:
        """That the lead is smaller than what another draw could change; empty where it is not."""
        if not self.could_undo:
            return ""
        part, units = self.judged_on.part, self.judged_on.units
        return (
            f"The lead of {self.start} over {self.against}, {in_points(round(self.lead, 3))}, is "
            f"smaller than what other {part} {units} could change (up to about "
            f"{_roughly(self.could_move)} with {self.judged_on.number:,} of them). A larger "
            f"{part} part would tell; more seeds do not."
        )


def judged_on(grid: Grid) -> JudgedOn | None:
    """The predictions that all runs of a study are judged on; None where nobody counted them."""
    row = constant(grid)
    counted = [run.test_predictions for run in grid.records.runs if run.test_predictions]
    number = row.predictions if row is not None and row.predictions else min(counted, default=0)
    if not number:
        return None
    on_validation = grid.records.settings.get("evaluate_on") == "validation"
    unit = "prediction" if row is None else UNITS.get(row.rule, "prediction")
    return JudgedOn(number, "validation" if on_validation else "test", unit)


def measured_on(grid: Grid) -> str:
    """What accuracy was measured on, with the number of rows where it is known."""
    found = judged_on(grid)
    return grid.measure if found is None else f"{grid.measure} on {found.number:,} {found.units}"


def other_rows(grid: Grid, where: Sentence) -> OtherRows | None:
    """What other rows could change of a claim; None where nothing is compared, or nobody counted.

    where: the sentence that says where to begin.
    """
    last, starts, found = grid.decided.last, grid.decided.starts, judged_on(grid)
    if last is None or found is None or not where.names or where.names[0] not in starts:
        return None
    place = starts.index(where.names[0])
    others = {}
    for (one, other), bounds in last.starts.items():
        if one == place and (not where.avoid or starts[other] in where.avoid):
            others[other] = bounds.value
    if not others:
        return None
    nearest = min(others, key=lambda other: abs(others[other]))
    ours, theirs = (float(np.nanmax(last.means[at])) for at in (place, nearest))
    if not (0 <= ours <= 1 and 0 <= theirs <= 1):  # a score of the user's own
        return None
    could_move = moved_at_most(ours, theirs, found.number)
    return OtherRows(found, starts[place], starts[nearest], others[nearest], could_move)


def on_these_rows(said: Sentence, found: OtherRows | None) -> Sentence:
    """A claim that says that it is of these rows, where others could undo it."""
    if found is None or not said.decided or not found.could_undo:
        return said
    judged = found.judged_on
    return replace(said, claim=f"{said.claim}, on these {judged.part} {judged.units}")


def _roughly(share: float) -> str:
    """Write a bound that is known to two digits."""
    return in_points(float(f"{share:.2g}"))
