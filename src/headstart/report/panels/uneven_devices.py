"""Finding 4: uneven devices, what they cost and how far they spread the pairs, by start."""

from typing import Any

import numpy as np

from headstart.report.answers import Answer, judge, listed, points, some
from headstart.report.cells import DEFAULT_DEVICES
from headstart.report.dumbbells import Row, dumbbells, height
from headstart.report.effects import PERCENT, effect, rows, told
from headstart.report.panel import Missing, Panel
from headstart.report.slices import Slice, Study
from headstart.report.standings import contrast
from headstart.report.table import Table
from headstart.study import statistics as st

SLUG = "uneven_devices"


def build(study: Study) -> Panel | Missing:
    between = contrast(study)
    heading = f"Do uneven devices matter less from {between[1]}?" if between else "What do uneven devices cost?"
    part = study.varied("devices")
    if part is None:
        return Missing(SLUG, heading, "runs in two or more settings of devices with all else equal")
    even = DEFAULT_DEVICES if DEFAULT_DEVICES in part.values else part.values[0]
    uneven = [value for value in part.values if value != even]
    found = told(study, effect(study, part, even, uneven[0]), f"using {uneven[0]} instead of {even} devices")
    closer = spread(study, part, uneven[0])
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
        f"filled for {uneven[0]}. Judged is the spread, as in the paper: do the pairs lie closer together?",
        lambda figure, wide: dumbbells(figure, wide, study.starts, data, (str(even), str(uneven[0])), study.measure),
        (height(data, study.starts), height(data, study.starts)),
        f"{some(part.pairs)}, devices {listed(part.values)}",
        (Table(SLUG, "Accuracy by devices", rows(study, part), PERCENT),),
    )


def spread(study: Study, part: Slice, uneven: str | int) -> Answer:
    """Standard deviation between pairs under uneven devices, by seed; its difference between the starts is judged."""
    between = contrast(study)
    setting = part.at(uneven)
    whole = [p for p in part.pairs if all((s, p, setting) in study.cells for s in study.starts)]
    kept = [p for p in whole if all(study.cell(s, p, setting).accuracy for s in study.starts)]
    if between is None or len(kept) < 2:
        return Answer(None, "")
    by_start = {s: st.spread([study.cell(s, p, setting).accuracy for p in kept]) for s in between}
    if not all(by_start.values()):
        return Answer(None, "")
    closer = st.paired_difference(by_start[between[0]], by_start[between[1]])
    seeds = set.intersection(*map(set, by_start.values()))  # those that `closer` is taken over
    if closer is None:
        return Answer(None, "")
    means = [100 * float(np.mean([by_start[s][seed] for seed in seeds])) for s in between]
    p = st.equal_spread(*([study.cell(s, p, setting).mean for p in kept] for s in between))
    test = "" if p is None else f" (Pitman-Morgan test of the pairs\u2019 means: p = {p:.2g})"
    return Answer(
        judge(closer),
        f"the standard deviation between {len(kept)} pairs is {means[0]:.1f} points from {between[0]} and "
        f"{means[1]:.1f} from {between[1]}, difference {points(closer)}{test}; ",
        points(closer),
        closer,
    )


def drawn(study: Study, part: Slice, even: str, uneven: str) -> list[Row]:
    def both(start: str, pair: Any) -> tuple[float | None, float | None]:
        cells = [study.cells.get((start, pair, part.at(value))) for value in (even, uneven)]
        first, second = (cell.mean if cell and cell.accuracy else None for cell in cells)
        return first, second

    found = [Row(study.brief(pair), {start: both(start, pair) for start in study.starts}) for pair in part.pairs]
    return sorted(found, key=lambda row: -(row.ends[study.starts[-1]][1] or 0))
