"""A column of text in a user's table: a bag of words to classify, or next tokens to predict."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from headstart import files
from headstart.errors import HeadstartError
from headstart.tasks.base import Rows, Task
from headstart.tasks.own.splits import Mask
from headstart.tasks.text.next_token import text_task
from headstart.tasks.tokens import words as tokenizer
from headstart.tasks.tokens.base import MARKS, Tokens


@dataclass(frozen=True)
class Known:
    """The tokens of another task, and the length of its rows where it predicts next tokens."""

    tokens: Tokens
    length: int | None


def known_of(task: Task, with_label: bool) -> Known:
    """The tokens of the task that a table is like, so that one model can read both.

    Raises:
        HeadstartError: it has none, or its tokens are no words for a bag.
    """
    if task.tokens is None or (with_label and task.tokens.given):
        kind = "a task of words" if with_label else "a task of text"
        raise HeadstartError(
            f"table.like: expected {kind}, such as a table with text, got {task.name!r}"
        )
    predicts_tokens = task.outputs == task.tokens.size and task.train.targets.ndim == 2
    return Known(task.tokens, task.input_shape[0] if predicts_tokens else None)


def bag_of_words(
    documents: Sequence[str], train: Mask, size: int, known: Known | None = None
) -> tuple[npt.NDArray[np.float32], Tokens]:
    """How often each of the `size` most frequent words of the training rows is in a document, per
    word of it [N, V].

    As in the logistic regression on Stack Overflow of Reddi et al. (arXiv 2003.00295; 10,000 words
    there) and the code of its authors: words that are not among them count in the length of the
    document and have no place. A document without a word is all zeros. Where words are known from
    another task, they are those.

    >>> shares, _ = bag_of_words(["tea tea ale milk", " "], np.array([True, False]), 2)
    >>> shares.tolist()  # of tea, and of ale, which comes before milk
    [[0.5, 0.25], [0.0, 0.0]]

    Raises:
        HeadstartError: no training row has a word.
    """
    trained = (documents[row] for row in np.flatnonzero(train).tolist())
    tokens = tokenizer.words(trained, size=size) if known is None else known.tokens
    shares_NV = np.zeros((len(documents), tokens.size - MARKS), np.float32)
    for row, document in enumerate(documents):
        ids = tokens.encode(document)
        placed = ids[ids >= MARKS] - MARKS
        shares_NV[row] = np.bincount(placed, minlength=tokens.size - MARKS) / max(1, len(ids))
    return shares_NV, tokens


def next_tokens(
    documents: Sequence[str],
    owners: Rows | None,
    names: Sequence[str],
    splits: Mapping[str, Mask],
    tokens: str,
    length: int,
    known: Known | None,
    content: str,
) -> Task:
    """The task of predicting each next token of the documents.

    Args:
        documents: the text of each row [N].
        owners: the number of the client of each row [N]; without it there are no natural clients.
        names: the names of clients.
        splits: which rows [N] are in each split.
        tokens: the tokenizer, as a study file writes it.
        length: tokens of a row of the task.
        known: the words of another task, where these are to be taken.
        content: a sha256 of the files.

    Raises:
        HeadstartError: nothing is left to train or to test on.
    """

    def by_client(mask: Mask) -> dict[str, list[str]]:
        clients: dict[str, list[str]] = {}
        for row in np.flatnonzero(mask).tolist():
            if documents[row].strip():
                client = str(row) if owners is None else names[owners[row]]
                clients.setdefault(client, []).append(documents[row])
        return clients

    of_splits = (
        by_client(splits["train"]),
        by_client(splits["validation"]),
        by_client(splits["test"]),
    )
    if known is None:
        made = text_task("table", of_splits, tokens, length, content=content)
    else:
        content = files.joint_digest(content, known.tokens.content)
        made = text_task("table", of_splits, known.tokens, known.length or length, content=content)
    return (
        made
        if owners is not None
        else replace(made, owners=None, validation_owners=None, test_owners=None)
    )
