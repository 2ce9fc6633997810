"""What a study recommends, in one sentence for each question that a team has."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Grid
from headstart.report.verdict.choice import Choice, as_it_is, choice
from headstart.report.verdict.cost import what_it_costs
from headstart.report.verdict.headlines import headlines
from headstart.report.verdict.other_rows import OtherRows, on_these_rows, other_rows
from headstart.report.verdict.outlook import Outlook, outlook
from headstart.report.verdict.reasons import reasons
from headstart.report.verdict.sentences import Sentence, joined
from headstart.report.verdict.sureness import how_sure, what_is_unseen
from headstart.report.verdict.where import Starts, twins, where_to_begin
from headstart.report.verdict.which import cell_to_take, high_constant, what_others_need, with_what
from headstart.statistics.joint.decisions import Bounds


@dataclass(frozen=True)
class Verdict:
    """What a study recommends.

    Attributes:
        headlines: what comes before the claims: sentences, most often none.
        where: where to begin.
        which: with what.
        start: the start to take, or that leads where nothing is decided.
        sure: how sure the claims are.
        unseen: what so few runs cannot exclude.
        cost: what it costs; empty where nothing was learned.
        why: what speaks for the start, and what against it; empty where nothing was learned.
        outlook: what is left to look for, and the command.
        as_it_is: where training added nothing, what the start's weights are before it: a file, or
            what they are made of; empty where it added something.
        choice: the start with the pair to take, as it was run; None where there is none.
        gain: final accuracy from the start over `against`, the nearest other, each with its best
            pair.
        against: the nearest other start.
        other_rows: what other test rows could change of it; None where nothing is compared.
    """

    headlines: tuple[str, ...]
    where: Sentence
    which: Sentence
    start: str
    sure: str
    unseen: str
    cost: str
    why: str
    outlook: Outlook
    as_it_is: str
    choice: Choice | None
    gain: Bounds | None = None
    against: str | None = None
    other_rows: OtherRows | None = None

    @property
    def text(self) -> str:
        """The headlines and both claims with their evidence."""
        return " ".join([*self.headlines, self.where.text, self.which.text])

    @property
    def lines(self) -> list[str]:
        """The same a line each, and what is left to do; a name with a line of its own is in one."""
        said = [*self.headlines, self.where.text, self.which.text, self.outlook.sentence]
        lines = [" ".join(each.split()) for each in said]
        return list(filter(None, [*lines, self.outlook.command]))

    def __str__(self) -> str:
        return self.text


def verdict(grid: Grid, panels: Sequence[Panel | Missing], folder: str, tied: str = "") -> Verdict:
    """What a study recommends.

    Args:
        grid: the study's cells.
        panels: of the study, with the answers that stand.
        folder: of the study, as commands name it.
        tied: where its tuning could not tell trials apart.
    """
    found, last = grid.decided, grid.decided.last
    leader = grid.starts[0]
    if last is not None and last.leader is not None:
        leader = found.starts[last.leader]
    first = headlines(grid, leader, tied)
    where = where_to_begin(grid, first.constant, first.rising)
    start = where.names[0] if where.names else leader
    of_rows = other_rows(grid, where)
    which = with_what(grid, start, first.constant, first.untrained, first.rising)
    if first.untrained and not first.constant:
        needs = what_others_need(grid, where.names[1:])
        which = replace(which, evidence=joined(which.evidence, needs))
    cell = cell_to_take(grid, start, which)
    learned = not first.constant
    if cell and learned:
        which = replace(which, evidence=joined(which.evidence, high_constant(grid, cell)))
    gain, against = None, None
    if last is not None and grid.best(start) is not None:
        starts = Starts(found, last, start, twins(grid))
        others = [other for other in starts.able if other != start]
        against = others[0] if others else None
        gain = starts.ahead(start, against) if against else None
    is_ahead = where.decided and gain is not None and gain.low > 0
    caution = of_rows.caution if of_rows and is_ahead else ""
    return Verdict(
        headlines=tuple(filter(None, [*first.sentences, caution])),
        where=on_these_rows(where, of_rows),
        which=which,
        start=start,
        sure=how_sure(grid, start, of_rows),
        unseen=what_is_unseen(grid),
        cost=what_it_costs(grid, cell, bool(first.untrained)) if cell and learned else "",
        why=reasons(grid, start, panels, where) if learned else "",
        outlook=outlook(grid, start, folder, first),
        as_it_is=as_it_is(grid, start) if learned and first.untrained else "",
        choice=choice(grid, cell) if cell else None,
        gain=gain,
        against=against,
        other_rows=of_rows,
    )
