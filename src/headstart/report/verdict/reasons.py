"""Why a start is to be preferred: what the panels answered, all of them corrected together."""

from collections.abc import Sequence

import numpy as np

from headstart.report.measures.baselines import untrained_accuracy, untrained_loss
from headstart.report.panels.base import Answer, Missing, Panel
from headstart.report.panels.curvature import times
from headstart.report.runs.grid import Grid
from headstart.report.verdict.sentences import Sentence
from headstart.report.words.numbers import percent, unsigned
from headstart.report.words.remarks import capital
from headstart.statistics.intervals import negated
from headstart.wording.phrases import listed, some

CLAUSES = {
    "speedup": "it learns in fewer rounds",
    "iid-gap": "clients whose data differ cost it less accuracy",
    "local-epochs": "more local epochs cost it less accuracy",
    "devices": "its pairs lie closer together on uneven devices",
    "alignment": "client updates agree better",
    "curvature": "the loss is flatter where it begins",
    "initial-loss": "its loss is lower before the first round",
}
"""What an answer says for a start, by panel; an answer `yes` is for the second of two starts."""

WITHOUT_TARGET = "its accuracy is higher on average over the rounds"
"""What a faster start means where no target says how many rounds are enough."""

UNITS = {
    "accuracy": (100, 1, " points"),
    "rounds": (1, 1, " rounds"),
    "cosine": (1, 3, ""),
    "loss": (1, 2, ""),
    "eigenvalue": (1, 2, ""),
}
"""How differences are written: their factor, their decimals, and what stands behind them."""

HARMFUL = 1.2
"""Times the loss of the start to take: who begins with more has something to unlearn. Ours."""


def reasons(grid: Grid, start: str, panels: Sequence[Panel | Missing], where: Sentence) -> str:
    """What speaks for a start against the other that the panels compare it with, and what against
    it; then what is wrong with starts that are to be avoided.

    Args:
        grid: the study's cells.
        start: the one to take.
        panels: of the study, with the answers that stand.
        where: the claim that is to be explained.
    """
    return " ".join(
        filter(None, [told_apart(grid, start, panels, where), harm(grid, start, where)])
    )


def told_apart(grid: Grid, start: str, panels: Sequence[Panel | Missing], where: Sentence) -> str:
    """What the panels say for and against a start; the arguments are those of `reasons`."""
    if grid.between is None or start not in grid.between:
        return ""
    reference, other = grid.between
    opposite = reference if start == other else other
    for_it: list[str] = []
    against_it: list[str] = []
    for panel in panels:
        if isinstance(panel, Missing) or not _is_reason(panel):
            continue
        clause = CLAUSES[panel.slug]
        if panel.slug == "speedup" and grid.target is None:
            clause = WITHOUT_TARGET
        told = f"{clause} ({by_how_much(panel.answer)})"
        favours = other if panel.answer.says == "yes" else reference
        (for_it if favours == start else against_it).append(told)
    if not for_it and not against_it:
        return f"This study does not say: no panel below tells {start} from {opposite}."
    is_ahead = opposite in where.avoid
    if is_ahead and not for_it:
        lower = f"from {opposite}, which ends lower, {some(against_it)}"
        return f"No panel below says why: {lower}."
    against = f", against {opposite}," if is_ahead else ""
    ours = f"from {start}{against} {some(for_it)}" if for_it else ""
    theirs = f"from {opposite} {some(against_it)}" if against_it else ""
    said = capital("; but ".join(filter(None, [ours, theirs])))
    if not is_ahead:
        said = f"Neither {start} nor {opposite} is shown to end higher. {said}"
    return f"{said}."


def _is_reason(panel: Panel) -> bool:
    """Whether a panel tells two starts apart, and by more than does not matter."""
    answer = panel.answer
    if panel.slug not in CLAUSES or answer.says not in ("yes", "no"):
        return False
    found, margin = answer.judged, answer.margin
    return found is None or margin is None or abs(found.value) > margin


def by_how_much(answer: Answer) -> str:
    """The size of a difference: the sentence says which way round it is.

    >>> from headstart.statistics.intervals import Estimate
    >>> by_how_much(Answer("no", "", judged=Estimate(-2.69, -2.71, -2.67, 3), unit="loss"))
    'by 2.69 [2.67, 2.71]'
    """
    found = negated(answer.judged) if answer.says == "no" else answer.judged
    if found is None:
        return answer.difference
    if answer.unit not in UNITS:
        return times(found, " times")
    factor, digits, unit = UNITS[answer.unit]
    return f"by {unsigned(found, factor, digits, unit)}"


def harm(grid: Grid, start: str, where: Sentence) -> str:
    """What starts to avoid begin with, where that is worse than what the start to take does; empty
    where none is.

    The arguments are those of `reasons`.
    """
    ours = begins(grid, start)
    found = {}
    for other in where.avoid:
        theirs = begins(grid, other)
        is_compared = other in (grid.between or ())
        if ours and theirs and not is_compared and theirs[1] > HARMFUL * ours[1]:
            found[other] = f"{theirs[1]:.2f} ({percent(theirs[0])} right)"
    if not found or ours is None:
        return ""
    return (
        f"From {listed(found)} there is something to unlearn: before the first round the loss is "
        f"{listed(found.values())}, from {start} {ours[1]:.2f} ({percent(ours[0])} right)."
    )


def begins(grid: Grid, start: str) -> tuple[float, float] | None:
    """Accuracy and loss of a start before the first round; None where they were not measured."""
    right, loss = untrained_accuracy(grid, start), untrained_loss(grid, start)
    if not right or not loss:
        return None
    return float(np.mean([*right.values()])), float(np.mean([*loss.values()]))
