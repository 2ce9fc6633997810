"""What was measured of single clients is taken out of the rounds."""

import pyarrow as pa

from headstart.report.runs.client_values import apart
from headstart.tables import ROUNDS


def rounds(*rows: tuple[str, int, str, float]) -> pa.Table:
    return pa.Table.from_pylist(
        [dict(zip(ROUNDS.names, row, strict=True)) for row in rows], schema=ROUNDS
    )


def test_clients_are_by_run_and_the_rest_stays_in_order() -> None:
    kept = [
        ("a", 0, "test_loss", 2.0),
        ("a", 9, "client_accuracy_mean", 0.4),
        ("b", 9, "test_loss", 1.0),
    ]
    of_clients = [
        ("a", 9, "client_accuracy/0", 0.5),
        ("a", 9, "client_accuracy/12", 0.25),
        ("b", 9, "client_accuracy/12", 0.75),
    ]
    rest, found = apart(rounds(kept[0], *of_clients[:2], kept[1], of_clients[2], kept[2]))
    assert rest.equals(rounds(*kept))
    assert found == {"a": {0: 0.5, 12: 0.25}, "b": {12: 0.75}}


def test_rounds_without_clients_are_as_they_were() -> None:
    table = rounds(("a", 0, "test_loss", 2.0))
    assert apart(table) == (table, {})


def test_what_has_no_number_or_no_value_is_left_out() -> None:
    table = rounds(("a", 1, "client_accuracy/x", 0.5), ("a", 1, "client_accuracy/3", float("nan")))
    assert apart(table)[1] == {"a": {}}
