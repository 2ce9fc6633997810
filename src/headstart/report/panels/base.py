"""What a panel is: a question, its answer in one sentence, a figure, and the tables behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from headstart.paper.findings import Says
from headstart.report.figures.rendering import Draw
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import p_text
from headstart.report.words.table import Table
from headstart.statistics.corrections import adjusted
from headstart.statistics.intervals import LEVEL, Estimate, p_against, p_within
from headstart.statistics.power import MOST_SEEDS, seeds_needed, seeds_within
from headstart.wording.phrases import count


@dataclass(frozen=True)
class Answer:
    """What the data say to a panel's question, in one sentence, and the difference judged, in
    short.

    `is_judged`: whether an answer is asked for, and not only what was measured. `judged` is that
    difference as a number, positive where it speaks for yes, in `unit`, and
    `against` the value that it is told from. `margin`: a difference that is smaller, either way,
    does not matter; `within`: the margin in words. `open_ended`: no number of seeds would turn it
    into an answer. `p` and `asked`: the p-value of what the answer says, corrected among so many
    answers of the study; None where it was not tested, or not yet. `picked_from`: as many
    differences as what is compared was picked from, by the runs that judge it: the best of several
    starts, or the best of several pairs.
    """

    says: Says | None  # None: nothing to compare
    sentence: str
    difference: str = ""
    judged: Estimate | None = None
    against: float = 0.0
    unit: str = "accuracy"
    margin: float | None = None
    within: str = ""
    open_ended: bool = False
    p: float | None = None
    asked: int = 1
    is_judged: bool = True
    picked_from: int = 1

    @property
    def alone(self) -> float | None:
        """The p-value as if nothing else were asked; None where nothing is tested."""
        return None if self.judged is None else p_against(self.judged, self.against)

    @property
    def p_values(self) -> list[float | None]:
        """Those of what can be said as if nothing else were asked: that there is a difference, by
        Bonferroni's correction where what is compared was picked from several; and where a margin
        was stated, that none matters, which picking the best does not flatter.
        """
        alone = self.alone
        found = [None if alone is None else min(1.0, self.picked_from * alone)]
        if self.margin is not None and self.judged is not None:
            found.append(p_within(self.judged, self.margin))
        return found

    def among(self, p_values: Sequence[float | None], asked: int) -> "Answer":
        """The answer as it stands among so many, where these are the corrected `p_values`."""
        p, *rest = p_values
        answer = replace(self, p=p, asked=asked)
        if rest and rest[0] is not None and rest[0] < 1 - LEVEL:
            small = f"No difference that matters: it lies within {self.within}"
            sentence = f"{self.sentence.removesuffix('.')}. {small} ({p_text(rest[0])})."
            return replace(answer, says="no difference", p=rest[0], sentence=sentence)
        if self.says not in ("yes", "no") or p is None or p < 1 - LEVEL:
            return answer
        many = asked * self.picked_from
        alone = f"Alone the answer would be {self.says}; among {many} it is not decided"
        sentence = f"{self.sentence.removesuffix('.')}. {alone} ({p_text(p)})."
        return replace(answer, says="undecided", sentence=sentence)

    @property
    def more_seeds(self) -> int | None:
        """How many more would decide an open question with a chance of 80%, were the difference as
        measured; None where it is not open, no number of seeds would, or more than 1,000.
        """
        judged = self.judged
        if self.says != "undecided" or judged is None or self.open_ended:
            return None
        needed = [
            seeds_needed(
                judged, -self.against, level=1 - (1 - LEVEL) / self.asked / self.picked_from
            )
        ]
        if self.margin is not None:
            needed.append(seeds_within(judged, self.margin, self.asked))
        fewest = min(filter(None, needed), default=None)
        return None if fewest is None else max(1, fewest - judged.n)

    @property
    def to_decide(self) -> str:
        """How many more seeds would decide an open question, in a sentence."""
        if self.says != "undecided" or self.judged is None or self.open_ended:
            return ""
        if self.judged.low is None:
            return self._without_spread(self.judged)
        if self.more_seeds is not None:
            more = count(self.more_seeds, "more seed")
            return f"About {more} would decide this with a chance of 80%, if it is as measured."
        if self.judged.low == self.judged.high:  # equal in every seed
            return ""
        many = f"More than {MOST_SEEDS:,} seeds"
        return f"{many} would be needed if the difference is as small as measured."

    def _without_spread(self, judged: Estimate) -> str:
        if judged.n == 1:
            return "One seed decides nothing: run three or more."
        if judged.value == 0:  # nothing to decide
            return ""
        more = "run three or more" if judged.n == 2 else "run more"
        return f"Seeds that agree exactly show no spread and decide nothing: {more}."


def corrected(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The answers, by name, as they stand where all are asked at once: by Holm's correction, in
    Shaffer's form where a question has two.
    """
    tested = {name: answer for name, answer in answers.items() if answer.alone is not None}
    p_values = adjusted([answer.p_values for answer in tested.values()])
    found = dict(answers)
    for (name, answer), own in zip(tested.items(), p_values, strict=True):
        found[name] = answer.among(own, len(tested))
    return found


def apart(a: str, b: str) -> str:
    """What is said of two starts that cannot be compared seed by seed."""
    return f"runs from {a} and from {b} have no seed in common: nothing to compare"


def judge(estimate: Estimate | None, margin: float = 0.0) -> Says:
    """Answer yes where the whole interval lies above -margin, no where it lies below, else
    undecided.

    It is undecided also where all is equal.

    >>> judge(Estimate(0.02, 0.01, 0.03, 3)), judge(Estimate(0.02, -0.01, 0.05, 3))
    ('yes', 'undecided')
    >>> judge(Estimate(0.0, -0.005, 0.005, 3), margin=0.01), judge(Estimate(0.02, None, None, 3))
    ('yes', 'undecided')
    """
    if estimate is None or estimate.low is None or estimate.high is None:
        return "undecided"
    if estimate.low > -margin or (margin and estimate.low == -margin):
        return "yes"
    return "no" if estimate.high < -margin else "undecided"


@dataclass(frozen=True)
class Panel:
    """A question with its answer, and what shows it.

    `heights` are the figure's, in inches, wide and narrow; `runs` says in words which runs of the
    study it shows.
    """

    slug: str
    heading: str
    answer: Answer
    caption: str
    draw: Draw
    heights: tuple[float, float]
    runs: str
    tables: Sequence[Table] = field(default_factory=tuple)


@dataclass(frozen=True)
class Missing:
    """A question that this study has no runs for; `need` says which."""

    slug: str
    heading: str
    need: str


Build = Callable[[Grid], Panel | Missing]
