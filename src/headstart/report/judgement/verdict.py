"""The two sentences at the top: where to begin, and with which pair.

One rule a function, and the first that applies wins: `_sentences` has their order. For each start
that may be named, its tests against the others are corrected together (Holm), apart from those of
the other starts; with three starts or more, a test between two others is not in its family.

The best pair is picked on the same runs that judge it, so its accuracy is a little optimistic; the
second sentence therefore counts the pairs that cannot be told apart from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from headstart.report.judgement.rivals import Rival, Speed, rivals, speed
from headstart.report.runs.grid import Grid
from headstart.report.runs.standings import Standing
from headstart.report.words.numbers import percent, points
from headstart.report.words.remarks import DIVERGED, SHORT, in_brackets, left_out
from headstart.statistics.intervals import LEVEL, Estimate, negated, paired_difference
from headstart.wording.phrases import count, some

ALL_DIVERGED = "every pair has a diverged run"
UNMEASURED = "accuracy was not measured: add the probe evaluation"


@dataclass(frozen=True)
class Sentence:
    """A claim and its evidence. `decided`: the data support it; `start`: the one that the second
    sentence is about.
    """

    decided: bool
    claim: str
    evidence: str = ""
    start: str | None = None

    @property
    def text(self) -> str:
        """The claim with its evidence."""
        return f"{self.claim}: {self.evidence}." if self.evidence else f"{self.claim}."


@dataclass(frozen=True)
class Verdict:
    """`gain`: final accuracy from the start that the second sentence is about, over the nearest
    other start, `against`, each with its best pair.
    """

    where: Sentence
    which: Sentence
    gain: Estimate | None = None
    against: str | None = None

    @property
    def text(self) -> str:
        """Both sentences with their evidence."""
        return f"{self.where.text} {self.which.text}"

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Case:
    """What the rules weigh: the leader, every other start, the nearest of them, and the numbers in
    words.
    """

    leader: str
    others: list[Rival]
    nearest: Rival
    speed: Speed
    final: str
    average: str


def verdict(grid: Grid) -> Verdict:
    """Where to begin, and with which pair."""
    standings = list(grid.standings.values())
    where = where_to_begin(grid, standings)
    chosen = grid.standings[where.start or grid.starts[0]]
    others = [s for s in standings if s is not chosen and s.best is not None]
    nearest = max(others, key=_best_mean, default=None)
    gain = None
    if nearest and nearest.best_cell and chosen.best_cell:
        gain = paired_difference(chosen.best_cell.accuracy, nearest.best_cell.accuracy)
    return Verdict(where, which_pair(chosen), gain, nearest.start if nearest else None)


def where_to_begin(grid: Grid, standings: list[Standing]) -> Sentence:
    """The first sentence, from how the pairs stand from each start."""
    cannot = "This study cannot say where to begin"
    if len(standings) == 1:
        only = standings[0].start
        return Sentence(False, cannot, f"only one start, {only}, was run", only)
    if not standings[0].pairs:
        return Sentence(False, f"{cannot} yet", "no pair has runs from every start")
    whole = [s for s in standings if s.best is not None]
    if not whole:
        why = f"{ALL_DIVERGED}; lower the rates" if grid.measured else UNMEASURED
        return Sentence(False, cannot, why)
    leader = max(whole, key=_best_mean)
    others = [s for s in standings if s is not leader]
    failed = [s.start for s in others if s.best is None]
    if failed:
        evidence = f"from {some(failed)} every pair has a diverged run"
        return Sentence(True, f"Begin from {leader.start}", evidence, leader.start)
    strangers = [s.start for s in others if not _common(leader, s)]
    if len(strangers) == len(others):
        why = f"runs from {leader.start} have no seed in common with those from {some(strangers)}"
        return Sentence(False, f"{cannot} yet", f"{why}; give all starts the same seeds")
    case = _case(grid, leader, others)
    more = "more seeds would narrow this"
    if len(leader.seeds) < 2:
        more = "one seed gives no interval, run at least three"
    undecided = f"{leader.start} shows {case.final}, and {case.average}; {more}"
    unsaid = Sentence(False, "The data do not say where to begin", undecided, leader.start)
    return next(filter(None, _sentences(grid, standings, case)), unsaid)


def _sentences(grid: Grid, standings: list[Standing], case: Case) -> Iterator[Sentence | None]:
    """Yield what each rule says in turn, None where it does not apply; `case` is the leader's."""
    yield by_final_accuracy(case)
    for place, s in enumerate(standings):
        yield by_average(_case(grid, s, standings[:place] + standings[place + 1 :]))
    yield by_elimination(case)
    yield by_speed(case)


def _case(grid: Grid, leader: Standing, others: list[Standing]) -> Case:
    second = max([s for s in others if _common(leader, s)] or others, key=_best_mean)
    held, quicker = rivals(leader, others, speed(grid, leader, second))
    nearest = next(rival for rival in held if rival.standing is second)
    against = f"against {nearest.standing.start}, each with its best pair"
    return Case(
        leader.start,
        held,
        nearest,
        quicker,
        f"{points(nearest.at_best)} of final {grid.measure} {against}",
        average(nearest),
    )


