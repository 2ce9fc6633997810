"""The two sentences at the top: where to begin, and with which pair.

One rule a function; the first that applies wins, and the tests of the first sentence are corrected together. The best
pair is picked on the same runs that judge it, so its accuracy is a little optimistic; the second sentence therefore
counts the pairs that cannot be told apart from it.
"""

from dataclasses import dataclass

from headstart.report.judgement.rivals import Rival, Speed, rivals, speed
from headstart.report.runs.grid import Study
from headstart.report.runs.standings import Standing, standing
from headstart.report.words.numbers import DIVERGED, SHORT, count, left_out, percent, points, some
from headstart.statistics.intervals import LEVEL, Estimate, negated, paired_difference

ALL_DIVERGED = "every pair has a diverged run"
UNMEASURED = "accuracy was not measured: add the probe evaluation"


@dataclass(frozen=True)
class Sentence:
    """A claim and its evidence. `decided`: the data support it; `start`: the one that the second sentence is about."""

    decided: bool
    claim: str
    evidence: str = ""
    start: str | None = None

    @property
    def text(self) -> str:
        return f"{self.claim}: {self.evidence}." if self.evidence else f"{self.claim}."


@dataclass(frozen=True)
class Verdict:
    """`gain`: final accuracy from the start that the second sentence is about, over the nearest other start,
    `against`, each with its best pair."""

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
    """What the rules weigh: the leader, every other start, the nearest of them, and the numbers in words."""

    leader: str
    others: list[Rival]
    nearest: Rival
    speed: Speed
    final: str
    average: str


def verdict(study: Study) -> Verdict:
    standings = [standing(study, start) for start in study.starts]
    where = where_to_begin(study, standings)
    chosen = next(s for s in standings if s.start == (where.start or study.starts[0]))
    others = [s for s in standings if s is not chosen and s.best is not None]
    nearest = max(others, key=_best_mean, default=None)
    cells = chosen.best_cell, nearest.best_cell if nearest else None
    gain = paired_difference(cells[0].accuracy, cells[1].accuracy) if cells[0] and cells[1] else None
    return Verdict(where, which_pair(chosen), gain, nearest.start if nearest else None)


def where_to_begin(study: Study, standings: list[Standing]) -> Sentence:
    if len(standings) == 1:
        only = standings[0].start
        return Sentence(False, "This study cannot say where to begin", f"only one start, {only}, was run", only)
    if not standings[0].pairs:
        return Sentence(False, "This study cannot say where to begin yet", "no pair has runs from every start")
    whole = [s for s in standings if s.best is not None]
    if not whole:
        why = f"{ALL_DIVERGED}; lower the rates" if study.measured else UNMEASURED
        return Sentence(False, "This study cannot say where to begin", why)
    leader = max(whole, key=_best_mean)
    others = [s for s in standings if s is not leader]
    failed = [s.start for s in others if s.best is None]
    if failed:
        return Sentence(
            True, f"Begin from {leader.start}", f"from {some(failed)} every pair has a diverged run", leader.start
        )
    strangers = [s.start for s in others if not _common(leader, s)]
    if len(strangers) == len(others):
        why = f"runs from {leader.start} have no seed in common with those from {some(strangers)}"
        return Sentence(False, "This study cannot say where to begin yet", f"{why}; give all starts the same seeds")
    case = _case(study, leader, others)
    found = [by_final_accuracy(case)]
    found += [by_average(_case(study, s, [o for o in standings if o is not s])) for s in standings]
    found += [by_elimination(case), by_speed(case)]
    few = "; one seed gives no interval, run at least three" if len(leader.seeds) < 2 else ""
    undecided = f"{leader.start} shows {case.final}, and {case.average}{few or '; more seeds would narrow this'}"
    unsaid = Sentence(False, "The data do not say where to begin", undecided, leader.start)
    return next(filter(None, found), unsaid)


def _case(study: Study, leader: Standing, others: list[Standing]) -> Case:
    second = max([s for s in others if _common(leader, s)] or others, key=_best_mean)
    held, quicker = rivals(leader, others, speed(study, leader, second))
    nearest = next(rival for rival in held if rival.standing is second)
    return Case(
        leader.start,
        held,
        nearest,
        quicker,
        f"{points(nearest.at_best)} of final {study.measure} against {nearest.standing.start}, each with its best pair",
        average(nearest),
    )


def average(rival: Rival) -> str:
    set_aside = left_out((rival.diverged, DIVERGED))
    note = f" ({set_aside})" if set_aside else ""
    if rival.same_pair is None:
        return f"nothing to average at the same pair{note}"
    return f"{points(rival.same_pair)} on average at the same pair{note}"


