"""The tasks of text on the real files, and on small ones of the same form."""

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import TASKS, Task
from headstart.tasks.tokens.base import BEGIN, MARKS, PAD, UNKNOWN
from headstart.tasks.wikitext_2 import articles

DATA = Path(os.environ.get("HEADSTART_DATA", ""))


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not (DATA / name).exists(), reason=f"needs {name} in $HEADSTART_DATA")


def task(written: str) -> Task:
    return TASKS.build(TASKS.component(written))


def forget(name: str) -> None:
    TASKS.entry(name).factory.cache_clear()  # type: ignore[attr-defined]


@pytest.fixture
def posts(tmp_path: Path) -> Path:
    """Ten people, each of whom says a word of their own."""
    people = [f"p{i}" for i in range(10) for _ in range(3)]
    texts = [f"we say word{i}" for i in range(10) for _ in range(3)]
    pq.write_table(pa.table({"user": people, "text": texts}), tmp_path / "posts.parquet")
    return tmp_path / "posts.parquet"


@pytest.mark.parametrize("name", ["stackoverflow", "reddit"])
def test_a_table_of_ones_own_with_held_out_people(name: str, posts: Path) -> None:
    made = task(f"{name}(path={str(posts)!r}, client='user', length=4)")
    assert [len(part) for part in (made.train, made.validation, made.test)] == [21, 3, 6]
    assert made.owners is not None
    assert np.bincount(made.owners).tolist() == [3] * 7
    # We, say and what the seven say: nothing of those held out.
    assert made.outputs == MARKS + 2 + 7
    assert made.test.inputs.tolist() == [[BEGIN, *made.test.inputs[0, 1:3].tolist(), UNKNOWN]] * 6
    assert [row[2:] for row in made.test.targets.tolist()] == [[PAD, PAD]] * 6


def test_the_content_of_a_folder_is_that_of_its_tables(tmp_path: Path) -> None:
    (tmp_path / "posts").mkdir()
    (tmp_path / "posts" / "0.csv").write_text(
        "user,text\n" + "".join(f"p{i},hello tea\n" for i in range(9))
    )

    def content() -> str:
        forget("reddit")
        return task(f"reddit(path={str(tmp_path / 'posts')!r}, client='user', length=3)").content

    before = content()
    (tmp_path / "posts" / "README.md").write_text("no table")
    assert content() == before
    (tmp_path / "posts" / "1.csv").write_text("user,text\np9,hello\n")
    assert content() != before


def test_shakespeare_is_split_in_time(tmp_path: Path) -> None:
    path = tmp_path / "plays.parquet"
    speeches = [f"{who} {i}" for i in range(1, 10) for who in "xy"] + ["lone"]
    pq.write_table(pa.table({"user_id": [*"xy" * 9, "z"], "text": speeches}), path)
    made = task(f"shakespeare(path={str(path)!r}, length=5)")
    tokens = made.tokens
    assert tokens is not None

    def said(part: torch.Tensor) -> list[list[int]]:
        return [[int(i) for i in row if i != PAD] for row in part]

    def rows(numbers: range) -> list[list[int]]:
        return [tokens.encode(f"{who} {i}").tolist() for who in "xy" for i in numbers]

    known = {int(i) for i in tokens.encode("".join(map(str, range(10)))) if i != UNKNOWN}
    assert len(known) == 10
    assert said(made.train.targets) == rows(range(1, 8))
    assert said(made.validation.targets) == rows(range(8, 9))
    assert said(made.test.targets) == rows(range(9, 10))
    assert made.owners is not None
    assert np.bincount(made.owners).tolist() == [7, 7]


def test_wikitext_is_read_as_written_by_article(tmp_path: Path) -> None:
    path = tmp_path / "wiki.txt"
    path.write_text(
        " \n = Tea = \n \n Well @-@ known , 1 @,@ 000 <unk> . \n = = Of old = = \n = Ale = \n don "
        "'t \n"
    )
    assert articles(path) == [
        "= Tea =\nWell-known , 1,000 \ufffd .\n= = Of old = =",
        "= Ale =\ndon't",
    ]
    path.write_text(" \n")
    with pytest.raises(HeadstartError, match="expected text, got an empty file"):
        articles(path)
    path.write_bytes(b"\xff")
    with pytest.raises(HeadstartError, match="cannot be read as UTF-8"):
        articles(path)


def test_wikitext_takes_the_tokens_of_a_task_of_text(posts: Path, tmp_path: Path) -> None:
    path = tmp_path / "wiki.txt"
    path.write_text(" = We say = \n we say say zebra \n = Say = \n we \n")
    like = f"reddit(path={str(posts)!r}, client='user', length=3)"
    made, target = (
        task(f"wikitext-2(like={like!r}, train={str(path)!r}, test={str(path)!r})"),
        task(like),
    )
    assert (made.tokens, made.outputs, made.input_shape) == (
        target.tokens,
        target.outputs,
        target.input_shape,
    )
    assert target.tokens is not None
    we, say = target.tokens.encode("we say").tolist()
    assert [t for t in made.train.targets.flatten().tolist() if t] == [
        we,
        say,
        we,
        say,
        say,
        say,
        we,
    ]
    assert [t for t in made.validation.targets.flatten().tolist() if t] == [we, say, we, say, say]
    with pytest.raises(
        HeadstartError, match=r"wikitext-2.like: expected a task of next tokens, .* got 'digits'"
    ):
        task("wikitext-2(like='digits')")
    bags = f"table(path={str(posts)!r}, text='text', label='user', unseen='keep')"
    with pytest.raises(HeadstartError, match=r"expected a task of next tokens, .* got 'table'"):
        task(f"wikitext-2(like={bags!r})")


@pytest.mark.slow
@needs("shakespeare_by_role.parquet")
def test_the_real_shakespeare() -> None:
    made = task("shakespeare")
    assert made.owners is not None
    assert (made.outputs, made.input_shape, made.owners.max() + 1) == (90, (80,), 967)  # type: ignore[union-attr]
    unknown = (made.train.inputs == UNKNOWN).sum() / (made.train.inputs != PAD).sum()
    assert unknown < 1e-3
    forget("shakespeare")


@pytest.mark.slow
@needs("stackexchange_by_user.parquet")
@needs("wikitext-2")
def test_the_real_posts_and_their_proxy() -> None:
    made, proxy = task("stackoverflow"), task("wikitext-2")
    assert made.owners is not None
    assert (made.outputs, made.owners.max() + 1) == (10_004, 1422)  # type: ignore[union-attr]
    assert np.bincount(made.owners).max() == 200
    assert (proxy.tokens, proxy.input_shape, proxy.owners) == (made.tokens, (64,), None)
    # Shares of what is said.
    for part, covered in ((made.train, 0.957), (made.test, 0.951), (proxy.train, 0.809)):
        words = part.inputs[part.inputs >= MARKS].numel()
        assert words / (words + int((part.inputs == UNKNOWN).sum())) == pytest.approx(
            covered, abs=0.001
        )
    forget("stackoverflow")
    forget("wikitext-2")


@pytest.mark.slow
@needs("reddit_selfposts_by_subreddit.parquet")
def test_the_real_reddit() -> None:
    made = task("reddit(most_rows=5)")
    assert made.owners is not None
    assert np.bincount(made.owners).tolist() == [5] * 280
    assert (len(made.validation), len(made.test), made.outputs) == (5 * 40, 5 * 80, 10_004)
    forget("reddit")
