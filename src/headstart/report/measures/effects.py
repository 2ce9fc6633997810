"""What one step along an axis (IID to not, equal to uneven devices, few to many epochs) costs from each start."""

from dataclasses import dataclass

from headstart.report.runs.cells import Cell, Pair
from headstart.report.runs.grid import Slice, Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import DIVERGED, SHORT, Answer, apart, count, judge, left_out, points
from headstart.statistics import effects
from headstart.statistics.intervals import Estimate, differences, negated, paired_difference, t_interval


@dataclass(frozen=True)
class Effect:
    """The drop of accuracy along the step by start and seed, mean over the pairs that no run diverged in; how many
    were left out for that, or for fewer seeds."""

    pairs: tuple[Pair, ...]
    diverged: int
    short: int
    drops: dict[str, dict[int, float]]

    def drop(self, start: str) -> Estimate | None:
        return t_interval(self.drops[start].values()) if self.drops[start] else None

    def saved(self, reference: str, other: str) -> Estimate | None:
        """How much smaller the drop is from `other`: a difference of differences, paired by seed."""
        return paired_difference(self.drops[reference], self.drops[other])


def effect(study: Study, part: Slice, before: str | float, after: str | float) -> Effect:
    both = [
        p for p in part.pairs if all((s, p, part.at(v)) in study.cells for s in study.starts for v in (before, after))
    ]
    together = study.together(both, [part.at(before), part.at(after)])
    kept = [
        p for p in together if all(study.cell(s, p, part.at(v)).accuracy for s in study.starts for v in (before, after))
    ]

    def mean(start: str, value: str | float) -> dict[int, float]:
        return effects.mean_over([study.cell(start, pair, part.at(value)).accuracy for pair in kept])

    drops = {start: differences(mean(start, before), mean(start, after)) for start in study.starts}
    return Effect(tuple(kept), len(together) - len(kept), len(both) - len(together), drops)


def told(study: Study, found: Effect, what: str) -> Answer:
    """The sentence of an effect, `what` it costs, and whether it costs less from the other start."""
    over = f"mean over {count(len(found.pairs), 'pair')}" if len(found.pairs) != 1 else str(found.pairs[0])
    set_aside = left_out((found.diverged, DIVERGED), (found.short, SHORT))
    over += f", {set_aside}" if set_aside else ""
    if not found.pairs:
        return Answer("undecided", f"each of {count(found.diverged, 'pair')} has a diverged run: nothing to compare")
    between = contrast(study)
    if not all(found.drops[start] for start in between or study.starts):
        return Answer("undecided", f"no seed was run on both sides of {what}: nothing to compare")
    changes = [f"{points(negated(found.drop(start)))} from {start}" for start in between or study.starts]
    if between is None:
        return Answer(None, f"{what} changes accuracy by {changes[0]}, the only start ({over})")
    reference, other = between
    saved = found.saved(reference, other)
    if saved is None:
        return Answer("undecided", apart(reference, other))
    return Answer(
        judge(saved),
        f"{what} changes accuracy by {changes[0]} and by {changes[1]}; difference {points(saved)} ({over})",
        points(saved),
        saved,
    )


def rows(study: Study, part: Slice) -> dict[str, list[object]]:
    """A row for each start x pair x value of the axis: mean, interval, seeds, diverged runs."""
    columns: dict[str, list[object]] = {
        name: []
        for name in ("start", "pair", part.axis.replace("_", " "), "accuracy", "low", "high", "seeds", "diverged runs")
    }
    for pair in part.pairs:
        for start in study.starts:
            for value in part.values:
                cell: Cell | None = study.cells.get((start, pair, part.at(value)))
                if cell is None:
                    continue
                e = t_interval(cell.accuracy.values()) if cell.accuracy else None
                row = (
                    start,
                    str(pair),
                    value,
                    *((e.value, e.low, e.high) if e else (None,) * 3),
                    len(cell.runs),
                    cell.diverged,
                )
                for column, item in zip(columns.values(), row, strict=True):
                    column.append(item)
    return columns


PERCENT = frozenset(("accuracy", "low", "high"))
