"""The README of a published study, from what `findings.json` holds."""

from collections.abc import Callable
from pathlib import Path

from headstart.report.publication.folder import publish


def text_of(folder: Path, into: Path) -> str:
    return (publish(folder, into) / "README.md").read_text(encoding="utf-8")


def test_it_tells_the_verdict_the_findings_and_how_to_repeat_it(
    study: Callable[..., Path], tmp_path: Path
) -> None:
    text = text_of(study(), tmp_path / "kept")
    assert text.startswith("# Digits from a hundred clients\n")
    parts = ("Where to begin", "With what", "## The findings of the paper", "## How it was run")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    rows = [line for line in text.splitlines() if line.startswith("| ") and "|---" not in line]
    assert [row.split("|")[1].strip() for row in rows[1:10]] == [str(n) for n in range(1, 10)]
    assert "headstart run study.yaml --out out" in text


def test_names_are_text(study: Callable[..., Path], tmp_path: Path, evil: str) -> None:
    text = text_of(study(settings={"title": evil}), tmp_path / "kept")
    assert "<script>" not in text
