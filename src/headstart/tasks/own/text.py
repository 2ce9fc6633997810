"""A column of text in a user's table: a bag of words to classify, or next tokens to predict."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from headstart.tasks.base import Rows, Task
from headstart.tasks.next_token import text_task
from headstart.tasks.own.parts import Mask
from headstart.tasks.tokens import words as tokenizer
from headstart.tasks.tokens.base import MARKS, Tokens


def bag_of_words(documents: Sequence[str], train: Mask, size: int) -> tuple[npt.NDArray[np.float32], Tokens]:
    """How often each of the `size` most frequent words of the training rows is in a document, per word of it [N, V].

    As in the logistic regression on Stack Overflow of Reddi et al. (arXiv 2003.00295; 10,000 words there) and the
    code of its authors: words that are not among them count in the length of the document and have no place. A document
    without a word is all zeros.

    >>> shares, _ = bag_of_words(["tea tea ale milk", " "], np.array([True, False]), 2)
    >>> shares.tolist()  # of tea, and of ale, which comes before milk
    [[0.5, 0.25], [0.0, 0.0]]

    Raises:
        HeadstartError: no training row has a word.
    """
    tokens = tokenizer.words((documents[row] for row in np.flatnonzero(train).tolist()), size=size)
    shares_NV = np.zeros((len(documents), tokens.size - MARKS), np.float32)
    for row, document in enumerate(documents):
        ids = tokens.encode(document)
        known = ids[ids >= MARKS] - MARKS
        shares_NV[row] = np.bincount(known, minlength=tokens.size - MARKS) / max(1, len(ids))
    return shares_NV, tokens


def next_tokens(
    documents: Sequence[str],
    owners: Rows | None,
    names: Sequence[str],
    parts: Mapping[str, Mask],
    tokens: str,
    length: int,
    content: str,
) -> Task:
    """The task of predicting each next token of the documents; without owners it has no natural clients.

    Raises:
        HeadstartError: nothing is left to train or to test on.
    """

    def part(mask: Mask) -> dict[str, list[str]]:
        clients: dict[str, list[str]] = {}
        for row in np.flatnonzero(mask).tolist():
            if documents[row].strip():
                clients.setdefault(str(row) if owners is None else names[owners[row]], []).append(documents[row])
        return clients

    held_out = (part(parts["validation"]), part(parts["test"]))
    made = text_task("table", (part(parts["train"]), *held_out), tokens, length, content=content)
    return made if owners is not None else replace(made, owners=None)
