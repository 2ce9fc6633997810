"""Probes against the definitions written out over clients."""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.conftest import one_round
from torch import nn

from headstart import trees
from headstart.engine.executors.base import Assignment
from headstart.engine.federation import begin
from headstart.engine.plan import plan
from headstart.models.network import Network
from headstart.probes import evaluation as module
from headstart.probes.alignment import drift_and_noise
from headstart.probes.base import PROBES, Moment, Probe
from headstart.probes.distance import sketch
from headstart.probes.evaluation import evaluate, measure
from headstart.study.rounds import Progress, do_rounds
from headstart.tasks.base import Examples
from headstart.tasks.text.next_token import next_token
from headstart.testing.probes import federation
from headstart.trees import Tree


def vector(tree: Tree) -> torch.Tensor:
    return torch.cat([leaf.flatten() for leaf in tree.values()])


def test_alignment_is_its_definition_over_clients() -> None:
    fed = federation()
    first, _ = one_round(fed, begin(fed, fed.network.initial(0)))
    second, cohort = one_round(fed, first)
    metrics = PROBES.build(PROBES.component("alignment"), fed).measure(
        Moment(second, first, cohort)
    )

    deltas = []  # each client alone: its update is the mean over a cohort of one
    now = plan(fed.seed, 2, fed.clients, fed.schedule)
    for k in range(3):
        alone = type(now)(
            **{**vars(now), **{n: getattr(now, n)[k : k + 1] for n in vars(now) if "_K" in n}}
        )
        alone.weights_K[:] = 1.0
        asked = Assignment(first.x, {}, [{}], fed.client_rate, alone)
        deltas.append(vector(fed.execute({0: asked}, 1)[0].mean_update))
    total = sum(deltas)
    pairs = [torch.cosine_similarity(a, b, dim=0) for a, b in itertools.combinations(deltas, 2)]
    assert isinstance(total, torch.Tensor)
    assert metrics["gradient_diversity"] == pytest.approx(
        float(sum(d @ d for d in deltas) / (total @ total)), rel=1e-10
    )
    assert metrics["cosine_between_clients"] == pytest.approx(
        float(sum(pairs) / len(pairs)), rel=1e-10
    )
    expected = torch.cosine_similarity(
        vector(first.pseudo_gradient), vector(second.pseudo_gradient), dim=0
    )
    assert metrics["cosine_over_time"] == pytest.approx(float(expected), rel=1e-10)

    mean = total / 3
    spread = sum(float((d - mean) @ (d - mean)) for d in deltas) / 2
    assert metrics["local_drift"] == pytest.approx(
        np.sqrt(sum(float(d @ d) for d in deltas) / 3), rel=1e-10
    )
    assert metrics["client_spread"] == pytest.approx(np.sqrt(spread), rel=1e-10)
    noise = np.sqrt((1 - 3 / 4) * spread / 3) / float(mean.norm())  # 3 of 4 clients
    assert metrics["aggregate_noise"] == pytest.approx(noise, rel=1e-10)


def test_noise_is_the_standard_deviation_of_the_mean_over_all_cohorts() -> None:
    """Cochran's theorem by listing every cohort of 3 of 6 clients:
    E[(1 - K/N) s^2 / K] = E|m - M|^2.
    """
    D = torch.randn(6, 5, generator=torch.Generator().manual_seed(2), dtype=torch.float64) + 1
    estimates, errors = [], []
    for cohort in itertools.combinations(range(6), 3):
        chosen = D[list(cohort)]
        total = float(chosen.sum(0) @ chosen.sum(0))
        metrics = drift_and_noise(float((chosen**2).sum()), total, 3, 6)
        estimates.append((metrics["aggregate_noise"] * np.sqrt(total) / 3) ** 2)
        errors.append(float(((chosen.mean(0) - D.mean(0)) ** 2).sum()))
    assert np.mean(estimates) == pytest.approx(np.mean(errors), rel=1e-12)


def test_drift_and_noise_are_two_things() -> None:
    equal = drift_and_noise(squared_norms=4 * 9.0, total_squared=16 * 9.0, count=4, population=8)
    # Far, but all the same way.
    assert equal == {"local_drift": 3.0, "client_spread": 0.0, "aggregate_noise": 0.0}
    opposed = drift_and_noise(squared_norms=2 * 1.0, total_squared=0.0, count=2, population=8)
    # They cancel: no mean to relate noise to.
    assert opposed == {"local_drift": 1.0, "client_spread": np.sqrt(2)}
    assert drift_and_noise(4.0, 4.0, 1, 8) == {"local_drift": 2.0}
    assert drift_and_noise(5.0, 6.0, 2, 2)["aggregate_noise"] == 0.0  # everybody was asked


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


