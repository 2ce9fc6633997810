"""A folder is read once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.report.judgement.reading import read
from headstart.report.runs import grid as grids
from headstart.report.runs.standings import standing


def test_every_part_is_computed_once(
    study: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = []

    def counting(start: str, *given: object) -> object:
        counted.append(start)
        return standing(start, *given)  # type: ignore[arg-type]

    monkeypatch.setattr(grids, "standing", counting)
    found = read(study("clear"))
    parts = [found.panels, found.findings, found.verdict, found.consequences, found.cautions]
    again = [found.panels, found.findings, found.verdict, found.consequences, found.cautions]
    assert all(one is other for one, other in zip(parts, again, strict=True))
    assert sorted(counted) == sorted(found.grid.starts)


def test_the_findings_are_those_of_the_panels(study: Callable[..., Path]) -> None:
    found = read(study("clear"))
    assert {id(each.panel) for each in found.findings} == set(map(id, found.panels))
    assert len(found.shown) + len(found.absent) == len(found.panels) == 9
