"""Finding 3: do more local epochs lower the final accuracy, and does a start change that?"""

from headstart.report.figures.epochs import epochs
from headstart.report.measures.step_costs import effect
from headstart.report.measures.step_costs import slopes as measured_slopes
from headstart.report.panels.base import Answer, Missing, Panel
from headstart.report.panels.steps import left_out_of, table, told
from headstart.report.runs.grid import Grid, Slice
from headstart.report.words.methods import method
from headstart.report.words.numbers import points
from headstart.report.words.remarks import in_brackets
from headstart.wording.epochs import in_words
from headstart.wording.phrases import listed, some

SLUG = "local-epochs"


def build(grid: Grid) -> Panel | Missing:
    """The panel of a study; missing with one number of local epochs."""
    heading = "Do more local epochs harm?"
    if grid.between:
        heading = f"Do more local epochs harm less from {grid.between[1]}?"
    part = grid.varied("local_epochs")
    if part is None:
        need = "runs with two or more numbers of local epochs and all else equal"
        return Missing(SLUG, heading, need)
    few, many = part.values[0], part.values[-1]
    step = f"going from {few} to {in_words(float(many))}"
    found = told(grid, effect(grid, part, few, many), step)
    sentence = f"{found.sentence}{slopes(grid, part)}."
    return Panel(
        SLUG,
        heading,
        Answer(found.says, sentence, found.difference, found.judged),
        f"Final {grid.measure} over the number of local epochs (log scale): mean, and the range of "
        "the seeds.",
        lambda figure, wide: epochs(figure, wide, grid, part),
        (0.9 + 2.1 * -(-min(len(part.pairs), 9) // 3), 0.95 + 1.9 * min(len(part.pairs), 6)),
        f"{some(list(map(method, part.pairs)))} with {listed(part.values)} local epochs",
        (table(grid, part, SLUG, "Accuracy by number of local epochs"),),
    )


def slopes(grid: Grid, part: Slice) -> str:
    """Change per doubling of the epochs, where three or more numbers of epochs were run."""
    if len(part.values) < 3:
        return ""
    block, by_start = measured_slopes(grid, part)
    said = [f"{points(slope)} from {start}" for start, slope in by_start.items()]
    return f"; per doubling {', '.join(said)}{in_brackets(left_out_of(block))}" if said else ""