def test_evaluation_tests_on_a_fixed_sample_between_the_first_and_the_last_round() -> None:
    fed = federation()
    probe = PROBES.build(PROBES.component("evaluation(test_rows=5)"), fed)
    first = begin(fed, fed.network.initial(0))
    second, cohort = one_round(fed, first)

    def tested(examples: Examples) -> tuple[float, float]:
        return evaluate(fed.network, second.x, [examples], fed.task.objective, 1024)[0]

    def measured(moment: Moment) -> tuple[float, float]:
        metrics = probe.measure(moment)
        return metrics["test_loss"], metrics["test_accuracy"]

    between = measured(Moment(second, first, cohort))
    parts = itertools.combinations(range(len(fed.task.test)), 5)
    samples = (
        Examples(fed.task.test.inputs[list(p)], fed.task.test.targets[list(p)]) for p in parts
    )
    assert any(tested(sample) == pytest.approx(between, rel=1e-12) for sample in samples)
    assert measured(Moment(second, first, cohort)) == between
    whole = pytest.approx(tested(fed.task.test), rel=1e-12)
    assert measured(Moment(second, first, cohort, last=True)) == whole != between
    assert measured(Moment(second, None, None)) == whole


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
        ((loss, accuracy),) = evaluate(network, x, [examples], next_token(0), batch)
        assert (loss, accuracy) == (
            pytest.approx(float(expected), rel=1e-12),
            pytest.approx(float(hits), rel=1e-12),
        )
        assert (max(seen), sum(seen)) == (most, 45)


def test_the_train_sample_is_of_the_asked_size_and_the_same_in_every_round() -> None:
    fed = federation()
    x = fed.network.initial(0)
    everything = PROBES.build(PROBES.component("evaluation(train_rows=40)"), fed)
    whole = torch.nn.functional.cross_entropy(
        fed.network(x, fed.task.train.inputs), fed.task.train.targets
    )
    assert everything.measure(Moment(begin(fed, x), None, None))["train_loss"] == pytest.approx(
        float(whole), rel=1e-12
    )
    few = [PROBES.build(PROBES.component("evaluation(train_rows=7)"), fed) for _ in range(2)]
    losses = {probe.measure(Moment(begin(fed, x), None, None))["train_loss"] for probe in few}
    assert len(losses) == 1


