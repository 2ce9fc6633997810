"""Several runs of a study as one tensor program: each equals the loop,
and its bits depend on its place alone.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.conftest import (
    METHODS,
    RELATIVE,
    Small,
    assert_equal_to_the_loop,
    distance,
    one_round,
)

from headstart import trees
from headstart.engine.executors.base import Cohort
from headstart.engine.federation import Federation, State, begin
from headstart.engine.plan import Population
from headstart.kernels.recorded import Traced
from headstart.study.rounds import advance

TOGETHER = "stacked(runs=4)"
# The sizes of the clients of a seed: other seeds have other clients, and another largest one.
CLIENTS_OF = {
    0: [1, 3, 4, 5, 8, 9, 12, 18],
    1: [2, 2, 7, 11, 13, 1, 20, 4],
    2: [6, 6, 6, 6, 6, 6, 6, 6],
}


def runs_that_differ(small: Small, executor: str, method: str) -> list[tuple[Federation, State]]:
    """Seeds, clients, rates, servers and starts of their own; two share a seed;
    clients do 0 to 10 steps.
    """
    network = small.network(dropout=0.3)
    settings: dict[str, Any] = {
        "client": method,
        "network": network,
        "local_epochs": 2,
        "cohort": 5,
    }
    settings["devices"] = "budget(seconds=0.4, spread=1.5)"
    execute, runs = None, []
    differing = [
        (2, "sgd", 0.1, 1),
        (0, "adam", 0.3, 2),
        (1, "momentum", 0.05, 3),
        (2, "adam", 0.2, 4),
    ]
    for seed, server, client_rate, start in differing:
        ends = np.cumsum(CLIENTS_OF[seed])
        clients = [
            np.arange(end - size, end) for end, size in zip(ends, CLIENTS_OF[seed], strict=True)
        ]
        keys: dict[str, Any] = {
            **settings,
            "seed": seed,
            "server": server,
            "client_rate": client_rate,
            "executor": executor,
        }
        federation = Small(small.task, Population(clients)).federation(**keys)
        execute = execute or federation.execute  # one for all, as in a study
        runs.append(
            (replace(federation, execute=execute), begin(federation, network.initial(start)))
        )
    return runs


def together(
    runs: list[tuple[Federation, State]], rounds: int, present: Sequence[int] = range(4)
) -> dict[int, tuple[State, Cohort | None]]:
    """After that many rounds, those that are `present`."""
    federations = [federation for federation, _ in runs]
    results: dict[int, tuple[State, Cohort | None]] = {i: (runs[i][1], None) for i in present}
    for _ in range(rounds):
        results = advance(federations, {i: state for i, (state, _) in results.items()})
    return results


@pytest.mark.parametrize("method", METHODS)
def test_runs_at_once_equal_the_loop(small: Small, method: str) -> None:
    """With one that takes no part, whose place stays empty."""
    results = together(runs_that_differ(small, TOGETHER, method), 3, present=(0, 1, 3))
    expected = together(runs_that_differ(small, "loop", method), 3)
    assert results.keys() == {0, 1, 3}
    for i, result in results.items():
        assert_equal_to_the_loop(result, expected[i])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("method", ["sgd(momentum=0.9)", "mimelite", "scaffold"])
def test_compiled_runs_at_once_equal_the_loop(
    small: Small, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "TOGETHER", "stacked(runs=4, compiled=True)")
    test_runs_at_once_equal_the_loop(small, method)


@pytest.mark.parametrize("method", ["sgd(momentum=0.9, weight_decay=0.01)", "mimelite", "scaffold"])
def test_the_bits_of_a_run_depend_on_its_place_alone(small: Small, method: str) -> None:
    """Not on which others take part, nor on how many steps theirs do,
    nor on whether they overflow.
    """
    runs = runs_that_differ(small, TOGETHER, method)
    whole = together(runs, 3)
    broken = [
        (replace(federation, client_rate=1e308, server_rate=1e9) if i == 0 else federation, state)
        for i, (federation, state) in enumerate(runs)
    ]
    with_one_that_diverges = together(broken, 3)
    assert not trees.is_finite(with_one_that_diverges[0][0].x)
    del with_one_that_diverges[0]
    others = [together(runs, 3, present) for present in ((1,), (2,), (3,), (0, 2), (1, 2, 3))]
    for results in (with_one_that_diverges, *others):
        for i, (state, cohort) in results.items():
            assert flat(state) == flat(whole[i][0])
            assert cohort is not None
            assert (reference := whole[i][1]) is not None
            assert torch.equal(cohort.local_loss, reference.local_loss)


def flat(state: State) -> list[tuple[str, bytes]]:
    memories = [state.memories[client] for client in sorted(state.memories)]
    held = [state.x, state.server, state.shared, state.pseudo_gradient, *memories]
    return [(name, leaf.numpy().tobytes()) for tree in held for name, leaf in tree.items()]


@pytest.mark.parametrize("fitting", [1, 2, 3])
def test_as_many_runs_at_once_as_fit(
    small: Small, fitting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four: one by one, two and two, and (as three would leave one alone) two and two again."""
    recorded: list[int] = []

    def bytes_for_some(self: Traced, x: trees.Tree, y: trees.Tree, *rest: object) -> int:
        shape = next(iter(y.values())).shape
        if len(shape) == 4:  # [R, K, out, in]
            recorded.append(shape[0])
            return shape[0] * 2**20 // fitting
        return 0

    monkeypatch.setattr(Traced, "peak_bytes", bytes_for_some)
    results = together(runs_that_differ(small, "stacked(runs=4, memory_mib=1)", "scaffold"), 2)
    expected = together(runs_that_differ(small, "loop", "scaffold"), 2)
    assert recorded == [4, fitting][: 1 if fitting == 1 else 2]
    for i, reference in expected.items():
        assert_equal_to_the_loop(results[i], reference)


def test_a_round_in_which_nobody_reports_leaves_the_others_alone(small: Small) -> None:
    """The devices of the runs are the same; which clients report is a matter of the seed."""
    keys: dict[str, Any] = {
        "cohort": 2,
        "devices": "dropped(share=0.7)",
        "network": small.network(),
    }
    ours = [small.federation(**keys, executor="stacked(runs=2)", seed=seed) for seed in (0, 1)]
    theirs = [small.federation(**keys, executor="loop", seed=seed) for seed in (0, 1)]
    ours = [replace(federation, execute=ours[0].execute) for federation in ours]
    states = {
        i: begin(federation, federation.network.initial(1)) for i, federation in enumerate(ours)
    }
    expected, kinds = dict(states), set()
    for _ in range(8):
        states = {i: state for i, (state, _) in advance(ours, states).items()}
        alone = {i: one_round(federation, expected[i]) for i, federation in enumerate(theirs)}
        expected = {i: state for i, (state, _) in alone.items()}
        kinds.add(tuple(cohort is None for _, cohort in alone.values()))
        for i, other in expected.items():
            assert distance(states[i].x, other.x) < RELATIVE
    assert {(True, False), (False, True)} <= kinds
