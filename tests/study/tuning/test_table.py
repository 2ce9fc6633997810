"""A row a trial: what was tried, what was best, and what the tuning could not tell from it."""

from tests.study.tuning.small_tuning import study, trial

from headstart.study.tuning.search import searches
from headstart.study.tuning.table import table_of


def test_the_best_and_what_ties_with_it_are_marked() -> None:
    search, _ = searches(study())
    trials = [trial(0.5, rate=0.5), trial(0.9, rate=0.01), trial(0.89), trial(0.9, "pruned")]
    rows = table_of({search: trials}).to_pylist()
    assert [row["trial"] for row in rows] == [0, 1, 2, 3]
    assert [row["best"] for row in rows] == [False, True, False, False]
    assert [row["tied"] for row in rows] == [False, False, True, False]
    assert [row["edge"] for row in rows] == ["", "client_rate", "", ""]
    assert {row["parameters"] for row in rows} == {"client.mu=0.01"}
    assert {row["search"] for row in rows} == {search.key}


def test_what_diverged_has_no_accuracy() -> None:
    search, _ = searches(study())
    (row,) = table_of({search: [trial(0.5, "diverged")]}).to_pylist()
    assert (row["accuracy"], row["best"], row["rounds"]) == (None, False, 2)
    assert table_of({}).num_rows == 0
