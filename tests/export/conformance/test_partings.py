"""Where an app parts is found, whichever of its parts is another than the recipe's."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headstart import trees
from headstart.clients.base import CLIENTS
from headstart.export.conformance.partings import Parting, Round, parting
from headstart.export.conformance.simulated import Way
from headstart.export.exchanges import Exchange
from headstart.trees import Tree

from ..conftest import Choose
from .test_simulated import simulated

AT = 1e-5


def parted(out: Path, choose: Choose, way: Way, client: str = "sgd", held: bool = False,
           message: Tree | None = None, by: str = "update") -> Parting:  # fmt: skip
    """A round whose clients work in a way, and whose weights after it are others."""
    beside = simulated(out, choose, client)
    x, exchanges = beside.states[0].x, []
    for one in beside.plan(1).clients_K:
        work = beside.work(1, int(one), way)
        reply = {"update": work.upload.update, "message": work.upload.message}
        if by == "weights":
            reply = {"arrays": trees.subtract(x, work.delta)}
        if message is not None:
            reply["message"] = message
        exchanges.append(Exchange(int(one), {"x": x}, reply))
    other = {name: leaf + 1 for name, leaf in x.items()}
    return parting(Round(1, exchanges, x, other, AT), beside, choose(client).recipe)


@pytest.mark.parametrize("by", ["update", "weights"])
def test_the_order_of_rows_is_named(by: str, out: Path, choose: Choose) -> None:
    found = parted(out, choose, Way(in_order=True), by=by)
    assert found.where == "client"
    assert "takes its rows in the order in which they lie" in found.how


def test_another_client_optimizer_is_named(out: Path, choose: Choose) -> None:
    proximal = CLIENTS.build(CLIENTS.component("gd"))
    found = parted(out, choose, Way(proximal))
    assert found.where == "client"
    assert "does the steps of 'gd', and the recipe has 'sgd'" in found.how


def test_a_message_that_is_missing_is_named(out: Path, choose: Choose) -> None:
    found = parted(out, choose, Way(), "scaffold", message={})
    assert found.where == "client"
    assert "sends another message than scaffold has" in found.how


def test_what_agrees_until_the_server_is_the_servers(out: Path, choose: Choose) -> None:
    found = parted(out, choose, Way())
    assert found.where == "server"
    assert "its step is none that Headstart knows" in found.how


def test_another_weighting_is_named(out: Path, choose: Choose) -> None:
    beside = simulated(out, choose, "sgd")
    recipe, x, exchanges, updates = choose("sgd").recipe, beside.states[0].x, [], []
    for one in beside.plan(1).clients_K:
        upload = beside.work(1, int(one)).upload
        updates.append(upload.update)
        exchanges.append(Exchange(int(one), {"x": x}, {"update": upload.update}))
    even = trees.scale(updates[0], 0.0)
    for update in updates:
        even = trees.add(even, update, 1 / len(updates))
    asked = Round(1, exchanges, x, beside.step(1, (even, {})), AT)
    assert (
        "weights clients alike, and the recipe by their rows" in parting(asked, beside, recipe).how
    )
    others = [replace(one, client=one.client + 1) for one in exchanges]
    found = parting(replace(asked, exchanges=others), beside, recipe)
    assert (found.where, "and the plan has" in found.how) == ("cohort", True)


def test_a_parting_reads_as_a_sentence() -> None:
    assert str(Parting(2, "client", "why")) == "parts in round 2, at a client's work: why"
    assert torch.isfinite(torch.tensor(AT))
