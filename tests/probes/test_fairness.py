"""Accuracy by client and by class against values by hand and against scikit-learn."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from torch import nn

import headstart
from headstart import rng
from headstart.engine.federation import Federation, begin
from headstart.engine.plan import Population
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES, Moment
from headstart.probes.classes import by_class
from headstart.probes.fairness import spread
from headstart.report.runs.records import read
from headstart.tasks.base import ClientRows, Examples, Task
from headstart.tasks.text.next_token import next_token
from headstart.testing.probes import federation

PREDICTED = [0, 0, 1, 1, 2, 2, 0, 1]
TRUTH = [0, 0, 0, 1, 1, 2, 2, 2]
"""Of label 0 two of three are right, of label 1 one of two, of label 2 one of three."""


def with_test(labels: Any, predicted: Any, **keys: Any) -> Federation:
    """A federation whose model says `predicted` of the test rows."""
    fed = federation()
    inputs = nn.functional.one_hot(torch.tensor(predicted), 4).double()
    return replace(fed, task=replace(fed.task, test=Examples(inputs, torch.tensor(labels)), **keys))


def measured(name: str, fed: Federation) -> dict[str, float]:
    state = begin(
        fed,
        {
            "weight": torch.eye(3, 4, dtype=torch.float64),
            "bias": torch.zeros(3, dtype=torch.float64),
        },
    )
    return PROBES.build(PROBES.component(name), fed).measure(Moment(state, None, None))


def with_clients(fed: Federation, labels: list[list[int]]) -> Federation:
    """The same with training rows of these labels, client by client."""
    flat = torch.tensor([label for of_client in labels for label in of_client])
    train = Examples(torch.zeros(len(flat), 4, dtype=torch.float64), flat)
    ends = np.cumsum([0, *map(len, labels)])
    clients = Population([np.arange(a, b) for a, b in itertools.pairwise(ends)])
    return replace(fed, task=replace(fed.task, train=train), clients=clients)


def test_spread_is_its_definition() -> None:
    found = spread(np.array([0.0, 0.5, 1.0, 1.0, 1.0]))
    assert found == {
        "client_accuracy_mean": pytest.approx(0.7),
        "client_accuracy_worst": 0.0,
        "client_accuracy_p10": pytest.approx(0.2),  # at 0.4 of the way from the first to the second
        "client_accuracy_std": pytest.approx(0.4),  # sqrt((.49 + .04 + 3 * .09) / 5)
    }


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_client_of_the_source_is_measured_on_its_own_test_rows(batch: int) -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 1], [2], [0]])
    owned = replace(
        fed.task,
        owners=ClientRows(np.array([0, 2, 3, 4])),
        test_owners=np.array([7, 7, 7, 7, 9, 9, 9, 9]),
    )
    found = measured(f"fairness(batch={batch})", replace(fed, task=owned))
    assert found == {  # owner 7: right, right, wrong, right; owner 9: wrong, right, wrong, wrong
        "client_accuracy_mean": pytest.approx(0.5),
        "client_accuracy_worst": pytest.approx(0.25),
        "client_accuracy_p10": pytest.approx(0.3),
        "client_accuracy_std": pytest.approx(0.25),
    }


def test_a_client_that_a_partition_deals_is_measured_in_its_mix_of_labels() -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 0], [1, 2], [0, 2, 2, 2]])
    found = measured("fairness", fed)
    accuracy = [2 / 3, (1 / 2 + 1 / 3) / 2, (2 / 3 + 3 * 1 / 3) / 4]
    assert found == {
        "client_accuracy_mean": pytest.approx(np.mean(accuracy)),
        "client_accuracy_worst": pytest.approx(min(accuracy)),
        "client_accuracy_p10": pytest.approx(np.quantile(accuracy, 0.1)),
        "client_accuracy_std": pytest.approx(np.std(accuracy)),
    }


def test_clients_of_one_mix_all_have_the_accuracy_of_the_test_part() -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [TRUTH, TRUTH * 2])
    found = measured("fairness", fed)
    assert (found["client_accuracy_worst"], found["client_accuracy_std"]) == (
        pytest.approx(0.5),
        pytest.approx(0.0),
    )


def test_labels_without_a_test_row_are_left_out_of_a_mix() -> None:
    fed = with_clients(with_test([0, 0], [0, 1]), [[0, 2], [2, 2], [0]])
    found = measured("fairness", fed)
    assert (found["client_accuracy_mean"], found["client_accuracy_std"]) == (0.5, 0.0)


def test_owners_of_rows_that_a_partition_deals_otherwise_do_not_count() -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 0], [1, 2]])
    dealt = replace(fed.task, owners=np.array([0, 1, 0, 1]), test_owners=np.zeros(8, np.int64))
    assert measured("fairness", replace(fed, task=dealt)) == measured("fairness", fed)


def test_the_weighted_mix_is_the_accuracy_on_many_rows_drawn_in_that_mix() -> None:
    """Label shift by simulation: rows of each label are drawn alike, in the shares of a client."""
    draw = rng.generator(0, "a test of label shift")
    truth = draw.choice(3, 4000, p=[0.5, 0.3, 0.2])
    predicted = np.where(
        draw.random(4000) < np.array([0.9, 0.6, 0.3])[truth], truth, (truth + 1) % 3
    )
    fed = with_clients(with_test(truth.tolist(), predicted.tolist()), [[0] + [2] * 3])
    mix = draw.choice(3, 4000, p=[0.25, 0, 0.75])
    right = draw.random(4000) < np.array([0.9, 0.6, 0.3])[mix]
    assert measured("fairness", fed)["client_accuracy_mean"] == pytest.approx(
        right.mean(), abs=0.04
    )


def test_without_owners_of_test_rows_natural_clients_are_refused() -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 0], [1, 2]])
    natural = replace(fed.task, owners=ClientRows(np.array([0, 2, 4])))
    with pytest.raises(
        HeadstartError, match=r"^probes: fairness needs to know whose the test rows of "
    ):
        measured("fairness", replace(fed, task=natural))


def text() -> Task:
    tokens = Examples(
        torch.zeros(4, 3, dtype=torch.int64),
        torch.tensor([[1, 2, 0], [1, 0, 0], [2, 2, 1], [1, 1, 1]]),
    )
    return Task(
        "text", tokens, tokens, tokens, 3, next_token(0), owners=ClientRows(np.array([0, 2, 4]))
    )


def test_text_is_counted_by_token_and_has_no_mix_of_labels() -> None:
    class Always(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias = nn.Parameter(torch.zeros(3))

        def forward(self, inputs: Any) -> Any:
            return self.bias.expand(*inputs.shape, 3)

    fed = federation()
    task = replace(text(), test_owners=np.array([0, 0, 1, 1]))
    network = type(fed.network)(Always, torch.float64)
    fed = replace(fed, task=task, network=network, clients=Population(task.natural_clients))
    state = begin(fed, {"bias": torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)})  # says token 1
    found = PROBES.build(PROBES.component("fairness"), fed).measure(Moment(state, None, None))
    assert found["client_accuracy_worst"] == pytest.approx(2 / 3)  # of tokens 1, 2, 1
    assert found["client_accuracy_mean"] == pytest.approx((2 / 3 + 4 / 6) / 2)
    dealt = replace(fed, clients=Population([np.array([0, 3]), np.array([1, 2])]))
    for probe, of in (("fairness", dealt), ("classes", fed)):
        with pytest.raises(
            HeadstartError, match=f"^probes: {probe} needs one class as the target of each row"
        ):
            PROBES.build(PROBES.component(probe), of)


def test_by_class_is_what_it_is_by_hand() -> None:
    assert measured("classes", with_test(TRUTH, PREDICTED)) == {
        "test_balanced_accuracy": pytest.approx((2 / 3 + 1 / 2 + 1 / 3) / 3),
        "test_f1_macro": pytest.approx((2 * 2 / (3 + 3) + 2 * 1 / (2 + 3) + 2 * 1 / (3 + 2)) / 3),
    }


@pytest.mark.filterwarnings(
    "ignore:y_pred contains classes not in y_true", "ignore:A single label was found"
)
@pytest.mark.parametrize("case", range(20))
def test_by_class_is_as_in_scikit_learn(case: int) -> None:
    draw = rng.generator(case, "a test of scores by class")
    classes = int(draw.integers(2, 6))
    truth, predicted = (draw.integers(0, int(draw.integers(1, classes + 1)), 15) for _ in range(2))
    found = by_class(truth, predicted, classes)
    assert found["test_balanced_accuracy"] == pytest.approx(
        sklearn.metrics.balanced_accuracy_score(truth, predicted)
    )
    assert found["test_f1_macro"] == pytest.approx(
        sklearn.metrics.f1_score(truth, predicted, average="macro")
    )


def test_a_study_has_them_round_by_round(tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(7)
    inputs = torch.randn(160, 3, generator=draw)
    labels = (inputs[:, 0] > 0).long()
    clients = [(inputs[i:120:6], labels[i:120:6]) for i in range(6)]
    tests = [(inputs[120 + i : 160 : 6], labels[120 + i : 160 : 6]) for i in range(6)]
    study = headstart.Study(
        task=headstart.own_task(clients, tests),
        model=lambda: nn.Linear(3, 2),
        partitions=["natural", "dirichlet(alpha=1)"],
        population=6,
        probes=["evaluation", "fairness", "classes"],
        rounds=2,
        every=1,
        cohort=3,
        seeds=[0],
    )
    results = headstart.run_study(study, tmp_path / "out")
    curves = read(results.folder).curves
    for run in study.runs:
        rounds, worst = curves[run.key, "client_accuracy_worst"]
        assert rounds.tolist() == [0, 1, 2]
        assert (worst <= curves[run.key, "client_accuracy_mean"][1]).all()
    natural, accuracy = (
        curves[study.runs[0].key, name][1] for name in ("client_accuracy_mean", "test_accuracy")
    )
    sizes = np.array([len(targets) for _, targets in tests])
    assert abs(natural - accuracy).max() <= (sizes.max() - sizes.min()) / sizes.min()
