"""What the tasks of text share: documents of clients as rows of tokens, and the score of predicting
the next one.

A document of n tokens is read as [begin] w_1 ... w_n [end], where the target of each is what
follows it, and cut into rows of `length`; the last row is filled up with padding. Only real next
tokens are scored: no padding, no word that has no token of its own, no end of a document. (The
accuracy of Reddi et al., arXiv 2003.00295, is such; their loss in training leaves out padding only.
Here one score serves training and evaluation.)

Shape suffixes: B rows of a batch, T tokens of a row, V tokens of the vocabulary.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import cross_entropy

from headstart import files, rng
from headstart.errors import HeadstartError
from headstart.parts.written import PartText
from headstart.tasks.base import Examples, Objective, Scores, Task
from headstart.tasks.sources.columns import texts
from headstart.tasks.sources.names import names
from headstart.tasks.sources.tables import read
from headstart.tasks.tokens.base import TOKENS, Tokens

Clients = Mapping[str, Sequence[str]]
"""The documents of each client."""

Splits = tuple[Clients, Clients, Clients]
"""To train on, to validate on, to test on."""


class TokenRows(NamedTuple):
    """Inputs [N, T] or [N, T, C] and targets [N, T]."""

    inputs: npt.NDArray[Any]
    targets: npt.NDArray[np.int64]


Path_ = Annotated[
    str,
    Field(description="a file .parquet, .csv or .jsonl, one document a row, or a folder of such"),
]
ClientColumn = Annotated[str, Field(description="column of the file that says whose a row is")]
TextColumn = Annotated[str, Field(description="column of the file with the text")]
TokensPart = Annotated[
    PartText,
    Field(description="the tokenizer, with parameters in brackets: see `headstart list tokens`"),
]
Length = Annotated[int, Field(ge=1, description="tokens of a row")]
MostRows = Annotated[
    int, Field(ge=1, description="rows of a client that are used, from its first document on")
]
LeastRows = Annotated[int, Field(ge=1, description="training clients with fewer rows are left out")]
ShareToValidate = Annotated[
    float, Field(gt=0, lt=1, description="share of clients, or of each one's text, to tune on")
]
ShareToTest = Annotated[
    float, Field(gt=0, lt=1, description="share of clients, or of each one's text, to test on")
]


def next_token(ignored: int) -> Objective:
    """Cross-entropy in nats and hits, summed over the targets of a row that are not `ignored`;
    count_B is how many.

    >>> logits_BTV = torch.tensor([[[0.0, 9.0, 0.0], [0.0, 9.0, 0.0], [0.0, 9.0, 0.0]]])
    >>> scores = next_token(0)(logits_BTV, torch.tensor([[1, 2, 0]]))
    >>> scores.correct_B.item(), scores.count_B.item()
    (1.0, 2.0)
    """

    def objective(logits_BTV: Tensor, targets_BT: Tensor) -> Scores:
        counted_BT = (targets_BT != ignored).to(logits_BTV.dtype)
        # All tokens in one axis: torch's kernel passes over a large vocabulary half as often as
        # `logsumexp` does.
        loss_N = cross_entropy(logits_BTV.flatten(0, -2), targets_BT.flatten(), reduction="none")
        loss_BT = loss_N.view_as(targets_BT)
        correct_BT = (logits_BTV.argmax(-1) == targets_BT).to(logits_BTV.dtype)
        return Scores(
            (loss_BT * counted_BT).sum(-1), (correct_BT * counted_BT).sum(-1), counted_BT.sum(-1)
        )

    return objective


def rows_of(
    documents: Iterable[str], tokens: Tokens, length: int, most: int | None = None
) -> TokenRows:
    """The rows of one client in the order of its documents, at most `most`; those in which nothing
    counts are left out.

    Inputs are int64 [N, T], or uint8 [N, T, C] where they are spelled; targets int64 [N, T].
    """
    counts_V = np.ones(tokens.size, bool)
    counts_V[list(tokens.uncounted)] = False
    inputs, targets = [_no_inputs(tokens, length)], [np.zeros((0, length), np.int64)]
    found = 0
    for document in documents:
        if most is not None and found >= most:
            break
        ids = tokens.encode(document)
        rows = -(-(len(ids) + 1) // length)
        target = np.full(rows * length, tokens.ignored)
        # The token of the end comes after them and does not count.
        target[: len(ids)][counts_V[ids]] = ids[counts_V[ids]]
        source = (
            np.full(rows * length, tokens.ignored)
            if tokens.spell is None
            else _no_letters(rows * length, tokens)
        )
        source[0] = tokens.begin if tokens.spell is None else tokens.spell("")
        if len(ids):
            source[1 : len(ids) + 1] = ids if tokens.spell is None else tokens.spell(document)
        target_NT = target.reshape(rows, length)
        counts_N = (target_NT != tokens.ignored).any(1)
        inputs.append(source.reshape(rows, length, *source.shape[1:])[counts_N])
        targets.append(target_NT[counts_N])
        found += int(counts_N.sum())
    return TokenRows(np.concatenate(inputs)[:most], np.concatenate(targets)[:most])


def joined(several: Sequence[TokenRows], tokens: Tokens, length: int) -> Examples:
    """The rows of several, in order."""
    inputs = np.concatenate([_no_inputs(tokens, length), *(rows.inputs for rows in several)])
    targets = np.concatenate([np.zeros((0, length), np.int64), *(rows.targets for rows in several)])
    return Examples(torch.from_numpy(inputs), torch.from_numpy(targets))


def _no_inputs(tokens: Tokens, length: int) -> npt.NDArray[Any]:
    if tokens.spell is None:
        return np.zeros((0, length), np.int64)
    return np.zeros((0, length, tokens.characters), np.uint8)


def _no_letters(words: int, tokens: Tokens) -> npt.NDArray[Any]:
    return np.zeros((words, tokens.characters), np.uint8)


def documents_by_client(path: Path, client: str, text: str) -> dict[str, list[str]]:
    """The documents of each client, clients sorted by name, documents in the order of the file;
    blank ones left out.

    Raises:
        HeadstartError: the file cannot be read or lacks a column, a cell is empty, or the text is
            no text.
    """
    table = read(path, (client, text))
    owners, known = names(table, client, "keep")
    clients: dict[str, list[str]] = {}
    for owner, document in zip(owners.tolist(), texts(table, text), strict=True):
        if document.strip():
            clients.setdefault(known[owner], []).append(document)
    return dict(sorted(clients.items()))


def text_task(
    name: str,
    splits: Splits,
    tokens: str | Tokens,
    length: int,
    most: int | None = None,
    least: int = 1,
    content: str = "",
) -> Task:
    """The task of three splits: documents to train on, to validate on and to test on.

    The task's content has the files' and, where a tokenizer is given, the tokenizer's: one that is
    made from the documents follows from them.

    Args:
        name: of the task.
        splits: the documents of each client in each split.
        tokens: a tokenizer, or the name of one, which is made from the training split only.
        length: tokens of a row.
        most: rows of a client that are used, from its first document on; without it, all.
        least: training clients with fewer rows are left out, after the vocabulary is made.
        content: a sha256 of the files.

    Raises:
        HeadstartError: no client is left, or nothing in the test split counts.
    """
    if isinstance(tokens, Tokens):
        made = tokens
    else:
        component = TOKENS.component(tokens, f"task {name}.tokens")
        made = TOKENS.build(component, itertools.chain.from_iterable(splits[0].values()))

    def rows_by_client(split: Clients) -> list[TokenRows]:
        return [rows_of(documents, made, length, most) for documents in split.values()]

    train, validation, test = map(rows_by_client, splits)
    train = [rows for rows in train if len(rows.targets) >= least]
    if not train:
        raise HeadstartError(
            f"task {name!r}: expected clients with at least {least} rows to train on, got none"
        )
    if not any(len(rows.targets) for rows in test):
        raise HeadstartError(f"task {name!r}: expected at least one row to test on, got none")
    return Task(
        name,
        joined(train, made, length),
        joined(validation, made, length),
        joined(test, made, length),
        outputs=made.size,
        objective=next_token(made.ignored),
        owners=_owners(train),
        validation_owners=_owners(validation),
        test_owners=_owners(test),
        tokens=made,
        content=files.joint_digest(content, made.content if made.given else ""),
    )


def _owners(clients: Sequence[TokenRows]) -> npt.NDArray[np.int64]:
    """Whose each row of the clients is, by their place."""
    return np.repeat(np.arange(len(clients)), [len(rows.targets) for rows in clients])


def by_held_out_clients(name: str, clients: Clients, validation: float, test: float) -> Splits:
    """Training, validation and test split, no client in two: one fixed draw over sorted names.

    Raises:
        HeadstartError: too few clients for one in each split.
    """
    total = len(clients)
    to_validate, to_test = _held_out(total, validation, test)
    if to_validate + to_test >= total:
        raise HeadstartError(
            f"task {name!r}: expected more clients than the {to_validate + to_test} to be held "
            f"out, got {total}; lower validation or test"
        )
    names = rng.generator(0, f"{name} split").permutation(sorted(clients))
    splits = np.split(names, [total - to_validate - to_test, total - to_test])

    def documents_of(split: npt.NDArray[Any]) -> Clients:
        return {name: clients[name] for name in sorted(map(str, split))}

    train, validate, tested = map(documents_of, splits)
    return train, validate, tested


def _held_out(total: int, validation: float, test: float) -> tuple[int, int]:
    """How many of a total validate and how many test, at least one each."""
    return max(1, round(validation * total)), max(1, round(test * total))


def by_time(name: str, clients: Clients, validation: float, test: float) -> Splits:
    """Training, validation and test split of the same clients.

    They train on their first documents, validate on the next and test on the last ones. A client
    with n documents has round(share * n) in a held-out split, at least one. Those with fewer than
    3, or with too few for one to train on, are left out.

    Raises:
        HeadstartError: no client is left.
    """
    train: dict[str, Sequence[str]] = {}
    validated: dict[str, Sequence[str]] = {}
    tested: dict[str, Sequence[str]] = {}
    for client, documents in clients.items():
        to_validate, to_test = _held_out(len(documents), validation, test)
        first = len(documents) - to_validate - to_test
        if first > 0:
            train[client] = documents[:first]
            validated[client] = documents[first : first + to_validate]
            tested[client] = documents[first + to_validate :]
    if not train:
        raise HeadstartError(
            f"task {name!r}: expected a client with at least 3 documents, got none of "
            f"{len(clients)}; lower validation or test if there are"
        )
    return train, validated, tested
