"""Why a start is to be preferred: what the panels answered, all of them corrected together."""

from collections.abc import Sequence

from headstart.report.panels.base import Missing, Panel
from headstart.report.runs.grid import Grid
from headstart.wording.phrases import some

CLAUSES = {
    "speedup": "it learns in fewer rounds",
    "iid-gap": "clients whose data differ cost it less accuracy",
    "local-epochs": "more local epochs cost it less accuracy",
    "devices": "uneven devices spread its pairs less",
    "alignment": "client updates agree better",
    "curvature": "the loss is flatter where it begins",
    "initial-loss": "its loss is lower before the first round",
}
"""What an answer says for a start, by panel; an answer `yes` is for the second of two starts."""

WITHOUT_TARGET = "its accuracy is higher on average over the rounds"
"""What a faster start means where no target says how many rounds are enough."""


def reasons(grid: Grid, start: str, panels: Sequence[Panel | Missing]) -> str:
    """What speaks for a start against the other that the panels compare it with, and what against
    it.
    """
    if grid.between is None or start not in grid.between:
        return ""
    reference, other = grid.between
    opposite = reference if start == other else other
    for_it, against_it = [], []
    for panel in panels:
        if isinstance(panel, Missing) or panel.answer.says not in ("yes", "no"):
            continue
        clause = CLAUSES.get(panel.slug)
        if clause is None:
            continue
        favours = other if panel.answer.says == "yes" else reference
        if panel.slug == "speedup" and grid.target is None:
            clause = WITHOUT_TARGET
        told = f"{clause} ({panel.answer.difference})"
        if favours == start:
            for_it.append(told)
        else:
            against_it.append(told)
    if not for_it and not against_it:
        return f"This study does not say: no panel below tells {start} from {opposite}."
    said = f"From {start}, against {opposite}, {some(for_it)}" if for_it else ""
    if not against_it:
        return f"{said}."
    contrary = f"from {opposite} {some(against_it)}"
    return f"{said}; but {contrary}." if said else f"F{contrary[1:]}."
