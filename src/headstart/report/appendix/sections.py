"""All that stands below the panels of a page, computed once."""

from dataclasses import dataclass

from headstart.report.appendix import baselines, best_of_starts, completeness, rates, shares, tuning
from headstart.report.runs.grid import Grid
from headstart.report.words.table import Table


@dataclass(frozen=True)
class Appendix:
    """The tables that a study has, and the sentences beside them.

    `best_of_starts`: the picture beside the verdict.
    `held_against`: what needs no training, in a sentence; `gap_closed`: what other training does;
    `same`: how many pairs and settings used the same rates from every start; `trained`: which
    weights were trained, where not all.
    """

    best_of_starts: best_of_starts.Picture | None
    tuning: tuning.TuningNotes | None
    baselines: Table | None
    held_against: str
    gap: Table | None
    gap_closed: str
    shares: Table | None
    differed: Table | None
    same: int
    trained: str
    rates: Table | None
    diverged: Table | None

    @property
    def tables(self) -> list[Table]:
        """All tables."""
        found = [self.tuning.best, self.tuning.trials] if self.tuning else []
        others = self.baselines, self.gap, self.shares, self.differed, self.rates, self.diverged
        return found + [table for table in others if table]


def appendix(grid: Grid) -> Appendix:
    """What stands below the panels of a study."""
    differed, same = rates.differed(grid)
    return Appendix(
        best_of_starts=best_of_starts.picture(grid),
        tuning=tuning.tuning(grid.records.trials),
        baselines=baselines.table(grid),
        held_against=baselines.told(grid),
        gap=baselines.gap_table(grid),
        gap_closed=baselines.gap_told(grid),
        shares=shares.table(grid),
        differed=differed,
        same=same,
        trained=rates.trained(grid),
        rates=rates.tried(grid),
        diverged=completeness.diverged(grid),
    )
