"""Starts that no name was given to go by as little as tells them apart."""

from collections.abc import Callable

import yaml

from headstart.report.figures.rendering import label
from headstart.report.runs.grid import Grid
from headstart.report.verdict.choice import choice
from headstart.report.verdict.where import where_to_begin
from headstart.report.words.start_names import start_names

Table = Callable[..., Grid]
A = "sgd + adam"
RIGHT, WRONG = (
    "checkpoint(path='public.pt', head='keep')",
    "checkpoint(path='wrong.pt', head='keep')",
)


def test_files_of_one_name_have_their_folders() -> None:
    names = ["checkpoint(path='a/best.pt')", "checkpoint(path='b/best.pt')"]
    assert list(start_names(names).values()) == ["a/best.pt", "b/best.pt"]


def test_what_is_equal_is_left_out() -> None:
    names = ["checkpoint(path='a.pt', head='keep')", "checkpoint(path='a.pt', head='new')"]
    assert list(start_names(names).values()) == [
        "checkpoint(head='keep')",
        "checkpoint(head='new')",
    ]


def test_no_two_starts_have_one_name() -> None:
    names = ["random", "checkpoint(path='nets/random')", "checkpoint(path='b')"]
    assert len(set(start_names(names).values())) == 3
    unreadable = ["own:start(width=n)", "own:start(width=m)"]
    assert list(start_names(unreadable).values()) == unreadable


def test_two_checkpoints_go_by_their_files_everywhere(table: Table) -> None:
    """Their names had been cut where they differ."""
    right, wrong = {A: [0.9, 0.91, 0.92]}, {A: [0.5, 0.51, 0.53]}
    grid = table(
        {"random": {A: [0.7, 0.71, 0.73]}, RIGHT: right, WRONG: wrong},
        starts=["random", RIGHT, WRONG],
    )
    assert grid.starts == ("random", "public.pt", "wrong.pt")
    assert [label(grid.starts, start) for start in grid.starts] == [
        "random",
        "public.pt",
        "wrong.pt",
    ]
    assert where_to_begin(grid).claim == "Begin from public.pt"
    found = choice(grid, grid.cell("public.pt", grid.pairs()[0]))
    assert found.start_in_words == "weights from a checkpoint (path='public.pt', head='keep')"
    assert yaml.safe_load(found.study)["starts"] == [RIGHT]
