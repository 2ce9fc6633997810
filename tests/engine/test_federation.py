"""What stays in a run, and what changes from round to round."""

import torch
from tests.engine.conftest import Small

from headstart.engine.federation import begin, on_device


def test_a_run_begins_at_the_weights_of_its_start(small: Small) -> None:
    federation = small.federation(server="adam", client="scaffold")
    x = federation.network.initial(3)
    state = begin(federation, x)
    assert (state.round, state.bytes_up, state.bytes_down, state.simulated_seconds) == (0, 0, 0, 0)
    assert state.x is x
    assert (state.memories, state.pseudo_gradient) == ({}, {})
    assert [float(leaf.abs().sum()) for leaf in state.shared.values()] == [0.0] * len(state.shared)


def test_all_tensors_of_a_state_go_to_a_device(small: Small) -> None:
    federation = small.federation(server="adam", client="scaffold")
    state = begin(federation, federation.network.initial(3))
    moved = on_device(state, torch.device("meta"))
    leaves = [*moved.x.values(), *moved.server.values(), *moved.shared.values()]
    assert {leaf.device.type for leaf in leaves} == {"meta"}
    assert moved.x.keys() == state.x.keys()


def test_plans_are_those_of_the_seed(small: Small) -> None:
    one, other = small.federation(seed=1), small.federation(seed=2)
    assert one.plans is one.plans
    first, same = one.plans(1), small.federation(seed=1).plans(1)
    assert (first.clients_K == same.clients_K).all()
    assert any((one.plans(r).clients_K != other.plans(r).clients_K).any() for r in (1, 2, 3))
