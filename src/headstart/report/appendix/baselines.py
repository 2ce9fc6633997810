"""What training is held against: the table and the sentence."""

from headstart.report.measures import baselines
from headstart.report.measures.baselines import Gap
from headstart.report.runs.grid import Grid
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent
from headstart.report.words.table import Rows, Table
from headstart.statistics.effects import mean
from headstart.tables import BaselineRow
from headstart.wording.phrases import count, listed

TRAINED = ("alone", "federated", "in one place")
MEASURE = "accuracy"


def table(grid: Grid) -> Table | None:
    """A row for each answer that needs no training, each start before it, and its best pair after.

    None where the study has no constant answer.
    """
    constant = baselines.constant(grid)
    if constant is None:
        return None
    rows = Rows("what", "accuracy", "loss")
    rows.add(
        f"constant answer: {constant.answer} ({constant.rule})", constant.accuracy, constant.loss
    )
    chance = baselines.chance(grid)
    if chance is not None:
        rows.add("chance", chance.accuracy, chance.loss)
    for start in grid.starts:
        accuracy = mean(baselines.untrained_accuracy(grid, start))
        rows.add(f"{start}, untrained", accuracy, mean(baselines.untrained_loss(grid, start)))
    for start, standing in grid.standings.items():
        best = standing.best_cell
        if best is not None:
            loss = {run.seed: run.test_loss for run in best.runs if run.test_loss is not None}
            rows.add(f"{start}, {method(best.pair)} ({best.pair})", best.mean, mean(loss))
    return rows.table("baselines", "What training is held against, means over seeds", "accuracy")


def told(grid: Grid) -> str:
    """The same in a sentence; empty where the study has no constant answer."""
    constant = baselines.constant(grid)
    if constant is None or constant.accuracy is None:
        return ""
    said = [f"{answer(constant)} has a {grid.measure} of {percent(constant.accuracy)}"]
    chance = baselines.chance(grid)
    if chance is not None:
        said.append(f"a guess has {percent(chance.accuracy)}")
    untrained = []
    for start in grid.starts:
        accuracy = mean(baselines.untrained_accuracy(grid, start))
        if accuracy is not None:
            untrained.append(f"{percent(accuracy)} from {start}")
    if untrained:
        said.append(f"a model that was not trained has {listed(untrained)}")
    return f"{'; '.join(said)}."


def gap_table(grid: Grid) -> Table | None:
    """A row for each start and pair of the base setting that other training is held against.

    None where none was asked for.
    """
    shares = ("share of the gap", "low", "high")
    rows = Rows("start", "pair", *TRAINED, *shares, "seeds", "clients alone")
    for cell in grid.at_base():
        found = baselines.gap(grid, cell)
        if found is not None:
            values = [mean(each) for each in (found.local, found.federated, found.centralised)]
            ends = found.interval or (None, None)
            closed = found.closed
            rows.add(
                cell.start, str(cell.pair), *values, closed, *ends, len(found.seeds), found.clients
            )
    caption = "Clients alone, federated, and all rows in one place"
    return rows.table("gap", caption, *TRAINED, *shares) if rows else None


WIDE = 1.0
"""An interval of a share that is wider than the whole says hardly anything."""


def gap_told(grid: Grid) -> str:
    """The share of the gap that the best pair of each start closes, in sentences; empty where no
    other training was asked for.
    """
    said = []
    for start, standing in grid.standings.items():
        best = standing.best_cell
        found = None if best is None else baselines.gap(grid, best)
        if found is not None and best is not None:
            said.append(_closed(start, str(best.pair), found))
    return " ".join(said)


def _closed(start: str, pair: str, found: Gap) -> str:
    means = {
        "for clients that train alone": mean(found.local),
        "federated": mean(found.federated),
        "with all rows in one place": mean(found.centralised),
    }
    known = [f"{percent(value)} {name}" for name, value in means.items() if value is not None]
    sentence = f"From {start} with {pair} the {MEASURE} is {listed(known)}{_which(found)}"
    if found.closed is None:
        return f"{sentence}."
    if found.interval is None:
        why = "the gap may be nothing" if len(found.seeds) > 1 else "one seed gives no interval"
        return f"{sentence}; which share of the gap is closed cannot be said: {why}."
    low, high = (f"{100 * end:.0f}" for end in found.interval)
    told = f"{percent(found.closed, 0)} [{low}, {high}]"
    if found.interval[1] - found.interval[0] > WIDE:
        return f"{sentence}; which share of the gap is closed is hardly known: {told}."
    return f"{sentence}: {told} of the gap is closed."


def _which(found: Gap) -> str:
    """Which clients train alone, in brackets; empty where none does."""
    if not found.local:
        return ""
    each = count(round(found.clients / len(found.local)), "client")
    seeds = "in every seed" if len(found.local) > 1 else "in the seed"
    return f" (alone: {each} drawn at random {seeds}, which `local_clients` sets)"


def answer(constant: BaselineRow) -> str:
    """The constant answer as the subject of a sentence."""
    if constant.rule == "mean":
        return f"Always answering the mean of the training rows ({constant.answer})"
    what = "token" if constant.rule == "unigram" else "class"
    most = f"the most frequent {what} of the training rows"
    return f"Always answering \u201c{constant.answer}\u201d, {most},"
