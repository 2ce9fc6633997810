"""Text as words: the most frequent ones, and equality where vocabularies agree."""

import pytest

from headstart.errors import HeadstartError
from headstart.tasks.tokens.base import BEGIN, END, MARKS, MISSING, PAD, TOKENS, UNKNOWN, Tokens


def tokens(written: str, *documents: str) -> Tokens:
    return TOKENS.build(TOKENS.component(written), documents)


def test_words_are_the_most_frequent_then_by_the_alphabet() -> None:
    made = tokens("words(size=3)", "The cat, the dog", f"the cow {MISSING} {MISSING} {MISSING}")
    assert made.size == MARKS + 3
    assert made.encode("THE , cat dog cow").tolist() == [
        MARKS,
        MARKS + 1,
        MARKS + 2,
        UNKNOWN,
        UNKNOWN,
    ]
    assert made.encode(MISSING).tolist() == [UNKNOWN]
    assert (
        {made.ignored, made.begin, made.end, UNKNOWN}
        == {PAD, BEGIN, END, UNKNOWN}
        == set(made.uncounted)
    )


def test_words_are_equal_where_the_same_text_gives_the_same_numbers() -> None:
    assert tokens("words", "a b a") == tokens("words", "a", "b a a")
    assert tokens("words", "a b a") != tokens("words", "a b b")
    assert tokens("words", "a b a") != tokens("words(spelled=4)", "a b a")


def test_words_refuse_what_cannot_be() -> None:
    with pytest.raises(HeadstartError, match="expected words in the training split, got none"):
        tokens("words", " ", MISSING)
    with pytest.raises(HeadstartError, match=r"words.spelled: expected 0 or at least 3"):
        tokens("words(spelled=2)", "a")
