"""Several things in a sentence."""

from headstart.wording.phrases import count, listed, some


def test_all_things_are_listed() -> None:
    listings = [listed([]), listed(["a"]), listed("ab"), listed("abc")]
    assert listings == ["", "a", "a and b", "a, b and c"]


def test_of_many_things_some_are_listed() -> None:
    listings = [some("abc"), some("abcd"), some("abcde", 1)]
    assert listings == ["a, b and c", "a, b, c and 1 more", "a and 4 more"]


def test_counts() -> None:
    assert [count(0, "run"), count(1, "run"), count(2, "run")] == ["0 runs", "1 run", "2 runs"]
