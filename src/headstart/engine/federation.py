"""What stays the same in a run, and what changes from round to round."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import Compute
from headstart.engine.plan import Plans, Population, Schedule
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


def server_step(
    client: ClientOptimizer,
    server: ServerOptimizer,
    state: State,
    means: tuple[Tree, Tree],
    share: float,
    rate: float,
) -> State:
    """Take the server's step of a round.

    Args:
        client: how uploads are combined.
        server: the server optimizer.
        state: with the weights that the cohort was sent.
        means: of its updates and of its messages, weighted with p_i.
        share: of all clients, how many reported.
        rate: the server's, in this round.
    """
    delta, shared = client.combine(*means, state.shared, share)
    x, moments = server.update(delta, state.server, state.x, rate)
    return replace(
        state,
        x=trees.contiguous(x),
        server=trees.contiguous(moments),
        shared=trees.contiguous(shared),
        pseudo_gradient=trees.contiguous(delta),
    )
