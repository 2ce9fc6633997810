"""Errors say in one line what an exception says, what memory lacks, and which name is meant."""

import pytest

from headstart.errors import HeadstartError, OutOfMemoryError, as_memory, nearest, reason


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("has nothing to say")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("first\nsecond"), "first"),
        (ValueError("\n  padded  \n"), "padded"),
        (KeyError(), "KeyError"),
        (OSError(""), "OSError"),
        (MuteError(), "MuteError"),
    ],
)
def test_a_reason_is_the_first_line_or_the_type(error: Exception, line: str) -> None:
    assert reason(error) == line


def test_an_error_about_memory_says_how_much_was_asked_for() -> None:
    error = RuntimeError(
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 8589934592 bytes."
    )
    found = as_memory(error)
    assert isinstance(found, HeadstartError)
    assert str(found) == (
        "this machine has not enough memory for 8.0 GiB at once; choose a smaller model, batch or "
        "cohort"
    )


def test_an_error_about_memory_stays_itself_and_others_are_none() -> None:
    own = OutOfMemoryError("expected less")
    assert as_memory(own) is own
    assert as_memory(ValueError("shapes do not match")) is None


def test_the_nearest_name_is_offered_and_without_one_all_are() -> None:
    assert nearest("ADM", ["adam", "sgd"]) == "; did you mean 'adam'?"
    assert nearest("fedavg", ["sgd"], {"fedavg": "sgd"}) == "; did you mean 'sgd'?"
    assert nearest("q", ["sgd", "adam"]) == "; known: adam, sgd"
