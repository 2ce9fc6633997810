"""Errors that a user can act on: one line that says what was expected, what came and what to do."""

import difflib
from collections.abc import Iterable


class HeadstartError(Exception):
    """Bad input, a damaged file, a refused model. The command line prints the message and exits with 2."""


def nearest(name: str, names: Iterable[str]) -> str:
    """The offer that ends an error about an unknown name.

    >>> nearest("fedprx", ["sgd", "proximal", "fedprox"])
    "; did you mean 'fedprox'?"
    >>> nearest("zzz", ["sgd", "gd"])
    '; known: gd, sgd'
    """
    names = sorted(names)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else f"; known: {', '.join(names)}"
