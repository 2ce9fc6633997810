"""A sentence of the verdict, and how its parts are written."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from headstart.looks.competitors import Pair
from headstart.report.words.methods import method
from headstart.report.words.numbers import signed
from headstart.statistics.joint.decisions import Bounds
from headstart.wording.phrases import count, listed

ALL = 1.0
"""Two accuracies differ by no more."""

SHOWN = 4
"""Of names in a claim; the sentence says how many more there are."""


@dataclass(frozen=True)
class Sentence:
    """A claim and its evidence.

    Attributes:
        decided: whether the runs support the claim.
        claim: what to do, or that it is not decided.
        evidence: what the claim rests on.
        names: the starts or pairs that one may take, the first of them the one to take.
        avoid: those that something else is ahead of.
        open: those of which neither is decided.
        beside: what was measured beside it and is not judged.
    """

    decided: bool
    claim: str
    evidence: str = ""
    names: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    beside: str = ""

    @property
    def text(self) -> str:
        """The claim with its evidence, and what is not judged."""
        said = f"{self.claim}: {self.evidence}." if self.evidence else f"{self.claim}."
        return f"{said} {self.beside}".rstrip()


def for_so_long(said: Sentence, rounds: int | None) -> Sentence:
    """A sentence whose claim holds for the rounds that were run, where it has one.

    >>> for_so_long(Sentence(True, "Either start will do"), 20).claim
    'Either start will do, as far as 20 rounds tell'
    """
    if not said.decided:
        return said
    many = "these rounds" if rounds is None else count(rounds, "round")
    tell = "tells" if rounds == 1 else "tell"
    return replace(said, claim=f"{said.claim}, as far as {many} {tell}")


def named(alike: Sequence[Pair]) -> str:
    """A pair, and those that are one with it.

    >>> named([Pair("sgd", "adam"), Pair("nova", "adam")])
    'FedAdam (FedAdam with FedNova clients is the same)'
    """
    first, *others = map(method, alike)
    if not others:
        return first
    return f"{first} ({listed(others)} {'is' if len(others) == 1 else 'are'} the same)"


def either(names: Collection[str]) -> str:
    """Write the names of which one is to be taken.

    >>> either(["a", "b", "c"]), either(["a", "b", "c", "d", "e", "f"])
    ('a, b or c', 'a, b, c, d or 2 more')
    """
    shown = list(names)[:SHOWN]
    left = len(names) - len(shown)
    if left:
        shown.append(f"{left} more")
    first, last = shown[:-1], shown[-1:]
    return " or ".join(filter(None, [", ".join(first), *last]))


def in_points(share: float) -> str:
    """Write a difference that matters.

    >>> in_points(0.005), in_points(0.01)
    ('0.5 points', '1 point')
    """
    points = f"{100 * share:.3g}"
    return f"{points} point" if points == "1" else f"{points} points"


def difference(bounds: Bounds) -> str:
    """Write a difference of accuracies, and where it lies.

    >>> difference(Bounds(0.1, 0.098, 0.102)), difference(Bounds(0.1))
    ('+10.0 points [+9.8, +10.2]', '+10.0 points')
    """
    found = f"{signed(100 * bounds.value)} points"
    low, high = max(bounds.low, -ALL), min(bounds.high, ALL)
    if (low, high) == (-ALL, ALL):
        return found
    return f"{found} [{signed(100 * low)}, {signed(100 * high)}]"


def possible(bounds: Bounds) -> str:
    """Write what a difference of accuracies may be.

    >>> possible(Bounds(0.1, -0.012, 0.121))
    'anything from \u22121.2 to +12.1 points is possible'
    """
    low, high = max(bounds.low, -ALL), min(bounds.high, ALL)
    if (low, high) == (-ALL, ALL):
        return "nothing is excluded"
    return f"anything from {signed(100 * low)} to {signed(100 * high)} points is possible"


def joined(*parts: str) -> str:
    """The parts of a sentence that are there."""
    return "; ".join(filter(None, parts))
