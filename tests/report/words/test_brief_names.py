"""Names in few letters: none longer than there is room for, and no two alike."""

import pytest

from headstart.report.words.brief_names import brief_names, cut_in_the_middle

FILES = [
    f"checkpoint(path='/data/nets/{word}-2024-with-a-long-name.safetensors')"
    for word in ("letters", "digits")
]


@pytest.mark.parametrize("limit", [13, 16, 28, 36])
def test_no_name_is_longer_than_its_room_and_no_two_are_alike(limit: int) -> None:
    starts = ["random", *FILES, "proxy", "mine:start(width=64, depth=12)"]
    brief = brief_names(starts, limit)
    assert list(brief) == starts
    assert len(set(brief.values())) == len(starts)
    assert max(map(len, brief.values())) <= limit
    assert (brief["random"], brief["proxy"]) == ("random", "proxy")


def test_names_that_would_be_cut_to_the_same_begin_where_they_differ() -> None:
    assert cut_in_the_middle(FILES[0], 28) == cut_in_the_middle(FILES[1], 28)
    brief = brief_names(FILES, 28)
    assert [brief[name][:18] for name in FILES] == [
        "checkpoint(\u2026letter",
        "checkpoint(\u2026digits",
    ]


def test_names_that_differ_nowhere_in_sight_are_numbered() -> None:
    names = [
        f"hub(model='{'a' * 40}{i}{'b' * 40}', revision='{j}{'c' * 40}')"
        for i in "12"
        for j in "12"
    ]
    assert list(brief_names(names, 20).values()) == ["hub 1", "hub 2", "hub 3", "hub 4"]
