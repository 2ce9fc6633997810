"""What is left to look for, and how: about how many more seeds would decide, and the command."""

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headstart.looks.decided import Decided
from headstart.report.runs.grid import Grid
from headstart.report.verdict.headlines import Headlines
from headstart.report.verdict.sentences import in_points
from headstart.report.verdict.where import Starts, by_divergence, seen
from headstart.report.verdict.which import Pairs
from headstart.report.words.methods import method
from headstart.report.words.numbers import percent
from headstart.report.words.remarks import capital
from headstart.statistics.joint import prospects
from headstart.statistics.joint.couples import LUCK
from headstart.statistics.joint.sequential import LEVEL, Looks
from headstart.statistics.power import POWER
from headstart.wording.phrases import count, listed, open_questions

WORTH_IT = (5, 7, 10, 14, 20, 28, 40)
"""The numbers of seeds that are proposed."""

WORTH_A_TRY = 0.5
"""With a smaller chance to decide no seeds are proposed."""

NOTHING = 1e-9
"""Of the error: less is nothing."""

MOST_AT_STAKE = 0.1
"""Of accuracy: that it could cost more than this is no help to anybody."""


@dataclass(frozen=True)
class Outlook:
    """What is left to look for, and the command that looks for it; empty where there is none."""

    sentence: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.sentence} {self.command}".rstrip()


def outlook(grid: Grid, start: str, folder: str, first: Headlines) -> Outlook:
    """What is left to look for from what the last look decided.

    Args:
        grid: the study's cells.
        start: the one that is chosen.
        folder: of the study, as the command names it.
        first: the headlines, which say what comes before more seeds.
    """
    found, last = grid.decided, grid.decided.last
    here = shlex.quote(folder)
    again = f"headstart run {here}/study.yaml --out {here}"
    if last is None:
        if found.missing:
            return Outlook("The same command goes on to the first look.", again)
        return Outlook("Seeds are added to the same folder.", f"{again} --until decided")
    if last.leader is None or first.constant:
        return Outlook("")
    if first.rising:
        more = f" (rounds: {2 * grid.rounds})" if grid.rounds else ""
        said = f"First raise the rounds{more} in the study file; seeds come after."
        return Outlook(f"{said}{_not_decided(found)}", again)
    starts = seen(grid)
    if found.is_decided and starts and starts.unable and not by_divergence(grid, starts).decided:
        return Outlook("More seeds would not decide more: first lower the rates of what diverged.")
    if found.is_decided:
        margin = in_points(last.margin)
        if len(found.starts) == 1:
            return Outlook("A second start in the study file would tell where to begin.")
        said = f"nothing is better than what is named here by more than {margin}"
        return Outlook(f"No more seeds are needed: {said}.")
    if first.untrained and last.where and found.is_over:
        which = f"Which pair is best is not decided at {count(last.seeds, found.unit)}"
        return Outlook(f"{which}, and need not be: none is of use. No more seeds are needed.")
    if found.missing:
        runs = count(found.missing, "run")
        return Outlook(f"The next look needs {runs} more; the same command goes on.", again)
    return _more_seeds(grid, start, again)


def _not_decided(found: Decided) -> str:
    """What the looks that were taken leave open; empty where that is nothing."""
    last = found.last
    if last is None or found.is_decided:
        return ""
    what = listed(open_questions(last.where, last.which))
    return f" At {count(last.seeds, found.unit)} it is not decided {what}."


