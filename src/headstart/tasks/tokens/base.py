"""The type of a tokenizer, and the marks that all of one's own making share."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from headstart.parts.registry import Registry

Ids = npt.NDArray[np.int64]

PAD, UNKNOWN, BEGIN, END = range(4)
"""Tokens of a vocabulary that is made here: what fills a row, what is out of the vocabulary, a
document's two ends.
"""

MARKS = 4

MISSING = "\ufffd"
"""What a source puts for a word that it left out stands in documents as the replacement character:
never a token.
"""


@dataclass(frozen=True)
class Tokens:
    """How text becomes whole numbers 0 to size - 1.

    `uncounted`: targets that are never scored, among them `ignored`, which replaces them all.
    `content` is a sha256 of the vocabulary, so that two are equal where the same text gives the
    same numbers. `spell`, where inputs are to be spelled: text -> uint8 [n, characters], and with
    empty text the one row of a mark. `given`: the vocabulary comes from files of its own, and not
    from the documents.
    """

    size: int
    begin: int
    end: int
    ignored: int
    uncounted: tuple[int, ...]
    content: str
    characters: int = 0
    given: bool = False
    encode: Callable[[str], Ids] = field(kw_only=True, compare=False)
    spell: Callable[[str], npt.NDArray[np.uint8]] | None = field(
        default=None, kw_only=True, compare=False
    )


Documents = Iterable[str]

TOKENS: Registry[Tokens] = Registry(
    "tokenizer", "headstart.tasks.tokens", Tokens, takes=("documents",)
)
"""Factories (documents of the training split, *, parameters) -> Tokens."""
