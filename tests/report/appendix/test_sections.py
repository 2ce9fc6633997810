"""All that stands below the panels: each table once, and only where there is something."""

from collections.abc import Callable
from pathlib import Path

from headstart.report.appendix.sections import appendix
from headstart.report.judgement.reading import read
from headstart.report.runs.grid import Grid


def test_a_study_without_anything_to_add_has_no_tables(table: Callable[..., Grid]) -> None:
    found = appendix(table({"random": {"sgd + adam": [0.9, 0.8]}}))
    assert (found.tuning, found.differed, found.rates, found.diverged) == (None,) * 4
    assert [one.slug for one in found.tables] == []


def test_tables_have_names_of_their_own(study: Callable[..., Path]) -> None:
    found = appendix(read(study()).grid)
    slugs = [one.slug for one in found.tables]
    assert slugs == list(dict.fromkeys(slugs))
    assert {one.slug for one in found.tables} >= {"differed"}


def test_runs_that_diverged_are_listed(table: Callable[..., Grid]) -> None:
    found = appendix(table({"random": {"sgd + adam": [0.9, None]}}))
    assert found.diverged is not None
    assert found.diverged in found.tables
    assert found.diverged.columns["seed"] == [1]
