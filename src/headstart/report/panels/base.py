"""What a panel is: a question, its answer in one sentence, a figure, and the tables behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headstart.paper.findings import Says
from headstart.report.figures.rendering import Draw
from headstart.report.runs.grid import Grid
from headstart.report.words.table import Table
from headstart.statistics.intervals import Estimate
from headstart.statistics.power import MOST_SEEDS, seeds_needed
from headstart.wording.phrases import count


@dataclass(frozen=True)
class Answer:
    """What the data say to a panel's question, in one sentence, and the difference judged, in
    short.

    `judged` is that difference as a number, positive where it speaks for yes, in `unit`;
    `open_ended`: no number of seeds would turn it into an answer.
    """

    says: Says | None  # None: nothing to compare
    sentence: str
    difference: str = ""
    judged: Estimate | None = None
    margin: float = 0.0
    unit: str = "accuracy"
    open_ended: bool = False

    @property
    def to_decide(self) -> str:
        """How many more seeds would decide an open question, were the difference as measured."""
        if self.says != "undecided" or self.judged is None or self.open_ended:
            return ""
        if self.judged.low is None:
            return self._without_spread(self.judged)
        if self.judged.low == self.judged.high == 0:  # equal in every seed
            return ""
        needed = seeds_needed(self.judged, self.margin)
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
