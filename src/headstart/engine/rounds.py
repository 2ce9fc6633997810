"""The rounds of a run: FedOpt (arXiv 2003.00295, Algorithm 1) over a plan, an executor and a pair
of optimizers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import Assignment, Cohort, Compute
from headstart.engine.plan import Plans, Population, RoundPlan, Schedule
from headstart.engine.rate_by_round import RateByRound, constant
from headstart.models.network import Network
from headstart.servers.base import ServerOptimizer
from headstart.tasks.base import Task
from headstart.trees import Tree


@dataclass(frozen=True)
class Federation:
    """What stays the same in a run."""

    network: Network
    task: Task
    clients: Population
    client: ClientOptimizer
    server: ServerOptimizer
    client_rate: float
    server_rate: float
    schedule: Schedule
    execute: Compute
    seed: int
    client_rate_by_round: RateByRound = constant()  # noqa: RUF009 - a function
    server_rate_by_round: RateByRound = constant()  # noqa: RUF009

    @cached_property
    def plans(self) -> Plans:
        """What the rounds are."""
        return Plans(self.seed, self.clients, self.schedule)


@dataclass(frozen=True)
class State:
    """What changes from round to round, and all that a resumed run needs.

    `memories` holds what clients that took part keep; `pseudo_gradient` is that of the last round
    (empty before the first). Bytes and simulated seconds are totals since the start. Every tensor
    is contiguous, as it is after a checkpoint is read, so that a resumed run goes on to the same
    bits.
    """

    round: int
    x: Tree
    server: Tree
    shared: Tree
    memories: Mapping[int, Tree] = field(default_factory=dict)
    pseudo_gradient: Tree = field(default_factory=dict)
    bytes_up: int = 0
    bytes_down: int = 0
    simulated_seconds: float = 0.0


def on_device(state: State, device: torch.device) -> State:
    """The state with its tensors on a device, for example after it was read from a file."""
    trees_of = {
        name: trees.to(getattr(state, name), device)
        for name in ("x", "server", "shared", "pseudo_gradient")
    }
    memories = {client: trees.to(memory, device) for client, memory in state.memories.items()}
    return replace(state, **trees_of, memories=memories)  # type: ignore[arg-type]


def begin(federation: Federation, x: Tree) -> State:
    """The state before the first round, from the weights of a start."""
    return State(round=0, x=x, server=federation.server.init(x), shared=federation.client.shared(x))


def advance(
    federations: Sequence[Federation], states: Mapping[int, State], watched: bool = True
) -> dict[int, tuple[State, Cohort | None]]:
    """Do one round of every run that has a state here, computed at once where the executor can.

    A cohort is None where no client reported; the weights then stay as they are. Each run keeps its
    place among the federations from round to round; what comes of it does not depend on which of
    the others take part.

    Args:
        federations: one for each place; they share task, network, client optimizer, schedule and
            executor.
        states: those of the runs that take part, by their places.
        watched: whether a probe will look at the cohorts; else their alignment is left out.
    """
    widest = max(federation.clients.widest for federation in federations)
    plans = _plans(federations, states, widest)
    assignments = {}
    for place, now in plans.items():
        if now.reporting:
            assignments[place] = _assignment(
                federations[place], states[place], now, watched, widest
            )
    cohorts = federations[0].execute(assignments, len(federations)) if assignments else {}
    results = {}
    for place, now in plans.items():
        cohort = cohorts.get(place)
        results[place] = _after(federations[place], states[place], now, cohort), cohort
    return results


def _plans(
    federations: Sequence[Federation], states: Mapping[int, State], widest: int
) -> dict[int, RoundPlan]:
    """Runs with the same seed and clients have the same round; all are padded to `widest` rows."""
    drawn: dict[tuple[int, int, int], RoundPlan] = {}
    plans = {}
    for place, state in states.items():
        federation, round_ = federations[place], state.round + 1
        known = federation.seed, id(federation.clients), round_
        if known not in drawn:
            drawn[known] = federation.plans(round_, widest)
        plans[place] = drawn[known]
    return plans


def _assignment(
    federation: Federation, state: State, now: RoundPlan, watched: bool, widest: int
) -> Assignment:
    fresh = federation.client.memory(state.x)
    memories = [state.memories.get(int(client), fresh) for client in now.clients_K]
    rate = federation.client_rate * federation.client_rate_by_round(now.round)

    def upcoming() -> RoundPlan:
        return federation.plans(now.round + 1, widest)

    return Assignment(state.x, state.shared, memories, rate, now, watched, upcoming)


def _after(federation: Federation, state: State, now: RoundPlan, cohort: Cohort | None) -> State:
    bytes_down = len(now.clients_K) * (
        trees.size_in_bytes(state.x) + trees.size_in_bytes(state.shared)
    )
    state = replace(
        state,
        round=now.round,
        bytes_down=state.bytes_down + bytes_down,
        simulated_seconds=state.simulated_seconds + now.seconds,
    )
    if cohort is None:
        return state
    share = now.reporting / len(federation.clients)
    rate = federation.server_rate * federation.server_rate_by_round(now.round)
    delta, shared = federation.client.combine(
        cohort.mean_update, cohort.mean_message, state.shared, share
    )
    x, server = federation.server.update(delta, state.server, state.x, rate)
    keeps = any(cohort.memories)
    met = {}
    for client, kept in zip(now.clients_K, cohort.memories, strict=True):
        met[int(client)] = trees.contiguous(kept)
    upload = trees.size_in_bytes(cohort.mean_update) + trees.size_in_bytes(cohort.mean_message)
    return replace(
        state,
        x=trees.contiguous(x),
        server=trees.contiguous(server),
        shared=trees.contiguous(shared),
        memories={**state.memories, **met} if keeps else state.memories,
        pseudo_gradient=trees.contiguous(delta),
        bytes_up=state.bytes_up + now.reporting * upload,
    )
