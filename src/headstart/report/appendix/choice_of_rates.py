"""How the rates of a study were chosen, where that limits what its runs can show.

Each function returns a sentence, which is empty where there is nothing to say.
"""

from collections.abc import Mapping
from typing import Any

from headstart.report.runs.grid import Grid
from headstart.wording.phrases import count, listed


def tuned_once(grid: Grid) -> str:
    """Whether the intervals hold the rates of one tuning fixed.

    The same start and pair, tuned on another seed, moved by sd 3.5 points of mean accuracy (sgd)
    and .8 (adam), which no interval over seeds at one tuning's rates holds.
    """
    if grid.records.repeats != 1:
        return ""
    return (
        "All intervals are at these rates: they were tuned once, and tuned again they could be "
        "others, with other results. With tuning: {repeats: 3} the intervals hold that, too."
    )


def picked_on_test(grid: Grid) -> str:
    """Whether rates were picked by results on the very part that judges: in this study, which ran
    several of each cell, or before, as rows of `rates` say.
    """
    tried = max((len(cells) for cells in grid.rates.values()), default=1)
    if tried > 1:
        how = f"are the best of up to {tried} by the {grid.measure} that judges them"
    elif any(row.get("chosen_on") == _judged_on(grid) for row in _rows(grid)):
        how = f"were chosen in another study by {grid.measure}, which judges them here"
    else:
        return ""
    return (
        f"The rates {how}: accuracies are too high, and differences between starts or pairs may "
        "come from the choice alone. tuning: {trials: 20} chooses on the validation part."
    )


def unequal(grid: Grid) -> str:
    """Whether more rates were tried from one start than from another; a study that is under way is
    not asked.
    """
    planned = grid.records.planned
    if planned is not None and len(grid.records.runs) < planned:
        return ""
    most: dict[str, int] = {}
    for place in grid.places():
        numbers = {}
        for start in grid.starts:
            if (start, *place) in grid.rates:
                numbers[start] = len(grid.rates[start, *place])
        if len(set(numbers.values())) > 1:
            most = {start: max(number, most.get(start, 0)) for start, number in numbers.items()}
    if not most:
        return ""
    start, fewest = min(most, key=most.__getitem__), min(most.values())
    leader = max(most, key=most.__getitem__)
    return (
        f"Not every start was tried at as many rates ({count(most[leader], 'rate')} from {leader} "
        f"and {fewest} from {start}): the best of more is better by chance alone."
    )


def tuned_on_judged(grid: Grid) -> str:
    """Which judged seeds were tuned on.

    Such a study is not refused: the tuning saw the validation part alone, so that its results are a
    little too good and not void, and studies that were published so can be repeated.
    """
    tuning = grid.records.settings.get("tuning")
    seeds = tuning.get("seeds") if isinstance(tuning, Mapping) else None
    both = sorted(set(grid.seeds) & set(seeds if isinstance(seeds, list) else ()))
    if not both:
        return ""
    if len(both) == 1:
        return f"Seed {both[0]} was tuned on and is judged, too, at rates that suit it best."
    return f"Seeds {listed(both)} were tuned on and are judged, too, at rates that suit them best."


def _judged_on(grid: Grid) -> str:
    return str(grid.records.settings.get("evaluate_on", "test"))


def _rows(grid: Grid) -> list[Mapping[str, Any]]:
    """The rows of `rates` in the study file."""
    rows = grid.records.settings.get("rates")
    return [row for row in rows or () if isinstance(row, Mapping)]
