"""A probe of somebody's own is held to the contract, and a wrong one is found out."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headstart import trees
from headstart.engine.federation import Federation
from headstart.parts.origin import Origin, within
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.testing import probes

OWN = """
from headstart import trees
from headstart.probes.base import Probe

def length(federation, *, of: str = "x") -> Probe:
    '''How long the weights are.'''

    def measure(moment):
        return {"length": float(trees.norm(moment.state.x))}

    return Probe(measure)
"""


@pytest.fixture
def length(tmp_path: Path) -> probes.Make:
    (tmp_path / "own_probe.py").write_text(OWN)

    def make(federation: Federation) -> Probe:
        with within(Origin(tmp_path, allow=())):
            return PROBES.build(PROBES.component("own_probe:length"), federation)

    return make


@pytest.mark.parametrize("rule", probes.CONTRACT)
def test_a_probe_of_ones_own_keeps_the_contract(
    rule: Callable[[probes.Make], None], length: probes.Make
) -> None:
    rule(length)


def a_tensor(moment: Moment) -> Metrics:
    return {"length": trees.norm(moment.state.x)}  # type: ignore[dict-item]


def in_place(moment: Moment) -> Metrics:
    for leaf in moment.state.x.values():
        leaf.mul_(2)
    return {"length": float(trees.norm(moment.state.x))}


def a_draw(moment: Moment) -> Metrics:
    return {"length": float(torch.rand(()))}


def nothing(moment: Moment) -> Metrics:
    return {}


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ({"measure": a_tensor}, probes.measures_numbers),
        ({"measure": nothing}, probes.measures_numbers),
        ({"measure": in_place}, probes.changes_nothing),
        ({"measure": a_draw}, probes.is_a_function_of_the_moment),
        (
            {"keep": dict, "look_back": lambda kept, final: [(77, {"a": 1.0})]},
            probes.looks_back_at_what_it_kept,
        ),
        ({"ends_only": True}, probes.measures_the_ends_of_weights_alone),
    ],
)
def test_a_probe_that_breaks_a_rule_is_found_out(
    length: probes.Make, wrong: dict[str, object], rule: Callable[[probes.Make], None]
) -> None:
    with pytest.raises(AssertionError):
        rule(lambda federation: replace(length(federation), **wrong))  # type: ignore[arg-type]


def test_a_probe_that_measures_otherwise_than_it_asks_is_found_out() -> None:
    def make(federation: Federation) -> Probe:
        evaluation = PROBES.build(PROBES.component("evaluation"), federation)
        return replace(evaluation, measure=lambda moment: {"test_accuracy": 1.0})

    with pytest.raises(AssertionError):
        probes.answers_what_it_asks(make)