def average(rival: Rival) -> str:
    """The difference at the same pair, in words."""
    note = in_brackets(left_out((rival.diverged, DIVERGED)))
    if rival.same_pair is None:
        return f"nothing to average at the same pair{note}"
    return f"{points(rival.same_pair)} on average at the same pair{note}"


def _common(a: Standing, b: Standing) -> bool:
    """Whether the best pairs of two starts share a seed."""
    if not a.best_cell or not b.best_cell:
        return False
    return bool(a.best_cell.accuracy.keys() & b.best_cell.accuracy.keys())


def by_final_accuracy(case: Case) -> Sentence | None:
    """Ahead of every other start, each with its best pair."""
    if not all(_ahead(r.at_best, r.p_best) for r in case.others):
        return None
    against = case.nearest.same_pair is not None and case.nearest.same_pair.negative
    other = case.nearest.standing.start
    caution = f"; with other pairs {other} can be the better" if against else ""
    evidence = _join(case.final, case.average + caution, case.speed.words)
    return Sentence(True, f"Begin from {case.leader}", evidence, case.leader)


def by_average(case: Case) -> Sentence | None:
    """Not decided at the best pairs (whichever leads there), but ahead of every other start on
    average over them.
    """
    if not all(_ahead(r.same_pair, r.p_same) for r in case.others):
        return None
    evidence = _join(case.average, case.speed.words, f"not decided is {case.final}")
    return Sentence(True, f"Begin from {case.leader}", evidence, case.leader)


def by_elimination(case: Case) -> Sentence | None:
    """Of three starts or more, some cannot be told apart from the leader, but others can."""
    tied, losers, gains = [], [], []
    for rival in case.others:
        start = rival.standing.start
        if _ahead(rival.at_best, rival.p_best):
            losers.append(start)
            gains.append(f"{points(rival.at_best)} against {start}")
        else:
            tied.append(start)
    if not losers:
        return None
    claim = f"Begin from {' or '.join([case.leader, *tied])}, not from {some(losers)}"
    evidence = f"with its best pair {case.leader} is {some(gains)}; not decided is {case.final}"
    return Sentence(True, claim, evidence, case.leader)


def by_speed(case: Case) -> Sentence | None:
    """Final accuracy decides nothing, but one of two starts needs fewer rounds."""
    saved, p = case.speed.saved, case.speed.p
    if len(case.others) > 1 or not (_ahead(saved, p) or _ahead(negated(saved), p)):
        return None
    start = case.leader if _ahead(saved, p) else case.nearest.standing.start
    final = f"final accuracy decides nothing ({case.leader}: {case.final})"
    evidence = _join(case.speed.words, final)
    return Sentence(True, f"Begin from {start} for speed", evidence, start)


def which_pair(s: Standing) -> Sentence:
    """How sure the best pair of a start is."""
    if s.best is None:
        why = ALL_DIVERGED if s.measured else UNMEASURED
        if not s.pairs:
            why = "no pair was run from every start"
        return Sentence(False, f"No pair can be recommended from {s.start}", why)
    pair, others = s.pairs[s.best], len(s.pairs) - 1
    accuracy = f"{percent(s.best_mean)} from {s.start}"
    notes = []
    if s.diverged:
        notes.append(f"; {count(s.diverged, 'pair')} had a diverged run")
    if s.short:
        notes.append(f"; {left_out((s.short, SHORT))}")
    note = "".join(notes)
    if not others:
        return Sentence(False, f"Only one pair, {pair}, was run", accuracy)
    if len(s.seeds) < 2:
        why = f"but one seed cannot tell it apart from any of {count(others, 'other')}"
        return Sentence(False, f"{pair} shows the highest accuracy", f"{accuracy}, {why}{note}")
    chance = f"best in {percent(s.chance_best[s.best], 0)} of bootstrap samples"
    if not s.tied:
        behind = "the other pair" if others == 1 else f"all {others} others"
        return Sentence(True, f"Use {pair}", f"{accuracy}, ahead of {behind}, {chance}{note}")
    tied = "the other pair" if others == 1 else f"{len(s.tied)} of {others} others"
    tied = f"{tied} cannot be told apart from it"
    if len(s.tied) == others - s.diverged:
        why = f"{pair} has the highest mean from {s.start}, {percent(s.best_mean)}, {chance}"
        why = f"{why}, but {tied}; more seeds would narrow this{note}"
        return Sentence(False, "No pair stands out", why)
    names = some([s.pairs[i] for i in s.ranked() if i in s.tied])
    return Sentence(True, f"Use {pair}", f"{accuracy}, {chance}; {tied} ({names}){note}")


def _best_mean(s: Standing) -> float:
    return s.best_mean


def _ahead(e: Estimate | None, p: float | None) -> bool:
    return e is not None and p is not None and p < 1 - LEVEL and e.value > 0


def _join(*parts: str) -> str:
    return "; ".join(filter(None, parts))
