"""What the page says of a tuning, on trials whose budget and best values are known."""

from headstart.report.appendix import tuning as trials


def row(
    search: str,
    trial: int,
    status: str = "finished",
    best: bool = False,
    edge: str = "",
    tied: bool = False,
) -> dict[str, object]:
    return {
        "search": search, "start": search, "client": "sgd", "server": "adam", "partition": "iid",
        "devices": "equal", "local_epochs": 1, "trial": trial, "status": status, "rounds": 9,
        "seeds": 1, "client_rate": 0.1, "server_rate": 1.0, "parameters": "", "accuracy": 0.5,
        "loss": 1.0, "best": best, "edge": edge, "tied": tied, "repeat": 0,
    }  # fmt: skip


def told(*rows: trials.Trial) -> trials.TuningNotes:
    found = trials.tuning(rows)
    assert found is not None
    return found


def test_equal_budgets_are_counted_and_nothing_is_warned_of() -> None:
    found = told(
        row("a", 0, best=True),
        row("a", 1, "pruned"),
        row("b", 0, best=True),
        row("b", 1, "diverged"),
    )
    assert (
        "2 combinations of start and pair tuned with 2 trials of 1 seed: each got the same"
        in found.budget
    )
    assert "Of 4 trials, 1 pruned and 1 diverged" in found.budget
    assert found.warnings == []
    assert found.best.columns["trials"] == [2, 2]
    assert found.best.columns["pruned"] == [1, 0]
    assert len(found.trials) == 4


def test_a_best_value_at_an_edge_is_a_warning_that_names_it() -> None:
    found = told(
        row("a", 0, best=True, edge="client_rate"),
        row("b", 0, best=True, edge="client_rate, client.mu"),
    )
    assert found.warnings == [
        "The best client rate lies at an end of its range for FedAdam from a and FedAdam from b: "
        "a wider range could do better.",
        "The best client.mu lies at an end of its range for FedAdam from b: a wider range could do "
        "better.",
    ]


def test_unequal_budgets_and_searches_without_a_best_are_warned_of() -> None:
    found = told(row("a", 0, best=True), row("a", 1), row("b", 0, "diverged"))
    assert "1 to 2 trials" in found.budget
    assert "budgets differ" in found.budget
    assert [text.split(":")[0] for text in found.warnings] == [
        "The budgets are not equal",
        "Every trial diverged for FedAdam from b",
    ]


def test_repeats_are_counted_and_told_once() -> None:
    again = {"search": "a again", "repeat": 1}
    edge = row("a", 0, best=True, edge="client_rate")
    found = told(edge, row("a", 1), {**edge, **again}, {**row("a", 1), **again})
    assert (
        "1 combination of start and pair tuned 2 times with 2 trials of 1 seed: each got the same"
        in found.budget
    )
    assert found.warnings == [
        "The best client rate lies at an end of its range for FedAdam from a: a wider range could "
        "do better."
    ]


def test_trials_that_tie_are_told_where_half_of_them_do() -> None:
    """Of a: 2 of 4 others; of b: 1 of 3, which is usual."""
    a = [
        row("a", 0, best=True),
        *[row("a", k, tied=k < 3) for k in (1, 2, 3, 4)],
        row("a", 5, "pruned"),
    ]
    b = [row("b", 0, best=True), *[row("b", k, tied=k < 2) for k in (1, 2, 3)]]
    assert told(*a, *b).tied == (
        "The tuning could not choose: within one row of the validation part of the best trial lie "
        "those for FedAdam from a (2 of 4 others)."
    )
    again = [{**each, "search": "again", "repeat": 1} for each in a]
    assert told(*a, *again).tied == (
        "The tuning could not choose: within one row of the validation part of the best trial lie, "
        "in each tuning, those for FedAdam from a (2 of 4 others, 2 of 4 others)."
    )
    assert told(*b).tied == ""
    assert told(row("a", 0, best=True)).tied == ""
    assert told(*a).best.columns["tied"] == [2]


def test_without_trials_there_is_nothing_to_tell() -> None:
    assert trials.tuning(()) is None
