"""The rounds of a run: FedOpt (arXiv 2003.00295, Algorithm 1) over a plan, an executor and a pair of optimizers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import Cohort, Executor
from headstart.engine.plan import Population, Schedule, plan
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
    execute: Executor
    seed: int


@dataclass(frozen=True)
class State:
    """What changes from round to round, and all that a resumed run needs.

    `memories` holds what clients that took part keep; `pseudo_gradient` is that of the last round (empty before the
    first). Bytes and simulated seconds are totals since the start. Every tensor is contiguous, as it is after a
    checkpoint is read, so that a resumed run goes on to the same bits.
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
    trees_of = {name: trees.to(getattr(state, name), device) for name in ("x", "server", "shared", "pseudo_gradient")}
    memories = {client: trees.to(memory, device) for client, memory in state.memories.items()}
    return replace(state, **trees_of, memories=memories)  # type: ignore[arg-type]


def begin(federation: Federation, x: Tree) -> State:
    """The state before the first round, from the weights of a start."""
    return State(round=0, x=x, server=federation.server.init(x), shared=federation.client.shared(x))


def advance(federation: Federation, state: State, watched: bool = True) -> tuple[State, Cohort | None]:
    """One round. The cohort is None where no client reported; the weights then stay as they are.

    `watched`: whether a probe will look at the cohort; else its alignment is left out.
    """
    now = plan(federation.seed, state.round + 1, federation.clients, federation.schedule)
    bytes_down = len(now.clients_K) * (trees.size_in_bytes(state.x) + trees.size_in_bytes(state.shared))
    state = replace(
        state,
        round=now.round,
        bytes_down=state.bytes_down + bytes_down,
        simulated_seconds=state.simulated_seconds + now.seconds,
    )
    if now.reporting == 0:
        return state, None

    ids = [int(client) for client in now.clients_K]
    fresh = federation.client.memory(state.x)
    memories = [state.memories.get(client, fresh) for client in ids]
    cohort = federation.execute(state.x, state.shared, memories, federation.client_rate, now, watched)
    share = now.reporting / len(federation.clients)
    delta, shared = federation.client.combine(cohort.mean_update, cohort.mean_message, state.shared, share)
    x, server = federation.server.update(delta, state.server, state.x, federation.server_rate)
    met = dict(zip(ids, map(trees.contiguous, cohort.memories), strict=True)) if fresh else {}
    upload = trees.size_in_bytes(cohort.mean_update) + trees.size_in_bytes(cohort.mean_message)
    after = replace(
        state,
        x=trees.contiguous(x),
        server=trees.contiguous(server),
        shared=trees.contiguous(shared),
        memories={**state.memories, **met},
        pseudo_gradient=trees.contiguous(delta),
        bytes_up=state.bytes_up + now.reporting * upload,
    )
    return after, cohort
