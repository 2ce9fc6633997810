"""Documents become rows of which every token is predicted once,
and only real next tokens are scored.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.text.next_token import (
    by_held_out_clients,
    by_time,
    documents_by_client,
    next_token,
    rows_of,
    text_task,
)
from headstart.tasks.tokens.base import BEGIN, MARKS, PAD, TOKENS, UNKNOWN, Tokens
from headstart.tasks.tokens.words import WORD_BEGINS, WORD_ENDS

CORPUS = ["a b a c", "a b"]  # by frequency: a, b, c
A, B, C = range(MARKS, MARKS + 3)


def words(**parameters: Any) -> Tokens:
    return TOKENS.build(TOKENS.component({"words": parameters}), CORPUS)


def test_the_score_is_cross_entropy_over_what_counts() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(3, 5, 7, generator=generator, dtype=torch.float64)
    targets = torch.randint(7, (3, 5), generator=generator)
    targets[0, 2:], targets[2] = 0, 0
    scores = next_token(0)(logits, targets)
    expected = torch.nn.functional.cross_entropy(
        logits.mT, targets, ignore_index=0, reduction="none"
    ).sum(-1)
    torch.testing.assert_close(scores.loss_B, expected, rtol=1e-13, atol=1e-13)
    counted = targets != 0
    assert scores.count_B.tolist() == counted.sum(-1).tolist()
    assert scores.correct_B.tolist() == ((logits.argmax(-1) == targets) & counted).sum(-1).tolist()
    assert (scores.loss_B[2], scores.correct_B[2], scores.count_B[2]) == (0, 0, 0)


def test_what_does_not_count_has_no_gradient() -> None:
    logits = torch.zeros(1, 2, 3, requires_grad=True)
    next_token(0)(logits, torch.tensor([[2, 0]])).loss_B.sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, torch.tensor([[[1 / 3, 1 / 3, 1 / 3 - 1], [0, 0, 0]]]))


def test_a_document_becomes_rows() -> None:
    """begin a b | a zebra c | end: the target of each token is the next,
    unknown words and the end do not count.
    """
    inputs, targets = rows_of(["A b, a zebra c"], words(size=3), 3)
    assert inputs.tolist() == [[BEGIN, A, B], [UNKNOWN, A, UNKNOWN], [C, PAD, PAD]][:2]
    # The third row predicts the end only, and is left out.
    assert targets.tolist() == [[A, B, PAD], [A, PAD, C]]


def test_the_last_row_is_filled_up() -> None:
    inputs, targets = rows_of(["a b a c"], words(), 3)
    assert inputs.tolist() == [[BEGIN, A, B], [A, C, PAD]]
    assert targets.tolist() == [[A, B, A], [C, PAD, PAD]]


def test_rows_are_taken_from_the_first_document_on() -> None:
    every, some = (
        rows_of(["a b a c", "b", "c a"], words(), 2),
        rows_of(["a b a c", "b", "c a"], words(), 2, most=3),
    )
    assert some.inputs.tolist() == every.inputs.tolist()[:3]
    assert some.targets.tolist() == every.targets.tolist()[:3]


def test_a_document_in_which_nothing_counts_has_no_rows() -> None:
    inputs, targets = rows_of(["zebra zebra", ""], words(), 2)
    assert (inputs.shape, targets.shape) == ((0, 2), (0, 2))


def test_spelled_rows_predict_the_same_tokens() -> None:
    def spelled(word: str) -> list[int]:
        return [*bytes([WORD_BEGINS, *word.encode()[:2], WORD_ENDS]).ljust(4, b"\0")]

    inputs, targets = rows_of(["a zebra é", "b"], words(spelled=4), 3)
    assert inputs.tolist() == [
        [spelled(""), spelled("a"), spelled("zebra")],
        [spelled(""), spelled("b"), [0] * 4],
    ]
    assert targets.tolist() == rows_of(["a zebra é", "b"], words(), 3).targets.tolist()
    assert inputs.dtype == np.uint8


@pytest.mark.parametrize("length", [1, 4, 7, 100])
def test_every_known_word_is_predicted_once(length: int) -> None:
    documents = ["a b c a a", "zebra c", "", "b"]
    targets = rows_of(documents, words(), length).targets
    assert targets[targets != PAD].tolist() == [A, B, C, A, A, C, B]


def test_clients_are_held_out_whole() -> None:
    clients = {f"client {i}": [f"text {i}"] for i in range(20)}
    parts = by_held_out_clients("t", clients, 0.1, 0.25)
    assert [len(part) for part in parts] == [13, 2, 5]
    assert {name: texts for part in parts for name, texts in part.items()} == clients
    assert parts == by_held_out_clients("t", dict(reversed(clients.items())), 0.1, 0.25)
    with pytest.raises(
        HeadstartError, match="expected more clients than the 2 to be held out, got 2"
    ):
        by_held_out_clients("t", {"a": ["x"], "b": ["y"]}, 0.1, 0.1)


def test_time_splits_every_client() -> None:
    clients = {"short": ["1", "2"], "three": ["1", "2", "3"], "long": [str(i) for i in range(20)]}
    train, validation, test = by_time("t", clients, 0.1, 0.2)
    assert train == {"three": ["1"], "long": [str(i) for i in range(14)]}
    assert validation == {"three": ["2"], "long": ["14", "15"]}
    assert test == {"three": ["3"], "long": ["16", "17", "18", "19"]}
    with pytest.raises(HeadstartError, match="at least 3 documents, got none of 1"):
        by_time("t", {"short": ["1", "2"]}, 0.1, 0.1)


def test_the_vocabulary_is_of_the_training_part_and_owners_are_its_clients() -> None:
    parts = ({"x": ["a b c d"], "y": ["a"], "z": ["b a b"]}, {"v": ["a q"]}, {"w": ["q a q"]})
    task = text_task("t", parts, "words", length=2, least=2)
    assert task.tokens is not None
    # A, b, c, d: all of x, y, z, though y is left out for having one row.
    assert task.outputs == MARKS + 4
    assert task.owners is not None
    assert task.owners.tolist() == [0, 0, 1, 1]  # type: ignore[union-attr]
    a, b = MARKS, MARKS + 1
    assert task.test.inputs.tolist() == [[BEGIN, UNKNOWN]]
    assert task.test.targets.tolist() == [[PAD, b if b == task.tokens.encode("a")[0] else a]]
    scores = task.objective(torch.zeros(1, 2, task.outputs), task.test.targets)
    assert (scores.count_B.item(), scores.loss_B.item()) == (1, pytest.approx(math.log(8)))
    with pytest.raises(HeadstartError, match="clients with at least 9 rows to train on, got none"):
        text_task("t", parts, "words", length=2, least=9)
    with pytest.raises(HeadstartError, match="at least one row to test on"):
        text_task("t", (parts[0], parts[1], {"w": ["q"]}), "words", length=2)
    with pytest.raises(
        HeadstartError, match=r"task t.tokens: unknown tokenizer 'word'; did you mean 'words'"
    ):
        text_task("t", parts, "word", length=2)


def test_documents_are_read_by_client_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "posts.parquet"
    pq.write_table(
        pa.table({"who": [2, 1, 2, 1], "said": ["x", "y", "z", "  "], "n": [1, 2, 3, 4]}), path
    )
    assert documents_by_client(path, "who", "said") == {"1": ["y"], "2": ["x", "z"]}
    with pytest.raises(
        HeadstartError, match=r"posts.parquet: expected text in column 'n', got int64"
    ):
        documents_by_client(path, "who", "n")
    with pytest.raises(HeadstartError, match=r"no column 'text'"):
        documents_by_client(path, "who", "text")
    pq.write_table(pa.table({"who": ["a", None], "said": ["x", "y"]}), path)
    with pytest.raises(HeadstartError, match="row 1 has nothing in column 'who'"):
        documents_by_client(path, "who", "said")


def test_documents_are_read_from_every_kind_of_file_and_from_folders(tmp_path: Path) -> None:
    expected = {"a": ["x, y", "w"], "b": ["z"]}
    (tmp_path / "t.csv").write_text('who,said\na,"x, y"\nb,z\na,w\n')
    (tmp_path / "t.jsonl").write_text(
        '{"who": "a", "said": "x, y"}\n{"who": "b", "said": "z"}\n{"who": "a", "said": "w"}\n'
    )
    (tmp_path / "parts").mkdir()
    pq.write_table(pa.table({"who": ["a"], "said": ["x, y"]}), tmp_path / "parts" / "0.parquet")
    views = pa.table({"who": ["b", "a"], "said": pa.array(["z", "w"], pa.string_view())})
    pq.write_table(views, tmp_path / "parts" / "1.parquet")
    for path in (tmp_path / "t.csv", tmp_path / "t.jsonl", tmp_path / "parts"):
        assert documents_by_client(path, "who", "said") == expected


def test_documents_of_megabytes_are_read(tmp_path: Path) -> None:
    long = "word " * 600_000
    (tmp_path / "t.csv").write_text(f"who,said\na,x\nb,{long}\na,y\n")
    assert documents_by_client(tmp_path / "t.csv", "who", "said") == {"a": ["x", "y"], "b": [long]}


def test_a_vocabulary_of_its_own_files_is_part_of_the_content() -> None:
    parts = ({"x": ["a b"]}, {"v": ["a"]}, {"w": ["a b"]})

    @TOKENS.register("given", source="this test")
    def given(documents: Iterable[str]) -> Tokens:
        return replace(words(), content="of the vocabulary", given=True)

    try:
        of_files, of_both = (
            text_task("t", parts, name, 2, content="of files").content
            for name in ("words", "given")
        )
    finally:
        del TOKENS._entries["given"]
    assert of_files == "of files"
    assert text_task("t", parts, "words", 2).content == ""
    assert of_both == hashlib.sha256(b"of files of the vocabulary").hexdigest()
