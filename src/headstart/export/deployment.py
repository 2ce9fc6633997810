"""A recipe made ready: what one client does in a round, and what the server does, with the code of
the simulation.

A client has its own rows alone, as tensors, and needs no other's: its batches are drawn from the
seed, the round and its number. The server never sees rows.

Shape suffix: N rows of a client.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from headstart.clients.base import CLIENTS, ClientOptimizer, Upload
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import Assignment
from headstart.engine.executors.loop import Local, accumulate, local
from headstart.engine.federation import State, server_step
from headstart.engine.plan import Schedule, cohort_of, of_clients
from headstart.engine.rate_by_round import RATES_BY_ROUND
from headstart.errors import HeadstartError
from headstart.export.recipe import Recipe
from headstart.models.network import MODELS, Network
from headstart.parts.origin import Origin, within
from headstart.servers.base import SERVERS, ServerOptimizer
from headstart.study.file.trainable import trained
from headstart.tasks.base import Examples, Pixels, Task, classification
from headstart.tasks.text.next_token import next_token
from headstart.trees import Tree

LARGEST = 2**63
"""Numbers of clients lie below this: those of nodes may have a bit more."""


class Sent(NamedTuple):
    """What a client is sent for a round: the weights, what the server sends along, what stays as
    it is, and the clients' rate.
    """

    round: int
    x: Tree
    shared: Tree
    held: Tree
    rate: float


class Contribution(NamedTuple):
    """What a client sends back: its number, how many rows it has, and what its round came to."""

    client: int
    rows: int
    upload: Upload


@dataclass(frozen=True)
class Deployment:
    """The network, the loss and both optimizers of a recipe, without any data."""

    recipe: Recipe
    network: Network
    task: Task
    client: ClientOptimizer
    server: ServerOptimizer
    schedule: Schedule

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        folder: Path,
        dtype: torch.dtype = torch.float32,
        device: str = "cpu",
        cohorts_of_plan: bool = True,
    ) -> "Deployment":
        """Make a recipe ready.

        Args:
            recipe: the recipe.
            folder: that of the app, where modules of the user's own are looked up.
            dtype: of the weights.
            device: where is computed.
            cohorts_of_plan: whether clients do as many steps as the study's simulated devices; else
                they are real ones, and do all their local epochs.
        """
        task = bare_task(recipe)
        with within(Origin(folder, ())):
            model = MODELS.component(recipe.model, "model")
            client = CLIENTS.build(CLIENTS.component(recipe.client, "client"))
            server = SERVERS.build(SERVERS.component(recipe.server, "server"))
            devices = recipe.devices if cohorts_of_plan else "equal"
            schedule = Schedule(
                cohort=recipe.cohort,
                local_epochs=recipe.local_epochs,
                batch_size=recipe.batch_size,
                batching=client.batching,
                weighting=recipe.weighting,
                devices=DEVICES.build(DEVICES.component(devices, "devices")),
            )
        network = Network(
            lambda: MODELS.build(model, task.input_shape, task.outputs),
            dtype,
            recipe.precision,
            device,
            task.prepare,
        )
        return cls(recipe, network, task, client, server, schedule)

    def parted(self, weights: Tree) -> tuple[Tree, Tree]:
        """Part the weights of a file into those that are trained and those that are held."""
        network = self.network
        free = set(trained(self.recipe.trainable, network.parameters_of(weights)))
        x: Tree = {}
        held: Tree = {}
        for name, leaf in weights.items():
            here = leaf.to(network.device, network.dtype if leaf.is_floating_point() else None)
            (x if name in free else held)[name] = here
        return x, held

    def begin(self, x: Tree) -> State:
        """Return the state before the first round."""
        return State(round=0, x=x, server=self.server.init(x), shared=self.client.shared(x))

    def sent(self, state: State, held: Tree) -> Sent:
        """Return what clients are sent in the round after a state."""
        round_ = state.round + 1
        rate = self.recipe.client_rate * _share(self.recipe.client_rate_by_round, round_)
        return Sent(round_, state.x, state.shared, held, rate)

    def cohort(self, round_: int, clients: Sequence[int]) -> list[int]:
        """Draw the cohort of a round from the clients that are there, in order."""
        there, size = sorted(clients), min(self.recipe.cohort, len(clients))
        drawn = cohort_of(self.recipe.seed, round_, len(there), size)
        return [there[int(place)] for place in drawn]

    def work(self, sent: Sent, client: int, rows: Examples, memory: Tree) -> Local | None:
        """Do what a client does in a round; None where its device is out of the round.

        Args:
            sent: what the server sent.
            client: the client's number.
            rows: its own training rows.
            memory: what it keeps; empty before its first round.
        """
        seed, number = self.recipe.seed, np.array([client % LARGEST])
        own = [np.arange(len(rows))]
        plan = of_clients(seed, sent.round, number, own, self.schedule, len(rows))
        if not plan.reporting:
            return None
        memory = memory or self.client.memory(sent.x)
        asked = Assignment(sent.x, sent.shared, [memory], sent.rate, plan, watched=False)
        network = self.network.holding(sent.held) if sent.held else self.network
        task = replace(self.task, train=rows.to(network.device))
        return local(network, task, self.client, asked, 0)

    def advance(self, state: State, answers: Sequence[Contribution], clients: int) -> State:
        """Take the server's step; without answers the weights stay as they are.

        Args:
            state: with the weights that were sent.
            answers: of those that did a step.
            clients: how many there are in all.
        """
        state = replace(state, round=state.round + 1)
        if not answers:
            return state
        masses = {}
        for answer in answers:
            masses[answer.client] = answer.rows if self.recipe.weighting == "samples" else 1.0
        total = sum(masses.values())
        update: Tree = {}
        message: Tree = {}
        for answer in sorted(answers, key=lambda one: one.client):  # the order of a plan
            weight = masses[answer.client] / total
            update = accumulate(update, answer.upload.update, weight)
            message = accumulate(message, answer.upload.message, weight)
        rate = self.recipe.server_rate * _share(self.recipe.server_rate_by_round, state.round)
        share = len(answers) / clients
        return server_step(self.client, self.server, state, (update, message), share, rate)


def bare_task(recipe: Recipe) -> Task:
    """The task of a recipe without rows: the forms of inputs and outputs, and the loss."""
    dtype = torch.uint8 if recipe.scaling else torch.float32
    none = Examples(torch.zeros((0, *recipe.input_shape), dtype=dtype), torch.zeros(0).long())
    text = recipe.loss == "next_token"
    objective = next_token(int(recipe.ignored or 0)) if text else classification
    scaling = recipe.scaling
    prepare = partial(Pixels, scaling.mean, scaling.deviation) if scaling else nn.Identity
    return Task(recipe.task, none, none, none, recipe.outputs, objective=objective, prepare=prepare)


def examples(inputs: Tensor, targets: Tensor, recipe: Recipe) -> Examples:
    """The rows of a client [N, ...], looked at.

    Raises:
        HeadstartError: they do not fit the recipe.
    """
    shape = tuple(recipe.input_shape)
    if tuple(inputs.shape[1:]) != shape or len(inputs) != len(targets) or not len(targets):
        raise HeadstartError(
            f"load_data: expected inputs [N, {', '.join(map(str, shape))}] and as many targets, "
            f"got {list(inputs.shape)} and {len(targets)} targets"
        )
    return Examples(inputs, targets)


def _share(written: str, round_: int) -> float:
    return RATES_BY_ROUND.build(RATES_BY_ROUND.component(written))(round_)
