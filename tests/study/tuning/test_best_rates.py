"""The best rates on tables whose best is known."""

from typing import Any

import pyarrow as pa
import pytest
import yaml

from headstart.study.tuning.best_rates import as_rates, best_rates
from headstart.tables import RUNS


def row(
    client_rate: float, server_rate: float, accuracy: float | None, seed: int = 0, **other: Any
) -> dict[str, Any]:
    base: dict[str, Any] = {
        "start": "random", "client": "sgd", "server": "adam", "partition": "iid",
        "devices": "equal", "local_epochs": 1, "client_rate": client_rate,
        "server_rate": server_rate, "seed": seed, "test_accuracy": accuracy,
        "test_loss": None if accuracy is None else 1 - accuracy,
        "status": "diverged" if accuracy is None else "finished",
    }  # fmt: skip
    return base | other


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=RUNS)


def test_the_mean_over_seeds_decides() -> None:
    (best,) = best_rates(
        table(
            row(0.1, 1.0, 0.9),
            row(0.1, 1.0, 0.1, seed=1),
            row(0.3, 1.0, 0.6),
            row(0.3, 1.0, 0.6, seed=1),
        )
    )
    assert (best["client_rate"], best["server_rate"], best["trials"]) == (0.3, 1.0, 2)
    assert best["accuracy"] == pytest.approx(0.6)


def test_equal_accuracies_go_to_the_lower_loss() -> None:
    (best,) = best_rates(
        table(row(0.1, 1.0, 0.5, test_loss=2.0), row(0.3, 1.0, 0.5, test_loss=1.0))
    )
    assert best["client_rate"] == 0.3


def test_rates_at_which_a_run_diverged_are_not_chosen() -> None:
    (best,) = best_rates(
        table(
            row(1.0, 1.0, 0.9),
            row(1.0, 1.0, None, seed=1),
            row(0.1, 1.0, 0.4),
            row(0.1, 1.0, 0.4, seed=1),
        )
    )
    assert best["client_rate"] == 0.1
    assert best_rates(table(row(1.0, 1.0, None))) == []


def test_the_edges_of_the_range_are_named_by_axis() -> None:
    grid = [row(c, s, 0.5) for c in (0.1, 0.3, 1.0) for s in (0.1, 1.0, 10.0)]

    def edge_of(client_rate: float, server_rate: float) -> list[str]:
        (best,) = best_rates(
            table(*grid, row(client_rate, server_rate, 0.9, seed=1, test_loss=-9.0))
        )
        edge = best["edge"]
        assert isinstance(edge, list)
        return edge

    assert edge_of(0.3, 1.0) == []
    assert edge_of(1.0, 1.0) == ["client_rate"]
    assert edge_of(0.3, 0.1) == ["server_rate"]
    assert edge_of(0.1, 10.0) == ["client_rate", "server_rate"]


def test_the_rows_written_name_what_tells_cells_apart_and_read_back() -> None:
    rows = best_rates(table(row(0.1, 1.0, 0.5), row(0.3, 0.01, 0.6, start="proxy(epochs=3)")))
    written = yaml.safe_load(as_rates(rows, "validation"))["rates"]
    assert written == [
        {"start": "random", "client_rate": 0.1, "server_rate": 1.0},
        {"start": "proxy(epochs=3)", "client_rate": 0.3, "server_rate": 0.01},
    ]


def test_rates_that_were_chosen_on_the_test_part_say_so() -> None:
    rows = best_rates(table(row(0.1, 1.0, 0.5), row(0.3, 0.01, 0.6)))
    assert (
        as_rates(rows, "test")
        == "rates:\n  - {client_rate: 0.3, server_rate: 0.01, chosen_on: test}\n"
    )
    assert "chosen_on" not in as_rates(rows, "validation")


def test_runs_without_an_evaluation_have_no_best() -> None:
    assert (
        best_rates(
            table(row(0.1, 1.0, None, status="finished"), row(0.3, 1.0, None, status="finished"))
        )
        == []
    )


def test_rates_of_a_part_of_an_epoch_and_of_a_whole_one_are_written_as_in_a_study_file() -> None:
    parts = [row(0.1, 1.0, 0.5, local_epochs=0.5), row(0.3, 1.0, 0.6, local_epochs=1)]
    assert as_rates(best_rates(table(*parts)), "validation") == (
        "rates:\n"
        "  - {local_epochs: 0.5, client_rate: 0.1, server_rate: 1.0}\n"
        "  - {local_epochs: 1, client_rate: 0.3, server_rate: 1.0}\n"
    )
