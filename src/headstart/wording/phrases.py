"""How several things are told in a sentence: how many, which, how many more, and how long."""

from collections.abc import Collection, Iterable


def count(n: int, what: str) -> str:
    """Write a number of things, in the plural where it is one.

    >>> count(1, "pair"), count(3, "pair")
    ('1 pair', '3 pairs')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def listed(names: Iterable[object]) -> str:
    """Write things one after another, the last behind an "and".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    texts = list(map(str, names))
    first, last = texts[:-1], texts[-1:]
    return " and ".join(filter(None, [", ".join(first), *last]))


def open_questions(where: bool, which: bool) -> list[str]:
    """What a look leaves open that has decided the one, or the other.

    >>> open_questions(where=True, which=False)
    ['with what']
    """
    questions = {"where to begin": where, "with what": which}
    return [question for question, is_decided in questions.items() if not is_decided]


def some(names: Collection[object], limit: int = 3) -> str:
    """Write the first of several things, and how many more there are.

    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    left = len(names) - limit
    return listed([*list(names)[:limit], f"{left} more"]) if left > 0 else listed(names)


def duration(seconds: float) -> str:
    """Write how long something takes, in the unit that a reader would choose.

    >>> duration(99.0), duration(1800.0), duration(7200.0)
    ('99 s', '30 min', '2.0 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
