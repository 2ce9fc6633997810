"""The accuracy of each client after the last round: that of `fairness`, client by client."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from headstart.engine.federation import Federation, begin
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES, Moment
from headstart.tasks.base import ClientRows

from .test_fairness import PREDICTED, TRUTH, measured, with_clients, with_test


def at_the_end(fed: Federation, written: str = "clients") -> dict[str, float]:
    state = begin(
        fed,
        {
            "weight": torch.eye(3, 4, dtype=torch.float64),
            "bias": torch.zeros(3, dtype=torch.float64),
        },
    )
    return PROBES.build(PROBES.component(written), fed).measure(
        Moment(state, state, None, last=True)
    )


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_a_client_of_the_source_is_measured_on_its_own_test_rows(batch: int) -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 1], [2], [0]])
    owned = replace(
        fed.task,
        owners=ClientRows(np.array([0, 2, 3, 4])),
        test_owners=np.array([7, 7, 7, 7, 9, 9, 9, 9]),
    )
    assert at_the_end(replace(fed, task=owned), f"clients(batch={batch})") == {
        "clients_on_own_rows": 1.0,
        "client_accuracy/7": 0.75,  # right, right, wrong, right
        "client_accuracy/9": 0.25,
    }


def test_a_client_that_a_partition_deals_is_measured_in_its_mix_of_labels() -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 0], [1, 2], [0, 2, 2, 2]])
    found = at_the_end(fed)
    assert found.pop("clients_on_own_rows") == 0.0
    assert list(found) == [f"client_accuracy/{k}" for k in range(3)]
    assert list(found.values()) == pytest.approx(
        [2 / 3, (1 / 2 + 1 / 3) / 2, (2 / 3 + 3 * 1 / 3) / 4]
    )
    shared = measured("fairness", fed)
    assert shared["client_accuracy_mean"] == pytest.approx(np.mean(list(found.values())))
    assert shared["client_accuracy_worst"] == min(found.values())


def test_clients_without_a_label_that_is_tested_keep_their_numbers_free() -> None:
    fed = with_clients(with_test([0, 0], [0, 1]), [[2, 2], [0, 2], [0]])
    assert at_the_end(fed) == {
        "clients_on_own_rows": 0.0,
        "client_accuracy/1": 0.5,
        "client_accuracy/2": 0.5,
    }


def test_nothing_is_measured_before_the_end() -> None:
    assert measured("clients", with_clients(with_test(TRUTH, PREDICTED), [[0], [1]])) == {}


def test_natural_clients_without_owners_of_test_rows_are_refused() -> None:
    fed = with_clients(with_test(TRUTH, PREDICTED), [[0, 0], [1, 2]])
    natural = replace(fed.task, owners=ClientRows(np.array([0, 2, 4])))
    with pytest.raises(HeadstartError, match=r"^probes: clients needs to know whose the test rows"):
        at_the_end(replace(fed, task=natural))
