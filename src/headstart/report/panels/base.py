"""What a panel is: a question, its answer in one sentence, a figure, and the tables behind it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from headstart.paper.findings import Says
from headstart.report.figures.rendering import Draw
from headstart.report.runs.grid import Grid
from headstart.report.words.numbers import p_text
from headstart.report.words.table import Table
from headstart.statistics.intervals import LEVEL, Estimate, holm, p_against
from headstart.statistics.power import MOST_SEEDS, seeds_needed
from headstart.wording.phrases import count


@dataclass(frozen=True)
class Answer:
    """What the data say to a panel's question, in one sentence, and the difference judged, in
    short.

    `is_judged`: whether an answer is asked for, and not only what was measured. `judged` is that
    difference as a number, positive where it speaks for yes, in `unit`, and
    `against` the value that it is told from. `open_ended`: no number of seeds would turn it into an
    answer. `p` and `asked`: its p-value by Holm among so many answers of the study; None where it
    was not tested, or not yet.
    """

    says: Says | None  # None: nothing to compare
    sentence: str
    difference: str = ""
    judged: Estimate | None = None
    against: float = 0.0
    unit: str = "accuracy"
    open_ended: bool = False
    p: float | None = None
    asked: int = 1
    is_judged: bool = True

    @property
    def alone(self) -> float | None:
        """The p-value as if nothing else were asked; None where nothing is tested."""
        return None if self.judged is None else p_against(self.judged, self.against)

    def among(self, p: float, asked: int) -> "Answer":
        """The answer as it stands among so many, where its p-value is `p`."""
        answer = replace(self, p=p, asked=asked)
        if self.says not in ("yes", "no") or p < 1 - LEVEL:
            return answer
        alone = f"Alone the answer would be {self.says}; among {asked} it is not decided"
        sentence = f"{self.sentence.removesuffix('.')}. {alone} ({p_text(p)})."
        return replace(answer, says="undecided", sentence=sentence)

    @property
    def to_decide(self) -> str:
        """How many more seeds would decide an open question, were the difference as measured."""
        if self.says != "undecided" or self.judged is None or self.open_ended:
            return ""
        if self.judged.low is None:
            return self._without_spread(self.judged)
        if self.judged.low == self.judged.high == 0:  # equal in every seed
            return ""
        level = 1 - (1 - LEVEL) / self.asked
        needed = seeds_needed(self.judged, -self.against, level=level)
        if needed is None:
            many = f"More than {MOST_SEEDS:,} seeds"
            return f"{many} would be needed if the difference is as small as measured."
        more = count(max(1, needed - self.judged.n), "more seed")
        return f"About {more} would decide this with a chance of 80%, if it is as measured."

    def _without_spread(self, judged: Estimate) -> str:
        if judged.n == 1:
            return "One seed decides nothing: run three or more."
        if judged.value == 0:  # nothing to decide
            return ""
        more = "run three or more" if judged.n == 2 else "run more"
        return f"Seeds that agree exactly show no spread and decide nothing: {more}."


def corrected(answers: Mapping[str, Answer]) -> dict[str, Answer]:
    """The answers, by name, as they stand where all are asked at once: by Holm's correction."""
    tested = {name: answer for name, answer in answers.items() if answer.alone is not None}
    adjusted = holm([answer.alone for answer in tested.values()])
    found = dict(answers)
    for (name, answer), p in zip(tested.items(), adjusted, strict=True):
        assert p is not None
        found[name] = answer.among(p, len(tested))
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