def _more_seeds(grid: Grid, start: str, again: str) -> Outlook:
    """How many more seeds would decide what is open, with the error that is left, and how surely.

    Where nothing is left, or seeds share a few tunings, that takes another folder.
    """
    found, last = grid.decided, grid.decided.last
    assert last is not None
    what = listed(open_questions(last.where, last.which))
    stake = at_stake(grid, start)
    values, step = found.accuracies.values[..., : last.seeds], found.accuracies.step
    is_spent = last.spent >= LEVEL - NOTHING
    repeats = found.plan.repeats

    def chance(seeds: int) -> float:
        if repeats > 1 or is_spent:
            return prospects.anew(values, seeds, last.margin, step)
        place = found.plan.looks.seeds.index(last.seeds) + 1
        taken = Looks(found.plan.looks.seeds[:place], found.plan.looks.spent[:place])
        return prospects.going_on(values, taken, seeds, last.margin, step)

    if repeats > 1:
        total, sure = enough([n for n in WORTH_IT if n > repeats], chance)
        said = (
            f"A new folder with {total} tunings (tuning.repeats: {total}, and as many seeds) would "
            f"decide {what} {with_chance(sure)}."
        )
        return Outlook(said if sure >= WORTH_A_TRY else f"{said}{stake}")
    if is_spent:
        total, sure = enough(WORTH_IT, chance)
        highest = max(grid.records.distinct("seed"))
        others = f"seeds: [{highest + 1}, ..., {highest + total}]"
        said = (
            f"Of the {percent(LEVEL, 0)} that this study may err by nothing is left, so that "
            f"further seeds in this folder decide nothing. A new folder with other seeds can: "
            f"{total}, listed beforehand ({others}), would decide {what} {with_chance(sure)}."
        )
        return Outlook(said if sure >= WORTH_A_TRY else f"{said}{stake}")
    ended = given_up(found)
    total, sure = enough([n for n in WORTH_IT if n > last.seeds] or [2 * last.seeds], chance)
    more = count(total - last.seeds, "more seed")
    if sure < WORTH_A_TRY:
        return Outlook(f"{ended}Even {more} would decide {what} only {with_chance(sure)}.{stake}")
    said = f"{ended}{capital(more)} would decide {what} {with_chance(sure)}."
    if sorted(found.plan.seeds[: last.seeds]) != list(range(last.seeds)):
        return Outlook(f"{said} List them in the study file.", again)
    return Outlook(said, f"{again} --until decided --at-most {total}")


def enough(numbers: Sequence[int], chance: Callable[[int], float]) -> tuple[int, float]:
    """The least of these numbers of seeds that decides with the chance `POWER`, or the most, and
    with what chance it does.

    >>> enough([5, 10, 20], lambda seeds: 0.08 * seeds)
    (10, 0.8)
    """
    low, high = 0, len(numbers) - 1
    while low < high:
        middle = (low + high) // 2
        if chance(numbers[middle]) >= POWER:
            high = middle
        else:
            low = middle + 1
    return numbers[low], chance(numbers[low])


def with_chance(chance: float) -> str:
    """Write a chance that is known to 5 percent.

    >>> with_chance(0.83), with_chance(0.01)
    ('with a chance of about 85%, if it is as measured', \
'with a chance of less than 5%, if it is as measured')
    """
    rounded = 5 * round(20 * chance)
    about = "less than 5%" if rounded < 5 else f"about {min(rounded, 95)}%"
    return f"with a chance of {about}, if it is as measured"


def given_up(found: Decided) -> str:
    """That a study ended before its last look, and why; empty where it did not."""
    if not found.spared or found.last is None:
        return ""
    return (
        f"It ended at {count(found.last.seeds, 'seed')}: {count(found.spared, 'seed')} more would "
        f"not have decided it, but in one of {LUCK:.0f} studies like it. "
    )


def _rivals(starts: Starts) -> list[str]:
    """The starts that may be better than the one that leads."""
    return [start for start in starts.candidates if start != starts.leader]


def at_stake(grid: Grid, start: str) -> str:
    """What it costs at the most to take what leads, where that is known."""
    found, starts = grid.decided, seen(grid)
    if starts is None:
        return ""
    by_start, by_pair = [0.0], [0.0]
    for other in _rivals(starts):
        by_start.append(starts.ahead(other, starts.leader).most)
    pairs = Pairs(found, starts.last, start)
    for place in pairs.able[1:]:
        by_pair.append(pairs.ahead(place, pairs.able[0]).most)
    lost = max(by_start) + max(by_pair)
    if lost > MOST_AT_STAKE:
        return ""
    return (
        f" Whoever does not want to wait takes what leads, {start} with "
        f"{method(found.pairs[pairs.able[0]][0])}, and loses {in_points(lost)} at the most."
    )
