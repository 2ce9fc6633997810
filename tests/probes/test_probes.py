"""Probes against the definitions written out over clients."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from headstart import trees
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.plan import Population, Schedule, plan
from headstart.engine.rounds import Federation, advance, begin
from headstart.models.network import Network
from headstart.probes.base import PROBES, Moment
from headstart.probes.evaluation import evaluate
from headstart.servers.base import SERVERS
from headstart.tasks.base import Examples, Task
from headstart.tasks.next_token import next_token
from headstart.trees import Tree


def federation() -> Federation:
    draw = torch.Generator().manual_seed(5)
    examples = Examples(
        torch.randn(40, 4, generator=draw, dtype=torch.float64), torch.randint(3, (40,), generator=draw)
    )
    task = Task("small", examples, examples, Examples(examples.inputs[:13], examples.targets[:13]), 3)
    network = Network(lambda: nn.Linear(4, 3), torch.float64)
    client = CLIENTS.build(CLIENTS.component("sgd"))
    equal = DEVICES.build(DEVICES.component("equal"))
    execute = EXECUTORS.build(EXECUTORS.component("loop"), network, task, client)
    schedule = Schedule(3, 2, 4, "minibatch", "samples", equal)
    server = SERVERS.build(SERVERS.component("sgd"))
    clients = Population([np.arange(10 * i, 10 * i + 10) for i in range(4)])
    return Federation(network, task, clients, client, server, 0.1, 1.0, schedule, execute, seed=0)


def vector(tree: Tree) -> torch.Tensor:
    return torch.cat([leaf.flatten() for leaf in tree.values()])


def test_alignment_is_its_definition_over_clients() -> None:
    fed = federation()
    first, _ = advance(fed, begin(fed, fed.network.initial(0)))
    second, cohort = advance(fed, first)
    metrics = PROBES.build(PROBES.component("alignment"), fed).measure(Moment(second, first, cohort))

    deltas = []  # each client alone: its update is the mean over a cohort of one
    now = plan(fed.seed, 2, fed.clients, fed.schedule)
    for k in range(3):
        alone = type(now)(**{**vars(now), **{n: getattr(now, n)[k : k + 1] for n in vars(now) if "_K" in n}})
        alone.weights_K[:] = 1.0
        deltas.append(vector(fed.execute(first.x, {}, [{}], fed.client_rate, alone).mean_update))
    total = sum(deltas)
    pairs = [torch.cosine_similarity(a, b, dim=0) for a, b in itertools.combinations(deltas, 2)]
    assert isinstance(total, torch.Tensor)
    assert metrics["gradient_diversity"] == pytest.approx(
        float(sum(d @ d for d in deltas) / (total @ total)), rel=1e-10
    )
    assert metrics["cosine_between_clients"] == pytest.approx(float(sum(pairs) / len(pairs)), rel=1e-10)
    expected = torch.cosine_similarity(vector(first.pseudo_gradient), vector(second.pseudo_gradient), dim=0)
    assert metrics["cosine_over_time"] == pytest.approx(float(expected), rel=1e-10)


def test_evaluation_is_mean_cross_entropy_and_share_of_hits_in_any_batching() -> None:
    fed = federation()
    state = begin(fed, fed.network.initial(0))
    logits = fed.network(state.x, fed.task.test.inputs)
    loss = torch.nn.functional.cross_entropy(logits, fed.task.test.targets)
    hits = (logits.argmax(-1) == fed.task.test.targets).double().mean()
    for batch in (1, 5, 1000):
        probe = PROBES.build(PROBES.component(f"evaluation(batch={batch})"), fed)
        metrics = probe.measure(Moment(state, None, None))
        assert metrics["test_loss"] == pytest.approx(float(loss), rel=1e-12)
        assert metrics["test_accuracy"] == pytest.approx(float(hits), rel=1e-12)
        assert "local_loss" not in metrics, "nothing was trained before round 1"


def test_evaluation_of_text_weighs_tokens_and_takes_no_more_of_them_at_once() -> None:
    draw = torch.Generator().manual_seed(6)
    targets = torch.randint(4, (9, 5), generator=draw)
    targets[3] = 0
    examples, seen = Examples(torch.randint(4, (9, 5), generator=draw), targets), []

    class Watched(nn.Embedding):
        def forward(self, tokens_BT: torch.Tensor) -> torch.Tensor:
            seen.append(tokens_BT.numel())
            return super().forward(tokens_BT)

    network = Network(lambda: Watched(4, 4), torch.float64)
    x = network.initial(0)
    logits = network(x, examples.inputs)
    hits = (logits.argmax(-1) == targets)[targets != 0].double().mean()
    expected = torch.nn.functional.cross_entropy(logits.mT, targets, ignore_index=0)
    for batch, most in ((1, 5), (11, 10), (1000, 45)):
        seen.clear()
        loss, accuracy = evaluate(network, x, examples, next_token(0), batch)
        assert (loss, accuracy) == (pytest.approx(float(expected), rel=1e-12), pytest.approx(float(hits), rel=1e-12))
        assert (max(seen), sum(seen)) == (most, 45)


def test_the_train_sample_is_of_the_asked_size_and_the_same_in_every_round() -> None:
    fed = federation()
    x = fed.network.initial(0)
    everything = PROBES.build(PROBES.component("evaluation(train_rows=40)"), fed)
    whole = torch.nn.functional.cross_entropy(fed.network(x, fed.task.train.inputs), fed.task.train.targets)
    assert everything.measure(Moment(begin(fed, x), None, None))["train_loss"] == pytest.approx(float(whole), rel=1e-12)
    few = [PROBES.build(PROBES.component("evaluation(train_rows=7)"), fed) for _ in range(2)]
    losses = {probe.measure(Moment(begin(fed, x), None, None))["train_loss"] for probe in few}
    assert len(losses) == 1


def test_distance_is_to_the_last_weights() -> None:
    fed = federation()
    kept = {0: fed.network.initial(0), 1: fed.network.initial(1)}
    probe = PROBES.build(PROBES.component("distance"), fed)
    assert probe.keeps_weights
    looked = probe.look_back(kept, kept[1])
    apart = float((vector(kept[0]) - vector(kept[1])).norm())
    assert looked[0]["distance_to_final"] == pytest.approx(apart, rel=1e-12)
    assert looked[1]["distance_to_final"] == 0.0
    assert apart == pytest.approx(float(trees.norm(trees.subtract(kept[0], kept[1]))), rel=1e-12)
