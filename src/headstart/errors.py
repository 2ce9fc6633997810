"""Errors that a user can act on: one line that says what was expected, what came and what to do."""

import difflib
from collections.abc import Iterable, Mapping


class HeadstartError(Exception):
    """Bad input, a damaged file, a refused model. The command line prints the message and exits with 2."""


def nearest(name: str, names: Iterable[str], known_as: Mapping[str, str] | None = None) -> str:
    """The offer that ends an error about an unknown name; `known_as` leads from what others call it to the name.

    >>> nearest("proximl", ["sgd", "proximal"])
    "; did you mean 'proximal'?"
    >>> nearest("fedprx", ["sgd", "proximal"], {"fedprox": "proximal"})
    "; did you mean 'proximal'?"
    >>> nearest("zzz", ["sgd", "gd"])
    '; known: gd, sgd'
    """
    names = sorted(names)
    offered = {**(known_as or {}), **{known: known for known in names}}
    close = difflib.get_close_matches(name.lower(), offered, n=1, cutoff=0.6)
    return f"; did you mean {offered[close[0]]!r}?" if close else f"; known: {', '.join(names)}"
