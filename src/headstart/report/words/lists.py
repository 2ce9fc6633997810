"""How several things are told in a sentence: how many, which, and how many were left out."""

from collections.abc import Iterable, Sequence

DIVERGED, SHORT = "with diverged runs", "with fewer seeds"


def count(n: int, what: str) -> str:
    """Write a number of things, in the plural where it is one.

    >>> count(1, "pair"), count(3, "pair")
    ('1 pair', '3 pairs')
    """
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def left_out(*groups: tuple[int, str]) -> str:
    """Say how many pairs were left out and why; empty where none was.

    >>> left_out((1, DIVERGED), (0, SHORT)), left_out((0, SHORT))
    ('1 pair with diverged runs left out', '')
    >>> left_out((2, DIVERGED), (1, SHORT))
    '2 pairs with diverged runs and 1 pair with fewer seeds left out'
    """
    parts = [f"{count(n, 'pair')} {which}" for n, which in groups if n]
    return f"{listed(parts)} left out" if parts else ""


def in_brackets(text: str) -> str:
    """Set a remark in brackets behind a space; empty where there is none."""
    return f" ({text})" if text else ""


def listed(names: Iterable[object]) -> str:
    """Write things one after another, the last behind an "and".

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    texts = list(map(str, names))
    first, last = texts[:-1], texts[-1:]
    return " and ".join(filter(None, [", ".join(first), *last]))


def some(names: Sequence[object], limit: int = 3) -> str:
    """Write the first of several things, and how many more there are.

    >>> some(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    left = len(names) - limit
    return listed([*names[:limit], f"{left} more"]) if left > 0 else listed(names)


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
