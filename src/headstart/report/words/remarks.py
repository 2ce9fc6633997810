"""Remarks at the end of a sentence: what was left out of it, and what stands in brackets."""

from headstart.wording.phrases import count, listed

DIVERGED, SHORT = "with diverged runs", "with fewer seeds"


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


def capital(text: str) -> str:
    """The text with its first letter as a capital."""
    return text[:1].upper() + text[1:]
