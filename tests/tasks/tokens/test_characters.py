"""Text as characters: the 86 of the paper."""

from headstart.tasks.tokens.base import MARKS, TOKENS, UNKNOWN, Tokens
from headstart.tasks.tokens.characters import ALPHABET


def tokens(written: str, *documents: str) -> Tokens:
    return TOKENS.build(TOKENS.component(written), documents)


def test_characters_are_the_86_of_reddi_et_al_and_4_marks() -> None:
    made = tokens("characters")
    assert (made.size, len(set(ALPHABET))) == (90, 86)
    assert sorted(made.encode(ALPHABET).tolist()) == list(range(MARKS, 90))
    assert made.encode("aé<\U0001f600\udc80a").tolist() == [
        made.encode("a")[0],
        *[UNKNOWN] * 4,
        made.encode("a")[0],
    ]
    assert made == tokens("characters", "whatever")
