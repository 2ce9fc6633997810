"""Clients over forked processes: the bits of threads, whoever computes them,
and one line where they cannot go on.
"""

import gc
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.conftest import Small, one_round
from torch import nn

from headstart import rng, trees
from headstart.child_processes import cannot_fork
from headstart.clients.base import CLIENTS
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.federation import Federation, State, begin
from headstart.engine.plan import Population
from headstart.errors import HeadstartError
from headstart.kernels.recorded import Recorded, RecordingError, Traced
from headstart.models.network import Network
from headstart.tasks.base import Examples, Task

CPU = torch.device("cpu")
pytestmark = pytest.mark.skipif(
    bool(cannot_fork("cpu")), reason=f"this machine {cannot_fork('cpu')}"
)


def after(federation: Federation, rounds: int) -> State:
    state = begin(federation, federation.network.initial(1))
    for _ in range(rounds):
        state, _ = one_round(federation, state)
    return state


@pytest.fixture(scope="module")
def images() -> Small:
    """Images, whose filters are laid out with channels last, in clients of 2 to 9 rows."""
    draw = rng.torch_generator(0, "images")
    rows = Examples(
        torch.randn(44, 3, 6, 6, generator=draw), torch.randint(4, (44,), generator=draw)
    )
    ends = np.cumsum(range(2, 10))
    clients = [np.arange(end - size, end) for end, size in zip(ends, range(2, 10), strict=True)]
    return Small(Task("images", rows, rows, rows, 4), Population(clients))


def convolutional() -> Network:
    return Network(
        lambda: nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(0.3), nn.Flatten(), nn.Linear(64, 4)
        ),
        torch.float32,
    )


@pytest.mark.parametrize("method", ["sgd(momentum=0.9)", "mimelite", "scaffold"])
@pytest.mark.parametrize("watched", [True, False])
def test_they_give_the_bits_of_threads_however_many_they_are(
    images: Small, method: str, watched: bool
) -> None:
    """Scaffold's clients keep something, mimelite's get something from the server;
    some rounds nobody watches.
    """
    states = []
    for executor in ("threads(workers=1)", "processes(workers=1)", "processes(workers=3)"):
        federation = images.federation(
            client=method, executor=executor, network=convolutional(), cohort=6
        )
        state = begin(federation, federation.network.initial(1))
        for _ in range(3):
            state, cohort = one_round(federation, state, watched=watched)
            assert cohort is not None
            assert (cohort.alignment is not None) == watched
        states.append(state)
    for state in states[1:]:
        for name in ("x", "shared", "pseudo_gradient"):
            ours, theirs = getattr(state, name), getattr(states[0], name)
            assert all(torch.equal(ours[leaf], theirs[leaf]) for leaf in theirs)
        for client, memory in states[0].memories.items():
            assert all(torch.equal(state.memories[client][leaf], memory[leaf]) for leaf in memory)


@pytest.mark.parametrize("method", ["sgd", "mimelite", "scaffold"])
def test_what_all_compute_is_recorded_before_they_are_forked(
    images: Small, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, recorded, record = os.getpid(), [], Traced._record

    def noted(*given: Any) -> Recorded:
        recorded.append(given)
        assert os.getpid() == ours, "a process of the crew records"
        return record(*given)

    monkeypatch.setattr(Traced, "_record", noted)
    federation = images.federation(
        client=method, executor="processes(workers=2)", network=convolutional(), cohort=8
    )
    state = begin(federation, federation.network.initial(1))
    for watched in (False, True, False):
        state, _ = one_round(federation, state, watched=watched)
    assert recorded


def test_what_a_round_returned_stays_when_the_next_is_computed(small: Small) -> None:
    federation = small.federation(executor="processes(workers=2)")
    state, first = one_round(federation, begin(federation, federation.network.initial(1)))
    assert first is not None
    kept = trees.map_tree(torch.clone, first.mean_update)
    one_round(federation, state)
    assert all(torch.equal(first.mean_update[name], leaf) for name, leaf in kept.items())


def test_they_end_when_nobody_has_the_executor_any_more(small: Small) -> None:
    before = set(multiprocessing.active_children())
    federation = small.federation(executor="processes(workers=2)")
    after(federation, 1)
    crew = set(multiprocessing.active_children()) - before
    assert len(crew) == 2
    del federation
    gc.collect()
    assert not crew & set(multiprocessing.active_children())


def test_one_that_is_killed_is_said_in_one_line_and_the_next_round_begins_anew(
    small: Small,
) -> None:
    before = set(multiprocessing.active_children())
    federation = small.federation(executor="processes(workers=2)")
    state = after(federation, 1)
    for member in set(multiprocessing.active_children()) - before:
        assert member.pid is not None
        os.kill(member.pid, signal.SIGKILL)
    with pytest.raises(
        HeadstartError, match=r"'processes' ended with exit code -9 .*workers=N"
    ) as refused:
        one_round(federation, state)
    assert "\n" not in str(refused.value)
    again, _ = one_round(federation, state)
    expected = after(small.federation(executor="threads"), 2)
    assert all(torch.equal(again.x[name], leaf) for name, leaf in expected.x.items())


def test_what_is_raised_in_a_process_is_raised_here(small: Small) -> None:
    """While a step is recorded, and while it is replayed, each time as one line."""

    def failing(outputs: torch.Tensor, targets: torch.Tensor) -> None:
        raise ValueError("no such loss")

    before = set(multiprocessing.active_children())
    broken = Small(replace(small.task, objective=failing), small.clients)  # type: ignore[arg-type]
    with pytest.raises(HeadstartError, match="no such loss"):
        after(broken.federation(executor="processes(workers=2)"), 1)
    astray = Small(small.task, Population([np.array([1000, 1001])] * 8))
    with pytest.raises(
        RecordingError, match=r"cannot be replayed \(index 1000 is out of bounds.*\)$"
    ):
        after(astray.federation(executor="processes(workers=2)"), 1)
    assert not set(multiprocessing.active_children()) - before


def test_they_end_with_the_process_that_forked_them() -> None:
    """Even when that is killed, and can tell nobody."""
    script = """
import multiprocessing, os, signal, sys
from headstart.engine.federation import begin
from headstart.study.rounds import advance
from headstart.tools.benchmark import JOBS, federation_of
federation = federation_of(JOBS["digits-mlp"], "processes(workers=2)", "fp32")
advance([federation], {0: begin(federation, federation.network.initial(0))})
print(*[member.pid for member in multiprocessing.active_children()], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    members = [int(pid) for pid in killed.stdout.split()]
    assert len(members) == 2
    assert all(_ends(pid) for pid in members)


def _ends(pid: int, seconds: float = 20.0) -> bool:
    """Whether a process is gone, or dead and not yet waited for, before long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                if stat.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.05)
    return False


def test_another_device_is_refused_in_one_line(small: Small) -> None:
    network = Network(lambda: nn.Linear(5, 3), device=torch.device("meta"))
    sgd = CLIENTS.build(CLIENTS.component("sgd"))
    with pytest.raises(
        HeadstartError,
        match="'processes' computes on the CPU, and the device is meta; use 'stacked'",
    ):
        EXECUTORS.build(EXECUTORS.component("processes")).compute_for(network, small.task, sgd)
