"""Rows that are brought to the device a cohort at a time give the bits of rows that are all
there.
"""

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.conftest import Small, one_round

from headstart.clients.base import CLIENTS
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.federation import Federation, State, begin
from headstart.engine.plan import PAD, plan
from headstart.engine.streaming import Streamed, at_hand, renumbered, width, windowed

CPU = torch.device("cpu")


def streamed(small: Small, executor: str, client: str = "sgd", **settings: Any) -> Federation:
    """The federation with its rows left on the host, which here is where the device is."""
    federation = small.federation(client=client, executor=executor, **settings)
    seen = windowed(small.task, width(small.clients, federation.schedule.cohort), CPU)
    optimizer = CLIENTS.build(CLIENTS.component(client))
    execute = EXECUTORS.build(EXECUTORS.component(executor)).compute_for(
        federation.network, seen, optimizer
    )
    return replace(federation, execute=Streamed(execute, seen.train, small.task.train))


def after(federation: Federation, rounds: int) -> State:
    state = begin(federation, federation.network.initial(1))
    for _ in range(rounds):
        state, _ = one_round(federation, state)
    return state


@pytest.mark.parametrize(
    "executor", ["loop", "stacked", "threads(workers=2)", "processes(workers=2)"]
)
@pytest.mark.parametrize("method", ["sgd(momentum=0.9)", "gd", "mimelite", "scaffold"])
def test_streamed_rows_give_the_same_bits(small: Small, executor: str, method: str) -> None:
    """Rounds in which somebody, everybody or nobody reports, batches of all rows,
    and gradients at x.
    """
    settings: dict[str, Any] = {
        "client": method,
        "cohort": 3,
        "devices": "dropped(share=0.6)",
        "seed": 4,
    }
    network = small.network(dropout=0.3)
    state = after(streamed(small, executor, network=network, **settings), rounds=8)
    expected = after(small.federation(executor=executor, network=network, **settings), rounds=8)
    assert not all(torch.equal(leaf, network.initial(1)[name]) for name, leaf in expected.x.items())
    for name in ("x", "shared", "pseudo_gradient"):
        ours, theirs = getattr(state, name), getattr(expected, name)
        assert all(torch.equal(ours[leaf], theirs[leaf]) for leaf in theirs)
    for client, memory in expected.memories.items():
        assert all(torch.equal(state.memories[client][leaf], memory[leaf]) for leaf in memory)


def test_the_rows_of_the_next_round_are_gathered_while_this_one_is_computed(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    staged: list[tuple[str, list[int]]] = []
    stage = Streamed._stage

    def seen(self: Streamed, rows_R: Any) -> None:
        staged.append((threading.current_thread().name, rows_R.tolist()))
        stage(self, rows_R)

    monkeypatch.setattr(Streamed, "_stage", seen)
    federation = streamed(small, "loop")
    after(federation, rounds=4)
    federation.execute._thread.shutdown()  # type: ignore[attr-defined]
    first, *ahead = staged
    assert first[0] == threading.current_thread().name
    assert len(ahead) == 4
    assert all(name.startswith("headstart-rows") for name, _ in ahead)
    for round_, (_, rows) in enumerate(staged, start=1):
        now = plan(federation.seed, round_, federation.clients, federation.schedule)
        assert rows == sorted(row for client in now.clients_K for row in small.clients[int(client)])


def test_a_round_that_was_not_foreseen_is_gathered_when_it_comes(small: Small) -> None:
    """As after a checkpoint, or where nobody reported in between."""
    federation, whole = streamed(small, "loop"), small.federation()
    state = begin(whole, whole.network.initial(1))
    for round_ in (3, 4, 9):
        ours, _ = one_round(federation, replace(state, round=round_))
        theirs, _ = one_round(whole, replace(state, round=round_))
        assert all(torch.equal(ours.x[name], leaf) for name, leaf in theirs.x.items())


def test_a_plan_in_the_numbers_of_its_window_means_the_same_rows(small: Small) -> None:
    federation = small.federation(cohort=5, local_epochs=2)
    now = plan(7, 1, small.clients, federation.schedule)
    rows, local = renumbered(now)
    assert len(rows) <= width(small.clients, 5) == 64  # 18 + 12 + 9 + 8 + 5 = 52
    for name in ("rows_KSB", "all_rows_KM"):
        ours, theirs = getattr(local, name), getattr(now, name)
        assert np.array_equal(ours == PAD, theirs == PAD)
        assert np.array_equal(rows[ours[ours != PAD]], theirs[theirs != PAD])
    task, same = at_hand(small.task, now, CPU)
    assert np.array_equal(same.rows_KSB, local.rows_KSB)
    assert torch.equal(task.train.inputs, small.task.train.inputs[rows])
