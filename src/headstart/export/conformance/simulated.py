"""The study's simulation beside an app: the state before each round, and what each client does."""

from dataclasses import dataclass, replace

import numpy as np
import torch

from headstart.clients.base import ClientOptimizer
from headstart.engine.devices import Ints
from headstart.engine.executors.base import Assignment
from headstart.engine.executors.loop import Local, accumulate, by_loop, local
from headstart.engine.federation import Federation, State, begin, server_step
from headstart.engine.plan import PAD, RoundPlan, of_clients
from headstart.export.recipe import Recipe
from headstart.models.network import Network
from headstart.parts.origin import Origin
from headstart.servers.base import ServerOptimizer
from headstart.study.federations import federation_of
from headstart.study.rounds import advance
from headstart.trees import Tree


@dataclass(frozen=True)
class Way:
    """How a client works: by another client optimizer, with its rows in the order in which they
    lie, or for another number of local epochs.
    """

    optimizer: ClientOptimizer | None = None
    in_order: bool = False
    local_epochs: float | None = None


AS_ASKED = Way()
"""What the recipe asks for."""


@dataclass(frozen=True)
class Simulated:
    """A federation of a recipe, and its states: `states[r]` is that after round r."""

    federation: Federation
    states: list[State]

    @classmethod
    def of(cls, recipe: Recipe, origin: Origin, weights: Tree, dtype: torch.dtype) -> "Simulated":
        """Make the federation of a recipe.

        Args:
            recipe: the recipe.
            origin: where the data of its study are.
            weights: of the whole model, that training begins with.
            dtype: in which is computed.
        """
        made = federation_of(recipe.spec(origin), weights)
        old = made.network
        network = Network(old.build, dtype, old.precision, old.device, old.prepare)
        if old.held:
            network = network.holding(old.held)
        execute = by_loop(network, made.task, made.client)
        federation = replace(made, network=network, execute=execute)
        x = {name: leaf.to(dtype) for name, leaf in weights.items() if name not in network.held}
        return cls(federation, [begin(federation, x)])

    def begun_with(self, x: Tree) -> "Simulated":
        """The same, from other weights."""
        return Simulated(self.federation, [begin(self.federation, x)])

    def plan(self, round_: int) -> RoundPlan:
        """What a round is."""
        return self.federation.plans(round_)

    def go_on(self) -> Tree:
        """Do one more round, and return its weights."""
        state, _ = advance([self.federation], {0: self.states[-1]}, watched=False)[0]
        self.states.append(state)
        return state.x

    def work(self, round_: int, client: int, way: Way = AS_ASKED) -> Local:
        """Do what a client does in a round, or would do in another way.

        Args:
            round_: the round.
            client: the client, which takes part in it.
            way: how it works.
        """
        federation, state = self.federation, self.states[round_ - 1]
        chosen = way.optimizer or federation.client
        rows = np.asarray(federation.clients[client])
        epochs = way.local_epochs or federation.schedule.local_epochs
        schedule = replace(federation.schedule, batching=chosen.batching, local_epochs=epochs)
        plan = of_clients(federation.seed, round_, np.array([client]), [rows], schedule, len(rows))
        if way.in_order:
            batch = len(rows) if chosen.batching == "full" else schedule.batch_size
            plan = _in_order(plan, rows, min(batch, len(rows)))
        shared, memory = state.shared, state.memories.get(client)
        if way.optimizer is not None:
            shared, memory = chosen.shared(state.x), None
        memory = chosen.memory(state.x) if memory is None else memory
        rate = federation.client_rate * federation.client_rate_by_round(round_)
        asked = Assignment(state.x, shared, [memory], rate, plan, watched=False)
        return local(federation.network, federation.task, chosen, asked, 0)

    def step(
        self,
        round_: int,
        means: tuple[Tree, Tree],
        server: ServerOptimizer | None = None,
    ) -> Tree:
        """The weights after a round, from the means of updates and messages.

        Args:
            round_: the round.
            means: of updates and of messages.
            server: another server optimizer, which has seen all rounds before.
        """
        federation, state = self.federation, self.states[round_ - 1]
        share = self.plan(round_).reporting / len(federation.clients)
        chosen = server or federation.server
        if server is not None:
            state = replace(state, server=self._replayed(server, round_))
        return server_step(
            federation.client, chosen, state, means, share, self._server_rate(round_)
        ).x

    def _server_rate(self, round_: int) -> float:
        return self.federation.server_rate * self.federation.server_rate_by_round(round_)

    def _replayed(self, server: ServerOptimizer, round_: int) -> Tree:
        kept = server.init(self.states[0].x)
        for before in range(1, round_):
            delta, x = self.states[before].pseudo_gradient, self.states[before - 1].x
            _, kept = server.update(delta, kept, x, self._server_rate(before))
        return kept


def mean(updates: list[Tree], masses: list[float]) -> Tree:
    """The mean of trees, in their order, weighted with masses."""
    total: Tree = {}
    for update, mass in zip(updates, masses, strict=True):
        total = accumulate(total, update, mass / sum(masses))
    return total


def _in_order(plan: RoundPlan, rows: Ints, batch: int) -> RoundPlan:
    """The plan of one client with its rows as they lie, from the first one in every epoch."""
    epoch = [rows[first : first + batch] for first in range(0, len(rows), batch)]
    rows_KSB = np.full_like(plan.rows_KSB, PAD)
    for step in range(int(plan.steps_K[0])):
        own = epoch[step % len(epoch)]
        rows_KSB[0, step, : len(own)] = own
    return replace(plan, rows_KSB=rows_KSB)
