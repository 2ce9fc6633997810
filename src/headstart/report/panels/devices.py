"""Finding 4: uneven devices, what they cost and how far they spread the pairs, by start."""

from typing import Any

import numpy as np

from headstart.report.figures.dumbbells import Row, dumbbells, height
from headstart.report.measures.effects import PERCENT, effect, rows, told
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import DEFAULT_DEVICES, Pair, Setting
from headstart.report.runs.grid import Slice, Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import DIVERGED, SHORT, Answer, judge, left_out, listed, points, some
from headstart.report.words.table import Table
from headstart.statistics import effects
from headstart.statistics.intervals import difference_of_differences, paired_difference

SLUG = "devices"


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Do uneven devices matter less from {between[1]}?" if between else "What do uneven devices cost?"
    part = study.varied("devices")
    if part is None:
        return Missing(SLUG, heading, "runs in two or more settings of devices with all else equal")
    even = DEFAULT_DEVICES if DEFAULT_DEVICES in part.values else part.values[0]
    uneven = [value for value in part.values if value != even]
    found = told(study, effect(study, part, even, uneven[0]), f"using {uneven[0]} instead of {even} devices")
    closer = spread(study, part, even, uneven[0])
    data = drawn(study, part, str(even), str(uneven[0]))
    return Panel(
        SLUG,
        heading,
        Answer(
            closer.says or found.says,
            f"{closer.sentence}{found.sentence}.",
            closer.difference or found.difference,
            closer.judged if closer.says else found.judged,
        ),
        f"Final {study.measure}, mean over seeds: hollow marks for {even} devices, "
        f"filled for {uneven[0]}. Judged is the spread on uneven devices, as in the paper: do the pairs lie "
        "closer together? That they may do so on equal devices too is not taken off.",
        lambda figure, wide: dumbbells(figure, wide, study.starts, data, (str(even), str(uneven[0])), study.measure),
        (height(data, study.starts), height(data, study.starts)),
        f"{some(part.pairs)}, devices {listed(part.values)}",
        (Table(SLUG, "Accuracy by devices", rows(study, part), PERCENT),),
    )


def spread(study: Study, part: Slice, even: str | float, uneven: str | float) -> Answer:
    """Standard deviation between pairs under uneven devices, by seed; its difference between the starts is judged.
    Beside it stands how much of that difference is there on even devices too."""
    between = contrast(study)
    settings = [part.at(uneven), part.at(even)]
    ran = [p for p in part.pairs if all((s, p, settings[0]) in study.cells for s in study.starts)]
    together = study.together(ran, settings[:1])
    kept = [p for p in together if all(study.cell(s, p, settings[0]).accuracy for s in study.starts)]
    if between is None or len(kept) < 2:
        return Answer(None, "")
    by_start = [spread_of(study, start, settings[0], kept) for start in between]
    closer = paired_difference(*by_start)
    if closer is None:
        return Answer(None, "")
    p = effects.equal_spread(*([study.cell(s, p, settings[0]).mean for p in kept] for s in between))
    test = "" if p is None else f" (Pitman-Morgan test of the pairs\u2019 means: p = {p:.2g})"
    set_aside = left_out((len(together) - len(kept), DIVERGED), (len(ran) - len(together), SHORT))
    pairs = f"{len(kept)} pairs{f' ({set_aside})' if set_aside else ''}"
    return Answer(
        judge(closer),
        f"the standard deviation between {pairs} is {told_of(by_start, between)}, difference {points(closer)}{test}; "
        + beside(study, between, settings, kept, str(even)),
        points(closer),
        closer,
    )


def spread_of(study: Study, start: str, setting: Setting, pairs: list[Pair]) -> dict[int, float]:
    return effects.spread([study.cell(start, pair, setting).accuracy for pair in pairs])


def told_of(by_start: list[dict[int, float]], between: tuple[str, str]) -> str:
    """Both spreads over the seeds that they share."""
    seeds = by_start[0].keys() & by_start[1].keys()
    means = [100 * float(np.mean([found[seed] for seed in seeds])) for found in by_start]
    return f"{means[0]:.1f} points from {between[0]} and {means[1]:.1f} from {between[1]}"


def beside(study: Study, between: tuple[str, str], settings: list[Setting], pairs: list[Pair], even: str) -> str:
    """The spread on even devices, and by how much the starts differ more on uneven ones: a difference of differences
    over the pairs that have both."""
    ran = [p for p in pairs if all((s, p, settings[1]) in study.cells for s in study.starts)]
    both = [p for p in study.together(ran, settings) if all(study.cell(s, p, settings[1]).accuracy for s in between)]
    uneven, equal = ([spread_of(study, start, setting, both) for start in between] for setting in settings)
    more = difference_of_differences(uneven[0], uneven[1], equal[0], equal[1])
    if more is None:
        return ""
    over = "" if len(both) == len(pairs) else f", over {len(both)} pairs,"
    return (
        f"on {even} devices{over} it is {told_of(equal, between)}, difference {points(paired_difference(*equal))}, "
        f"so that uneven devices change the difference by {points(more)}; "
    )


def drawn(study: Study, part: Slice, even: str, uneven: str) -> list[Row]:
    def both(start: str, pair: Any) -> tuple[float | None, float | None]:
        cells = [study.cells.get((start, pair, part.at(value))) for value in (even, uneven)]
        first, second = (cell.mean if cell and cell.accuracy else None for cell in cells)
        return first, second

    found = [Row(study.brief(pair), {start: both(start, pair) for start in study.starts}) for pair in part.pairs]
    return sorted(found, key=lambda row: -(row.ends[study.starts[-1]][1] or 0))
