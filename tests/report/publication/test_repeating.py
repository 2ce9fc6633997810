"""How a study is repeated: what must be there first, then the commands."""

from headstart.report.appendix.needs import Needs
from headstart.report.publication.repeating import RUN, SAME, in_words


def test_a_study_that_needs_nothing_is_two_commands() -> None:
    assert in_words(Needs((), (), {}, ())) == [
        "```bash",
        RUN + SAME,
        "headstart publish out --into again",
        "```",
    ]


def test_what_must_be_there_stands_before_the_commands() -> None:
    lines = in_words(Needs((), ("own.csv",), {"net.py": b""}, ("far_away",)))
    assert lines[0].startswith("Not in this folder, and to be put in place first: `own.csv`")
    assert lines[2] == "`modules/` has copies of the study's own modules: code that runs with it."
    assert "the Python modules `far_away`." in lines[4]
    assert lines[7] == f"{RUN} --allow far_away{SAME}"


def test_what_a_program_gave_is_repeated_by_that_program() -> None:
    lines = in_words(Needs(("net",), (), {}, ()))
    assert lines == [
        "A Python program gave this study `net`, which `study.yaml` names and does not hold: "
        "run that program to repeat it."
    ]