def of_three_runs(kind: str, batch: int = 1024) -> tuple[list[Probe], list[Moment]]:
    """Runs of three seeds, whose train samples differ, after a round each."""
    shared = federation()
    federations = [replace(shared, seed=seed) for seed in range(3)]
    probes = [
        PROBES.build(PROBES.component(f"{kind}(train_rows=20, batch={batch})"), fed)
        for fed in federations
    ]
    states = [begin(fed, fed.network.initial(fed.seed)) for fed in federations]
    after = [one_round(fed, state) for fed, state in zip(federations, states, strict=True)]
    return probes, [
        Moment(state, before, cohort) for (state, cohort), before in zip(after, states, strict=True)
    ]


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is evaluated alone."""
    alone: list[Any] = []
    monkeypatch.setattr(module, "evaluate", lambda *given: alone.append(given) or evaluate(*given))  # type: ignore[func-returns-value]
    return alone


def test_evaluations_of_several_runs_at_once_are_those_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    probes, moments = of_three_runs("evaluation")
    expected = [probe.measure(moment) for probe, moment in zip(probes, moments, strict=True)]
    assert len({metrics["train_loss"] for metrics in expected}) == 3
    alone = counted(monkeypatch)
    found = list(measure(probes, dict(enumerate(moments))).values())
    assert not alone
    assert [list(metrics) for metrics in found] == [list(metrics) for metrics in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-12)


def test_what_is_evaluated_of_a_run_does_not_depend_on_who_else_is_there() -> None:
    probes, moments = of_three_runs("evaluation")
    everybody = measure(probes, dict(enumerate(moments)))
    for i in range(3):
        assert measure(probes, {i: moments[i]}) == {i: everybody[i]}


@pytest.mark.parametrize(
    "reason", ["more rows than a batch", "convolutions", "samples of other sizes"]
)
def test_what_would_not_be_faster_at_once_is_evaluated_one_by_one(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 13 rows of test, 20 of train.
    probes, moments = of_three_runs("evaluation", batch=32 if "batch" in reason else 33)
    if reason == "samples of other sizes":
        probes[1] = PROBES.build(
            PROBES.component("evaluation(train_rows=19, batch=33)"), federation()
        )
    if reason == "convolutions":
        filters = {"filters": torch.zeros(1, 1, 1, 1)}
        moments = [m._replace(state=replace(m.state, x={**m.state.x, **filters})) for m in moments]
        monkeypatch.setattr(module, "evaluate", lambda *given: [(1.0, 1.0)] * 2)
    expected = [probe.measure(moment) for probe, moment in zip(probes, moments, strict=True)]
    monkeypatch.setattr(module, "_evaluate_together", None)
    assert list(measure(probes, dict(enumerate(moments))).values()) == expected


def test_other_probes_are_measured_one_by_one() -> None:
    shared = federation()
    probes = [PROBES.build(PROBES.component("alignment"), shared) for _ in range(2)]
    _, moments = of_three_runs("evaluation")
    assert measure(probes, {0: moments[0]}) == {0: probes[0].measure(moments[0])}


def test_distance_is_to_the_last_weights_in_all_and_by_layer() -> None:
    fed = federation()
    first, last = fed.network.initial(0), fed.network.initial(1)
    probe = PROBES.build(PROBES.component("distance"), fed)
    assert probe.keep is not None
    looked = dict(probe.look_back({0: probe.keep(first), 1: probe.keep(last)}, last))
    apart = float((vector(first) - vector(last)).norm())
    assert looked[0]["distance_to_final"] == pytest.approx(apart, rel=1e-12)
    assert looked[1]["distance_to_final"] == 0.0
    assert apart == pytest.approx(float(trees.norm(trees.subtract(first, last))), rel=1e-12)
    for name in first:  # nn.Linear alone: weight and bias have no layer above them
        assert looked[0][f"distance_to_final.{name}"] == pytest.approx(
            float((first[name] - last[name]).norm())
        )
    whole = PROBES.build(PROBES.component("distance(layers=False)"), fed)
    assert dict(whole.look_back({0: probe.keep(first)}, last))[0].keys() == {"distance_to_final"}


def test_a_layer_is_all_leaves_of_one_module() -> None:
    probe = PROBES.build(PROBES.component("distance"), federation())
    assert probe.keep is not None
    begun = {
        "a.b.weight": torch.tensor([3.0]),
        "a.b.bias": torch.tensor([0.0]),
        "a.c.weight": torch.tensor([7.0]),
    }
    ended = {
        "a.b.weight": torch.tensor([0.0]),
        "a.b.bias": torch.tensor([4.0]),
        "a.c.weight": torch.tensor([19.0]),
    }
    by_layer = {
        "distance_to_final": 13.0,
        "distance_to_final.a.b": 5.0,
        "distance_to_final.a.c": 12.0,
    }
    assert list(probe.look_back({0: probe.keep(begun)}, ended)) == [(0, by_layer)]


def test_a_sketch_is_linear_and_exact_for_small_leaves() -> None:
    draw = torch.Generator().manual_seed(3)
    x, y = torch.randn(2, 500, generator=draw, dtype=torch.float64)
    summed = sketch(2 * x - y, 64, 0, "w")
    assert summed.shape == (64,)
    assert summed == pytest.approx(2 * sketch(x, 64, 0, "w") - sketch(y, 64, 0, "w"), abs=1e-12)
    assert torch.equal(sketch(x, 500, 0, "w"), x)
    assert not torch.equal(sketch(x, 64, 1, "w"), sketch(x, 64, 0, "w"))
    assert not torch.equal(sketch(x, 64, 0, "v"), sketch(x, 64, 0, "w"))


@pytest.mark.parametrize("shape", ["spread", "one number", "few numbers"])
def test_a_sketch_keeps_norms_with_the_error_that_is_stated(shape: str) -> None:
    d = torch.randn(3000, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    if shape != "spread":
        d[1 if shape == "one number" else 4 :] = 0
    width, seeds = 50, 1500
    squares = np.array([float((sketch(d, width, seed, "w") ** 2).sum()) for seed in range(seeds)])
    true = float(d @ d)
    deviation = np.sqrt(2 / width * (true**2 - float((d**4).sum())))
    assert deviation <= np.sqrt(2 / width) * true
    assert squares.mean() == pytest.approx(true, abs=4 * deviation / np.sqrt(seeds) + 1e-9 * true)
    assert squares.std() == pytest.approx(deviation, rel=0.15, abs=1e-9 * true)


def test_probes_that_keep_something_do_not_meet() -> None:
    """Two of one kind in one run, with different widths: each looks back on its own."""
    fed = federation()
    probes = [
        PROBES.build(PROBES.component(f"distance(width={width})"), fed) for width in (3, 4096)
    ]
    progress = do_rounds(fed, Progress(begin(fed, fed.network.initial(0))), 4, 2, probes)
    assert set(progress.kept) == {0, 2, 4}
    rows = [row for row in progress.rows if row[1] == "distance_to_final" and row[0] == 0]
    assert len(rows) == 2
    exact = float(trees.norm(trees.subtract(fed.network.initial(0), progress.state.x)))
    assert rows[1][2] == pytest.approx(exact, rel=1e-12)
    assert rows[0][2] != rows[1][2]
    alone = do_rounds(fed, Progress(begin(fed, fed.network.initial(0))), 4, 2, probes[:1])
    assert rows[0] in alone.rows
