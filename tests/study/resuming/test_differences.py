"""Two studies told apart key by key."""

from headstart.study.resuming.differences import MOST, differences


def test_keys_that_change_no_run_are_not_told() -> None:
    assert differences({"title": "a", "name": "x"}, {"title": "b"}) == "in what no key says"


def test_mappings_differ_by_their_inner_keys() -> None:
    there = {"tuning": {"trials": 3, "ranges": {"mu": [0, 1]}}}
    here = {"tuning": {"trials": 4, "ranges": {"mu": [1, 0]}}}
    assert differences(there, here) == (
        "tuning.trials: there 3, here 4; tuning.ranges.mu: in another order"
    )


def test_lists_differ_by_what_is_gone_and_new() -> None:
    assert differences({"starts": ["a", "b"]}, {"starts": ["b", "c"]}) == (
        "starts: there also a; starts: here also c"
    )
    assert differences({"starts": ["a"]}, {"starts": ["b"]}) == "starts: there a, here b"
    assert differences({"margin": None}, {"margin": 1.0}) == "margin: there nothing, here 1.0"


def test_only_the_first_are_told_and_what_was_added_last() -> None:
    there: dict[str, object] = {"seeds": [0], "a": 1, "b": 1, "c": 1, "d": 1}
    here: dict[str, object] = {"seeds": [0, 1], "a": 2, "b": 2, "c": 2, "d": 2}
    assert differences(there, here) == (
        "a: there 1, here 2; b: there 1, here 2; c: there 1, here 2; and 2 more"
    )
    assert MOST == 3
