"""Where an app and the simulation part: at its start, the cohort, a client's work, or the server.

The first round whose weights differ is looked at. Until then both have the same weights, so what
the simulation's clients and server make of them is what the app's should. Where they make something
else, other methods are tried, so that the one which the app carries out has a name.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from headstart import trees
from headstart.clients.base import CLIENTS
from headstart.errors import HeadstartError
from headstart.export.conformance.simulated import Simulated, Way, mean
from headstart.export.exchanges import (
    MESSAGE,
    UPDATE,
    Exchange,
    distance,
    weights_in,
)
from headstart.export.recipe import Recipe
from headstart.servers.base import SERVERS
from headstart.trees import Tree

Where = Literal["start", "cohort", "client", "server"]

MOST_NAMES = 2
"""Methods that a line names, where the first round does not tell them apart."""

ALONG = 1 - 1e-6
"""The cosine from which on two steps point the same way, but for rounding."""


@dataclass(frozen=True)
class Parting:
    """Where an app leaves the simulation: in which round, at what, and how."""

    round: int
    where: Where
    how: str

    def __str__(self) -> str:
        what = {
            "start": "the weights that it begins with",
            "cohort": "the cohort",
            "client": "a client's work",
            "server": "the server's step",
        }
        return f"parts in round {self.round}, at {what[self.where]}: {self.how}"


@dataclass(frozen=True)
class Round:
    """A round of an app in which its weights leave the simulation's.

    Args:
        number: the round, counted from 1.
        exchanges: what it told its clients, and they told it.
        x: the weights before it, on which both agree.
        app_x: those that the app has after it.
        tolerance: the distance, relative to the weights, from which on they differ.
    """

    number: int
    exchanges: Sequence[Exchange]
    x: Tree
    app_x: Tree
    tolerance: float

    def differ(self, a: Tree, b: Tree) -> bool:
        """Whether two trees are further apart than rounding explains."""
        return not distance(a, b, self.x) <= self.tolerance


def parting(asked: Round, simulated: Simulated, recipe: Recipe) -> Parting:
    """Say where an app parts from the simulation in a round.

    Args:
        asked: the round.
        simulated: the simulation, which has done all rounds before.
        recipe: what the app should do.
    """
    if how := _of_cohort(asked, simulated):
        return Parting(asked.number, "cohort", how)
    if how := _of_work(asked, simulated, recipe):
        return Parting(asked.number, "client", how)
    return Parting(asked.number, "server", _of_server(asked, simulated, recipe))


def _of_cohort(asked: Round, simulated: Simulated) -> str:
    plan = simulated.plan(asked.number)
    planned, told = plan.clients_K.tolist(), [one.client for one in asked.exchanges]
    if sorted(told) != planned:
        return f"it was sent to clients {sorted(told)}, and the plan has {planned}"
    for one in asked.exchanges:
        if one.failure:
            return f"client {one.client} failed: {one.failure}"
    silent = {int(plan.clients_K[k]) for k in range(len(planned)) if not plan.steps_K[k]}
    for one in asked.exchanges:
        if one.client in silent and weights_in(one.reply, asked.x) is not None:
            return f"client {one.client} answered, whose device is out of the round in the plan"
    return ""


def _of_work(asked: Round, simulated: Simulated, recipe: Recipe) -> str:
    for one in _reporting(asked, simulated):
        expected = simulated.work(asked.number, one.client)
        if UPDATE in one.reply:
            came, planned = one.reply[UPDATE], expected.upload.update
            message = one.reply.get(MESSAGE, {})
            if _differs_in_names(message, expected.upload.message):
                return f"client {one.client} sends another message than {recipe.client} has"
        else:
            found = weights_in(one.reply, asked.x)
            if found is None:
                return f"client {one.client} sends no weights of the model's names and forms"
            came, planned = trees.subtract(asked.x, found), expected.delta
        if asked.differ(came, planned):
            return f"client {one.client} {_instead(asked, simulated, recipe, one.client, came)}"
        if held := _changed_held(one, simulated):
            return (
                f"client {one.client} changes {held!r}, which stays as it is (a buffer, or frozen)"
            )
    return ""


def _differs_in_names(message: Tree, expected: Tree) -> bool:
    return set(message) != set(expected)


def _changed_held(one: Exchange, simulated: Simulated) -> str:
    held = simulated.federation.network.held
    for record in one.reply.values():
        for name, leaf in held.items():
            if name in record and not torch.allclose(record[name].to(leaf.dtype), leaf):
                return name
    return ""


def _instead(asked: Round, simulated: Simulated, recipe: Recipe, client: int, came: Tree) -> str:
    """What a client does in place of what the recipe says."""
    for way, said in _ways(recipe):
        found = simulated.work(asked.number, client, way).delta
        if not asked.differ(came, found):
            return f"{said}, and the recipe has {recipe.client!r} for {recipe.local_epochs:g}"
    planned = simulated.work(asked.number, client).delta
    return (
        f"does other steps than {recipe.client!r} with the plan's batches: its change is "
        f"{_times(came, planned):.3g} times as long, at a cosine of {_cosine(came, planned):.3f}; "
        "look at the order of its rows, the batch size, the rate and the client optimizer"
    )


EPOCHS = (1, 2, 3, 4, 5, 8, 10, 20, 0.5)
"""Numbers of local epochs that are tried."""


def _ways(recipe: Recipe) -> Iterator[tuple[Way, str]]:
    """Other ways in which a client may work, each with what is said of it."""
    yield Way(in_order=True), "takes its rows in the order in which they lie"
    for entry in CLIENTS:
        try:
            optimizer = CLIENTS.build(CLIENTS.component(entry.name))
        except HeadstartError:  # one that needs parameters
            continue
        yield Way(optimizer), f"does the steps of {entry.name!r}"
        yield Way(optimizer, in_order=True), f"does the steps of {entry.name!r}, its rows in order"
    for epochs in EPOCHS:
        yield Way(local_epochs=epochs), f"trains for {epochs:g} local epochs"


def _of_server(asked: Round, simulated: Simulated, recipe: Recipe) -> str:
    reporting = list(_reporting(asked, simulated))
    works = [simulated.work(asked.number, one.client) for one in reporting]
    updates = [work.upload.update for work in works]
    messages = [work.upload.message for work in works]
    sizes = [float(simulated.federation.clients.sizes_N[one.client]) for one in reporting]
    alike = [1.0] * len(sizes)
    masses, others = (sizes, alike) if recipe.weighting == "samples" else (alike, sizes)
    means = mean(updates, masses), mean(messages, masses)
    by_others = mean(updates, others), mean(messages, others)
    if not asked.differ(asked.app_x, simulated.step(asked.number, by_others)):
        said = {"samples": "by their rows", "uniform": "alike"}
        other = "uniform" if recipe.weighting == "samples" else "samples"
        return f"it weights clients {said[other]}, and the recipe {said[recipe.weighting]}"
    change = trees.subtract(asked.x, asked.app_x)
    steps = {}
    for name in _servers():
        server = SERVERS.build(SERVERS.component(name))
        found = simulated.step(asked.number, means, server)
        if not asked.differ(asked.app_x, found):
            return f"the replies agree, and its step is that of {name!r}; {_recipes(recipe)}"
        steps[name] = trees.subtract(asked.x, found)
    rates = []
    for name, step in sorted(steps.items(), key=lambda item: ("@" in item[0], len(item[0]))):
        if _cosine(change, step) >= ALONG:
            rates.append(f"{name!r} at {_times(change, step) * recipe.server_rate:.3g}")
    like = f"that of {' or '.join(rates[:MOST_NAMES])}" if rates else "none that Headstart knows"
    return f"the replies agree, and its step is {like}; {_recipes(recipe)}"


def _recipes(recipe: Recipe) -> str:
    return f"the recipe has {recipe.server!r} at {recipe.server_rate:g}"


def _servers() -> Iterator[str]:
    """The server optimizers, each with its presets."""
    for entry in SERVERS:
        yield entry.name
        for preset in entry.presets:
            yield f"{entry.name}@{preset}"


def _reporting(asked: Round, simulated: Simulated) -> Iterator[Exchange]:
    """The exchanges with clients that do a step, in the order of the plan."""
    plan = simulated.plan(asked.number)
    reporting = {int(plan.clients_K[k]) for k in plan.reporting_clients}
    for one in sorted(asked.exchanges, key=lambda one: one.client):
        if one.client in reporting:
            yield one


def _cosine(a: Tree, b: Tree) -> float:
    """Of the angle between two steps; 0 where one of them is none."""
    lengths = float(trees.norm(a)) * float(trees.norm(b))
    return float(trees.dot(a, b)) / lengths if lengths else 0.0


def _times(a: Tree, b: Tree) -> float:
    """|a| / |b|; 0 where b is no step."""
    length = float(trees.norm(b))
    return float(trees.norm(a)) / length if length else 0.0
