"""Long names in sentences: cut, whole where a pointer rests on them, and never markup."""

from collections.abc import Callable

from headstart.report.pages.long_names import shortening
from headstart.report.runs.grid import Grid
from headstart.report.words.remarks import capital

Table = Callable[..., Grid]
A = "sgd + adam"
LONG, OTHER = (
    f"checkpoint(path='/data/nets/{word}-2024-with-a-long-name.pt')"
    for word in ("letters", "digits")
)


def test_a_long_name_is_cut_and_shown_whole_on_hover(table: Table) -> None:
    named = shortening([table({"random": {A: [0.5]}, LONG: {A: [0.6]}, OTHER: {A: [0.7]}})])
    called = "letters-2024-with-a-long-name.pt"
    said = named(f"Begin from {called}, not from random")
    assert said == (
        f'Begin from <abbr title="{called}">letters-2024-\u2026a-long-name.pt</abbr>, not from '
        "random"
    )
    assert ">Letters-" in named(f"{capital(called)} diverged")


def test_a_short_name_stays(table: Table) -> None:
    named = shortening([table({"random": {A: [0.5]}, "proxy": {A: [0.6]}})])
    assert named("Begin from proxy") == "Begin from proxy"


def test_what_a_study_brings_is_no_markup(table: Table) -> None:
    evil = "<script>alert('a name that is longer than a sentence has room for')</script>"
    named = shortening([table({"random": {A: [0.5]}, evil: {A: [0.6]}})])
    assert "<script" not in named(f"Begin from {evil} & not from <b>random</b>")


def test_a_name_of_several_words_is_set_apart(table: Table) -> None:
    named = shortening([table({"random": {A: [0.5]}, "public customers": {A: [0.6]}})])
    said = named("Is public customers ahead of random?")
    assert said == "Is <i>public customers</i> ahead of random?"
