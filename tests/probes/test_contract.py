"""What every registered probe keeps; a new one is tested here as soon as it is registered."""

from collections.abc import Callable

import pytest

from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Probe
from headstart.testing.probes import CONTRACT, Make

FURTHER = ["evaluation(test_rows=5)"]


@pytest.mark.parametrize("rule", CONTRACT)
@pytest.mark.parametrize("written", [*(entry.name for entry in PROBES), *FURTHER])
def test_it_keeps_the_contract(rule: Callable[[Make], None], written: str) -> None:
    def make(federation: Federation) -> Probe:
        return PROBES.build(PROBES.component(written), federation)

    rule(make)
