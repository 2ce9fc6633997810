"""Yes, no or undecided from an interval; and how numbers are written on the page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headstart.paper.findings import Says
from headstart.statistics.intervals import Estimate
from headstart.statistics.power import MOST_SEEDS, seeds_needed

MINUS = "\u2212"
MARGIN = 0.01  # "about as good": within one point of accuracy. Ours; the paper gives no margin.


@dataclass(frozen=True)
class Answer:
    """What the data say to a panel's question, the one sentence that says it, and the difference judged, in short.

    `judged` is that difference as a number, positive where it speaks for yes, in `unit`; `open_ended`: no number of
    seeds would turn it into an answer.
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
            return f"More than {MOST_SEEDS:,} seeds would be needed if the difference is as small as measured."
        more = max(1, needed - self.judged.n)
        return f"About {count(more, 'more seed')} would decide this with a chance of 80%, if it is as measured."

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
    """Yes where the whole interval lies above -margin, no where it lies below, else undecided: also where all is equal.

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


def signed(value: float, digits: int = 1) -> str:
    """
    >>> signed(0.04), signed(-2.5)
    ('0.0', '\u22122.5')
    """
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def percent(value: float | None, digits: int = 1) -> str:
    return "\u2013" if value is None or value != value else f"{100 * value:.{digits}f}%"


def size(value: float) -> str:
    """Three significant digits, more where whole numbers are read at a glance.

    >>> size(4843.13), size(26.29), size(0.01234), size(-2.5e7)
    ('4,843', '26.3', '0.0123', '\u22122.5e+07')
    """
    return (f"{value:,.0f}" if 100 <= abs(value) < 1e6 else f"{value:.3g}").replace("-", MINUS)


def points(estimate: Estimate | None) -> str:
    """A difference of accuracies: `+4.1 points [2.0, 6.2]`."""
    return _with_interval(estimate, 100, 1, " points")


def number(estimate: Estimate | None, digits: int = 2, unit: str = "") -> str:
    return _with_interval(estimate, 1, digits, unit)


def p_text(p: float | None) -> str:
    """
    >>> p_text(0.0312), p_text(0.00004), p_text(None)
    ('p = 0.031', 'p < 0.001', '')
    """
    if p is None:
        return ""
    return "p < 0.001" if p < 0.0005 else f"p = {p:.2g}" if p >= 0.1 else f"p = {p:.3f}"


def no_interval(e: Estimate) -> str:
    return "one seed" if e.n == 1 else f"{'two' if e.n == 2 else e.n} equal seeds"


def _with_interval(e: Estimate | None, scale: float, digits: int, unit: str) -> str:
    if e is None:
        return "no common seed"
    head = f"{signed(scale * e.value, digits)}{unit}"
    if e.low is None or e.high is None:
        return f"{head} ({no_interval(e)})"
    return f"{head} [{signed(scale * e.low, digits)}, {signed(scale * e.high, digits)}]"


def count(n: int, what: str) -> str:
    """
    >>> count(1, "pair"), count(3, "pair")
    ('1 pair', '3 pairs')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


DIVERGED, SHORT = "with diverged runs", "with fewer seeds"


def left_out(*groups: tuple[int, str]) -> str:
    """
    >>> left_out((1, DIVERGED), (0, SHORT)), left_out((2, DIVERGED), (1, SHORT)), left_out((0, SHORT))
    ('1 pair with diverged runs left out', '2 pairs with diverged runs and 1 pair with fewer seeds left out', '')
    """
    parts = [f"{count(n, 'pair')} {which}" for n, which in groups if n]
    return f"{listed(parts)} left out" if parts else ""


def listed(names: Iterable[object]) -> str:
    """
    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    texts = [str(name) for name in names]
    return " and ".join(filter(None, [", ".join(texts[:-1]), *texts[-1:]]))


def some(names: Sequence[object], limit: int = 3) -> str:
    """
    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    left = len(names) - limit
    return listed([*names[:limit], f"{left} more"]) if left > 0 else listed(names)
