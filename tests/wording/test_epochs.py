"""Numbers of epochs: whole ones are whole wherever they are written."""

import pytest

from headstart.wording.epochs import in_words, whole_or_part


@pytest.mark.parametrize(
    ("number", "same", "words"),
    [
        (1, 1, "1 local epoch"),
        (1.0, 1, "1 local epoch"),
        (0.25, 0.25, "0.25 local epochs"),
        (20.0, 20, "20 local epochs"),
    ],
)
def test_a_whole_number_is_written_as_one(number: float, same: float, words: str) -> None:
    found = whole_or_part(number)
    assert (found, type(found), in_words(number)) == (same, type(same), words)


def test_what_no_file_holds_as_a_whole_number_stays_a_fraction() -> None:
    assert type(whole_or_part(2.0**63)) is float
