"""Which row of `rates:` a run takes its rates from, and that many rows cost no more than few."""

import sys
from typing import Any

from headstart.study.spec import Study

GRID = {"task": "digits", "model": "mlp", "seeds": [0], "starts": ["random", "proxy"]}


def rates(**keys: Any) -> Any:
    return {
        (str(run.client), run.local_epochs): run.client_rate for run in Study(**GRID, **keys).grid
    }


def test_the_first_row_that_matches_wins_whatever_it_asks_for() -> None:
    rows = [
        {"client": "proximal(mu=1)", "local_epochs": 2, "client_rate": 0.1, "server_rate": 1.0},
        {"client": "proximal", "client_rate": 0.2, "server_rate": 1.0},
        {"local_epochs": 2, "trainable": "all", "client_rate": 0.3, "server_rate": 1.0},
        {"client_rate": 0.4, "server_rate": 1.0},
    ]
    assert rates(clients=["sgd", "proximal(mu=1)", "proximal(mu=2)"], local_epochs=[1, 2],
                 rates=rows) == {
        ("sgd", 1): 0.4, ("sgd", 2): 0.3,
        ("proximal(mu=1.0)", 1): 0.2, ("proximal(mu=1.0)", 2): 0.1,
        ("proximal(mu=2.0)", 1): 0.2, ("proximal(mu=2.0)", 2): 0.2,
    }  # fmt: skip


def test_a_row_asks_for_a_part_of_an_epoch() -> None:
    rows = [{"local_epochs": e, "client_rate": e / 10, "server_rate": 1.0} for e in (0.5, 1.0)]
    found = rates(local_epochs=[0.5, 1, 1.5], rates=rows)
    assert found == {("sgd", 0.5): 0.05, ("sgd", 1): 0.1, ("sgd", 1.5): 0.1}


def test_a_thousand_rows_are_found_as_quickly_as_ten() -> None:
    """The work is counted in events of Python's profiler, as seconds would depend on what else the
    machine does.
    """

    def work(count: Any) -> Any:
        rows = [
            {"local_epochs": e, "client_rate": 0.1, "server_rate": 1.0} for e in range(1, count + 1)
        ]
        events = 0

        def one_more(*_: Any) -> None:
            nonlocal events
            events += 1

        sys.setprofile(one_more)
        try:
            found = rates(local_epochs=list(range(1, count + 1)), rates=rows)
        finally:
            sys.setprofile(None)
        assert len(found) == count
        return events

    work(10)
    assert work(1000) < 5 * work(250)  # four times as many runs; it was sixteen times the work
