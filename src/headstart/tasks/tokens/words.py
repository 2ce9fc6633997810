"""Text as words, of which the most frequent of the training split have a token of their own."""

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from headstart.errors import HeadstartError
from headstart.tasks.tokens.base import (
    BEGIN,
    END,
    MARKS,
    MISSING,
    PAD,
    TOKENS,
    UNKNOWN,
    Documents,
    Ids,
    Tokens,
)

_WORD = re.compile(r"\w+(?:'\w+)*|[^\w\s]")

WORD_BEGINS, WORD_ENDS = 0xFE, 0xFF
"""Bytes that UTF-8 never uses, around a spelled word (arXiv 1508.06615 has such marks); 0 pads."""


@TOKENS.register(
    "words", source="Reddi et al., arXiv 2003.00295, appendix: the 10,000 most frequent words"
)
def words(
    documents: Documents,
    *,
    size: Annotated[int, Field(ge=1, description="words that have a token of their own")] = 10_000,
    spelled: Annotated[
        int,
        Field(
            ge=0,
            le=255,
            description="inputs are words spelled in so many bytes, for charlm; 0: inputs are "
            "tokens",
        ),
    ] = 0,
) -> Tokens:
    """The most frequent words of the training split, in lower case, and 4 marks: padding, others,
    begin and end.

    A word is letters, digits and apostrophes within, or one sign. Words as frequent as each other
    go by the alphabet. Fewer words than `size` make a smaller vocabulary. Spelled inputs are UTF-8
    between a first and a last byte, cut where they are longer, and hold words that are out of the
    vocabulary too.

    Raises:
        HeadstartError: no room for a letter between the two bytes, or there is not one word.
    """
    if 0 < spelled < 3:
        raise HeadstartError(
            f"words.spelled: expected 0 or at least 3, for one letter and two marks, got {spelled}"
        )
    count: Counter[str] = Counter()
    for document in documents:
        count.update(split(document))
    del count[MISSING]
    if not count:
        raise HeadstartError("tokenizer 'words': expected words in the training split, got none")
    chosen = sorted(count, key=lambda word: (-count[word], word))[:size]
    token_of = {word: token for token, word in enumerate(chosen, start=MARKS)}

    def spell(text: str) -> npt.NDArray[np.uint8]:
        spellings = []
        for word in split(text) or [""]:
            characters = word.encode("utf-8", "replace")[: spelled - 2]
            spelling = bytes([WORD_BEGINS, *characters, WORD_ENDS])
            spellings.append(spelling.ljust(spelled, b"\0"))
        return np.frombuffer(b"".join(spellings), np.uint8).reshape(-1, spelled)

    content = hashlib.sha256("\n".join(chosen).encode("utf-8", "replace")).hexdigest()
    return Tokens(
        MARKS + len(chosen), BEGIN, END, PAD, (PAD, UNKNOWN, BEGIN, END), content, spelled,
        encode=partial(_encoded, token_of), spell=spell if spelled else None,
    )  # fmt: skip


def _encoded(token_of: Mapping[str, int], text: str) -> Ids:
    return np.array([token_of.get(word, UNKNOWN) for word in split(text)], np.int64)


def split(text: str) -> list[str]:
    """The words of a text.

    >>> split("Don't PANIC: 42.")
    ["don't", 'panic', ':', '42', '.']
    """
    return _WORD.findall(text.lower())
