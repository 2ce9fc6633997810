"""What every registered client optimizer must hold; a new file in headstart/clients is held to it
at once.
"""

from collections.abc import Callable

import pytest
from tests.clients.conftest import Outcome, Quadratics

from headstart.clients.base import CLIENTS, ClientOptimizer
from headstart.parts.registry import Registry
from headstart.testing.clients import CONTRACT, stays_without_gradients
from headstart.testing.trees import assert_same

VARIANTS = [
    "sgd(momentum=0.5)",
    "sgd(momentum=0.5, weight_decay=0.1)",
    "gd(momentum=0.5)",
    "proximal(mu=0.5, momentum=0.5)",
    "nova(momentum=0.5)",
    "nova(mu=0.5)",
    "mimelite(base='adam')",
    "mimelite(base='adam', second_moment='frozen')",
]
WRITTEN = [entry.name for entry in CLIENTS] + VARIANTS
RATE, K = 0.1, 3


def build(written: str) -> ClientOptimizer:
    return CLIENTS.build(CLIENTS.component(written))


def test_the_registry_lists_the_methods_of_the_study() -> None:
    assert isinstance(CLIENTS, Registry)
    names = {entry.name for entry in CLIENTS}
    assert {"sgd", "gd", "proximal", "nova", "mimelite", "scaffold"} <= names
    for entry in CLIENTS:
        assert entry.summary.endswith("."), entry.name
        assert "arXiv" in entry.source, entry.name
        for field in entry.parameters.model_fields.values():
            assert field.description, entry.name


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("rule", CONTRACT)
def test_it_keeps_the_contract(rule: Callable[[ClientOptimizer], None], written: str) -> None:
    rule(build(written))


@pytest.mark.parametrize("written", [one for one in WRITTEN if "weight_decay" not in one])
def test_a_cohort_without_gradients_stays_at_x(written: str) -> None:
    stays_without_gradients(build(written))


@pytest.mark.parametrize("written", WRITTEN)
def test_identical_clients_never_drift_apart_and_equal_one(
    federate: Callable[..., Outcome], identical: Quadratics, alone: Quadratics, written: str
) -> None:
    client = build(written)
    three = federate(client, identical, steps=[4] * K, rate=RATE, rounds=5)
    one = federate(client, alone, steps=[4], rate=RATE, rounds=5)
    for together, single in zip(three.weights, one.weights, strict=True):
        assert_same(together, single)
    for memory in three.memories:
        assert_same(memory, three.memories[0], rtol=0)
    assert_same(three.memories[0], one.memories[0], rtol=1e-10)
