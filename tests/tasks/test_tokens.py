"""Tokenizers: the published vocabularies, exact numbers, and equality where they agree."""

import os
import shutil
from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.tasks.tokens.base import BEGIN, END, MARKS, MISSING, PAD, TOKENS, UNKNOWN, Tokens
from headstart.tasks.tokens.characters import ALPHABET

FOLDER = Path(os.environ.get("HEADSTART_DATA", "")) / "gpt2_tokenizer"
needs_gpt2 = pytest.mark.skipif(not FOLDER.is_dir(), reason="needs gpt2_tokenizer/ in $HEADSTART_DATA")


def tokens(written: str, *documents: str) -> Tokens:
    return TOKENS.build(TOKENS.component(written), documents)


def test_characters_are_the_86_of_reddi_et_al_and_4_marks() -> None:
    made = tokens("characters")
    assert (made.size, len(set(ALPHABET))) == (90, 86)
    assert sorted(made.encode(ALPHABET).tolist()) == list(range(MARKS, 90))
    assert made.encode("aé<\U0001f600\udc80a").tolist() == [made.encode("a")[0], *[UNKNOWN] * 4, made.encode("a")[0]]
    assert made == tokens("characters", "whatever")


def test_words_are_the_most_frequent_then_by_the_alphabet() -> None:
    made = tokens("words(size=3)", "The cat, the dog", f"the cow {MISSING} {MISSING} {MISSING}")
    assert made.size == MARKS + 3
    assert made.encode("THE , cat dog cow").tolist() == [MARKS, MARKS + 1, MARKS + 2, UNKNOWN, UNKNOWN]
    assert made.encode(MISSING).tolist() == [UNKNOWN]
    assert {made.ignored, made.begin, made.end, UNKNOWN} == {PAD, BEGIN, END, UNKNOWN} == set(made.uncounted)


def test_words_are_equal_where_the_same_text_gives_the_same_numbers() -> None:
    assert tokens("words", "a b a") == tokens("words", "a", "b a a")
    assert tokens("words", "a b a") != tokens("words", "a b b")
    assert tokens("words", "a b a") != tokens("words(spelled=4)", "a b a")


def test_words_refuse_what_cannot_be() -> None:
    with pytest.raises(HeadstartError, match="expected words in the training part, got none"):
        tokens("words", " ", MISSING)
    with pytest.raises(HeadstartError, match=r"words.spelled: expected 0 or at least 3"):
        tokens("words(spelled=2)", "a")


@needs_gpt2
def test_gpt2_has_the_published_numbers() -> None:
    """Those of "Hello world" and " multi-byte" text are in the README of OpenAI's tiktoken and of many others."""
    pytest.importorskip("tokenizers")
    made = tokens("gpt2")
    assert (made.size, made.begin, made.end, made.ignored) == (50_257, 50_256, 50_256, 50_256)
    assert made.encode("Hello world").tolist() == [15_496, 995]
    assert made.encode("hello world").tolist() == [31_373, 995]


@needs_gpt2
def test_damaged_files_of_gpt2_are_one_line(tmp_path: Path) -> None:
    pytest.importorskip("tokenizers")
    with pytest.raises(HeadstartError, match=r"cannot read .*vocab.json: No such file"):
        tokens(f"gpt2(folder={str(tmp_path)!r})")
    shutil.copy(FOLDER / "merges.txt", tmp_path)
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    with pytest.raises(HeadstartError, match="are not the vocabulary of GPT-2"):
        tokens(f"gpt2(folder={str(tmp_path)!r})")
