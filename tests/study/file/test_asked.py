"""What a command says of a study's looks, over what its file says."""

from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.study.file.asked import LooksAsked

UNTIL = {"until": "decided", "first": 4, "at_most": 9}


@pytest.mark.parametrize(
    ("asked", "seeds", "wanted"),
    [
        (LooksAsked(), [0, 5], [0, 5]),
        (LooksAsked(until="decided"), None, {"until": "decided"}),
        (
            LooksAsked(until="decided", at_most=9),
            [0, 1, 2, 3],
            {"until": "decided", "first": 4, "at_most": 9},
        ),
        (LooksAsked(until="decided", first=3), [0, 1], {"until": "decided", "first": 3}),
        (LooksAsked(until="decided"), [0], {"until": "decided"}),
        (LooksAsked(until="decided"), 0, {"until": "decided"}),
        (LooksAsked(until="decided"), UNTIL, UNTIL),
        (LooksAsked(at_most=20), UNTIL, {**UNTIL, "at_most": 20}),
        (LooksAsked(until="today"), UNTIL, {**UNTIL, "until": "today"}),
    ],
)
def test_what_is_asked_stands_over_the_file(asked: LooksAsked, seeds: Any, wanted: Any) -> None:
    keys = {} if seeds is None else {"seeds": seeds}
    found = asked.over({**keys, "task": "digits"})
    assert found == ({"seeds": wanted} if wanted is not None else {}) | {"task": "digits"}
    assert keys == ({} if seeds is None else {"seeds": seeds})


def test_a_margin_stands_over_that_of_the_file() -> None:
    assert LooksAsked(margin=0.25).over({"margin": 1, "seeds": [3]}) == {
        "margin": 0.25,
        "seeds": [3],
    }


@pytest.mark.parametrize(
    ("asked", "seeds", "error"),
    [
        (
            LooksAsked(until="decided"),
            [3, 7],
            r"--until: expected a study whose seeds are 0, 1, 2, .*, got 3, 7",
        ),
        (LooksAsked(until="decided"), [1, 0], "got 1, 0"),
        (LooksAsked(until="decided"), "many", "got many"),
        (
            LooksAsked(at_most=9),
            [0, 1],
            r"--first, --at-most: this study lists its seeds; give --until decided as well",
        ),
    ],
)
def test_what_cannot_be_is_refused(asked: LooksAsked, seeds: Any, error: str) -> None:
    with pytest.raises(HeadstartError, match=error):
        asked.over({"seeds": seeds})
