"""Finding 9: one full-batch gradient a client (GD) against local SGD, by server optimizer and start."""

from typing import Any

import numpy as np

from headstart.report.figures.dumbbells import Row, dumbbells, height
from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.cells import Pair, family
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import contrast
from headstart.report.words.numbers import MARGIN, Answer, judge, points
from headstart.report.words.table import Table
from headstart.statistics.intervals import Estimate, paired_difference

SLUG, HEADING = "gd-vs-sgd", "Are full-batch GD clients about as good as SGD clients?"


def build(study: Study) -> Panel | Missing:
    couples = {p.server: (q, p) for p in study.pairs() for q in study.pairs() if _are(p, q)}  # server -> (gd, sgd)
    if not couples:
        return Missing(SLUG, HEADING, "runs with both gd and sgd clients under one server optimizer")
    rows = [
        Row(server, {s: (_mean(study, s, gd), _mean(study, s, sgd)) for s in study.starts})
        for server, (gd, sgd) in couples.items()
    ]
    return Panel(
        SLUG,
        HEADING,
        answer(study, couples),
        f"Final {study.measure} by server optimizer: hollow marks for gd clients, filled for sgd. About as "
        f"good: not more than {100 * MARGIN:.0f} point lower, a margin of ours.",
        lambda figure, wide: dumbbells(figure, wide, study.starts, rows, ("gd", "sgd"), study.measure),
        (height(rows, study.starts), height(rows, study.starts)),
        f"gd and sgd clients in the setting {study.base}",
        (table(study, couples),),
    )


def _are(sgd: Pair, gd: Pair) -> bool:
    return sgd.server == gd.server and family(sgd.client) == "sgd" and family(gd.client) == "gd"


def _mean(study: Study, start: str, pair: Pair) -> float | None:
    cell = study.cell(start, pair)
    return cell.mean if cell.accuracy else None


def lead(study: Study, start: str, couple: tuple[Pair, Pair]) -> Estimate | None:
    return paired_difference(*(study.cell(start, pair).accuracy for pair in couple))


def answer(study: Study, couples: dict[str, tuple[Pair, Pair]]) -> Answer:
    """Judged with the Adam server, as in the paper, where it was run; else with the server that suits gd best."""
    between = contrast(study) or (study.starts[0],)
    judged = between[-1]
    adam = [server for server in couples if family(server) == "adam"]
    server = (
        adam[0] if adam else max(couples, key=lambda s: np.nan_to_num(study.cell(judged, couples[s][0]).mean, nan=-1.0))
    )
    found = {start: lead(study, start, couples[server]) for start in between}
    said = [
        f"{points(e)} from {start}" if e else f"not comparable from {start} (a run diverged or seeds differ)"
        for start, e in found.items()
    ]
    return Answer(
        judge(found[judged], MARGIN),
        f"with the {server} server, gd against sgd clients is {', '.join(reversed(said))} (judged from {judged}).",
        points(found[judged]) if found[judged] else "not comparable",
        found[judged],
        MARGIN,
    )


def table(study: Study, couples: dict[str, tuple[Pair, Pair]]) -> Table:
    columns: dict[str, list[Any]] = {k: [] for k in ("server", "start", "gd", "sgd", "difference", "low", "high")}
    for server, couple in couples.items():
        for start in study.starts:
            e = lead(study, start, couple)
            means = [_mean(study, start, pair) for pair in couple]
            row = (server, start, *means, *((e.value, e.low, e.high) if e else (None,) * 3))
            for name, value in zip(columns, row, strict=True):
                columns[name].append(value)
    return Table(SLUG, "gd against sgd clients", columns, frozenset(("gd", "sgd", "difference", "low", "high")))