def _common(a: Standing, b: Standing) -> bool:
    """Whether the best pairs of two starts share a seed."""
    return bool(a.best_cell and b.best_cell and a.best_cell.accuracy.keys() & b.best_cell.accuracy.keys())


def by_final_accuracy(case: Case) -> Sentence | None:
    """Ahead of every other start, each with its best pair."""
    if not all(_ahead(r.at_best, r.p_best) for r in case.others):
        return None
    against = case.nearest.same_pair is not None and case.nearest.same_pair.negative
    caution = f"; with other pairs {case.nearest.standing.start} can be the better" if against else ""
    return Sentence(
        True, f"Begin from {case.leader}", _join(case.final, case.average + caution, case.speed.words), case.leader
    )


def by_average(case: Case) -> Sentence | None:
    """Not decided at the best pairs (whichever leads there), but ahead of every other start on average over them."""
    if not all(_ahead(r.same_pair, r.p_same) for r in case.others):
        return None
    evidence = _join(case.average, case.speed.words, f"not decided is {case.final}")
    return Sentence(True, f"Begin from {case.leader}", evidence, case.leader)


def by_elimination(case: Case) -> Sentence | None:
    """Of three starts or more, some cannot be told apart from the leader, but others can."""
    behind = [r for r in case.others if _ahead(r.at_best, r.p_best)]
    level = [r.standing.start for r in case.others if r not in behind]
    if not behind:
        return None
    claim = f"Begin from {' or '.join([case.leader, *level])}, not from {some([r.standing.start for r in behind])}"
    gains = [f"{points(r.at_best)} against {r.standing.start}" for r in behind]
    evidence = f"with its best pair {case.leader} is {some(gains)}; not decided is {case.final}"
    return Sentence(True, claim, evidence, case.leader)


def by_speed(case: Case) -> Sentence | None:
    """Final accuracy decides nothing, but one of two starts needs fewer rounds."""
    saved, p = case.speed.saved, case.speed.p
    if len(case.others) > 1 or not (_ahead(saved, p) or _ahead(negated(saved), p)):
        return None
    start = case.leader if _ahead(saved, p) else case.nearest.standing.start
    evidence = _join(case.speed.words, f"final accuracy decides nothing ({case.leader}: {case.final})")
    return Sentence(True, f"Begin from {start} for speed", evidence, start)


def which_pair(s: Standing) -> Sentence:
    """How sure the best pair of a start is."""
    if s.best is None:
        ended = [run for cell in s.cells for run in cell.runs if run.finished]
        unmeasured = ended and all(run.test_accuracy is None for run in ended)
        why = "no pair was run from every start" if not s.pairs else UNMEASURED if unmeasured else ALL_DIVERGED
        return Sentence(False, f"No pair can be recommended from {s.start}", why)
    pair, accuracy, others = s.pairs[s.best], percent(s.means[s.best]), len(s.pairs) - 1
    lost = sum(cell.diverged > 0 for cell in s.cells)
    note = f"; {count(lost, 'pair')} had a diverged run" if lost else ""
    note += f"; {left_out((s.short, SHORT))}" if s.short else ""
    if not others:
        return Sentence(False, f"Only one pair, {pair}, was run", f"{accuracy} from {s.start}")
    if len(s.seeds) < 2:
        why = f"{accuracy} from {s.start}, but one seed cannot tell it apart from any of {count(others, 'other')}{note}"
        return Sentence(False, f"{pair} shows the highest accuracy", why)
    chance = f"best in {percent(s.chance_best[s.best], 0)} of bootstrap samples"
    if not s.level:
        rivals = "the other pair" if others == 1 else f"all {others} others"
        return Sentence(True, f"Use {pair}", f"{accuracy} from {s.start}, ahead of {rivals}, {chance}{note}")
    level = f"{'the other pair' if others == 1 else f'{len(s.level)} of {others} others'} cannot be told apart from it"
    if len(s.level) == others - lost:
        why = f"{pair} has the highest mean from {s.start}, {accuracy}, {chance}, but {level}"
        return Sentence(False, "No pair stands out", f"{why}; more seeds would narrow this{note}")
    names = some(sorted((s.pairs[i] for i in s.level), key=lambda p: s.ranks[s.pairs.index(p)]))
    return Sentence(True, f"Use {pair}", f"{accuracy} from {s.start}, {chance}; {level} ({names}){note}")


def _best_mean(s: Standing) -> float:
    return s.means[s.best] if s.best is not None else -1.0


def _ahead(e: Estimate | None, p: float | None) -> bool:
    return e is not None and p is not None and p < 1 - LEVEL and e.value > 0


def _join(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
