"""`headstart list` shows what is declared, and how to write it."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import STUDY, headstart, invoke

from headstart.cli.listing import registries
from headstart.errors import HeadstartError
from headstart.parts import own_modules
from headstart.parts.validation import describe

KINDS = [
    "starts",
    "clients",
    "servers",
    "models",
    "tasks",
    "tokens",
    "partitions",
    "devices",
    "executors",
    "probes",
]


KINDS += ["rates-by-round"]


ENTRIES = [(kind, entry) for kind in KINDS for entry in registries()[kind]]


IDS = [f"{kind}-{entry.name}" for kind, entry in ENTRIES]


def test_the_kinds_are_those_of_a_study() -> None:
    assert list(registries()) == KINDS
    assert all(list(registry) for registry in registries().values())


@pytest.mark.parametrize(("kind", "entry"), ENTRIES, ids=IDS)
def test_every_entry_says_what_it_is_and_on_what_it_stands(kind: Any, entry: Any) -> None:
    assert re.fullmatch(r"[a-z0-9]+([-_][a-z0-9]+)*", entry.name)
    assert len(entry.source) > 10
    assert entry.summary.endswith(".")
    for name, info in entry.parameters.model_fields.items():
        assert info.description, f"{kind} {entry.name}: describe {name}"
        assert "a mapping" not in describe(info), (
            f"{kind} {entry.name}: {name} has a type that cannot be described"
        )


@pytest.mark.parametrize(("kind", "entry"), ENTRIES, ids=IDS)
def test_every_preset_fits_its_parameters(kind: Any, entry: Any) -> None:
    for preset in entry.presets:
        component = registries()[kind].component(f"{entry.name}@{preset}")
        values = dict(component.parameters)
        assert {key: values[key] for key in entry.presets[preset]} == dict(entry.presets[preset])


@pytest.mark.parametrize("kind", KINDS)
def test_list_shows_all_that_is_declared(kind: Any) -> None:
    result = invoke("list", kind)
    assert result.exit_code == 0
    shown = " ".join(result.stdout.split())
    for entry in registries()[kind]:
        assert f"{entry.name} {' '.join(entry.summary.split())} source: {entry.source}" in shown
        for name, info in entry.parameters.model_fields.items():
            default = "required" if info.is_required() else f"default {info.default!r}"
            assert f"{name}: {describe(info)}, {default}. {info.description}" in shown
        for preset in entry.presets:
            assert f"@{preset}: " in shown


def test_list_shows_all_kinds() -> None:
    lines = invoke("list").stdout.splitlines()
    assert [line for line in lines if line in KINDS] == KINDS


def test_list_of_an_unknown_kind_offers_the_nearest() -> None:
    result = invoke("list", "client")
    assert isinstance(result.exception, HeadstartError)
    assert str(result.exception) == "unknown kind 'client'; did you mean 'clients'?"


def test_list_says_what_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_modules, "_faults", {"others 1.0": "others.parts: cannot import"})
    result = invoke("list", "servers")
    assert "note: parts of others 1.0 cannot be used (others.parts: cannot import)" in result.output
    assert result.exit_code == 0


PACKAGE = """
from headstart.clients.base import CLIENTS, ClientOptimizer
from headstart.clients.sgd import sgd


@CLIENTS.register("theirs", source="an installed package of this test")
def theirs() -> ClientOptimizer:
    \"""The client optimizer of a package.\"""
    return sgd()


def unregistered() -> ClientOptimizer:
    return sgd()
"""


@pytest.mark.slow
def test_the_parts_of_an_installed_package_are_listed_and_named(file: Path, tmp_path: Path) -> None:
    """With files as pip writes them; nothing of the package is beside the study."""
    installed = tmp_path / "installed"
    (installed / "their_package").mkdir(parents=True)
    (installed / "their_package" / "__init__.py").touch()
    (installed / "their_package" / "parts.py").write_text(PACKAGE)
    metadata = installed / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[headstart]\nparts = their_package.parts\n")
    path = os.pathsep.join([str(installed), os.environ.get("PYTHONPATH", "")])
    listed = headstart("list", "clients", env={**os.environ, "PYTHONPATH": path})
    assert (
        "theirs  The client optimizer of a package.\n    source: an installed package"
        in listed.stdout
    )
    assert "    installed with: theirs 1.0\n" in listed.stdout
    for name in ("theirs", "their_package.parts:unregistered"):
        file.write_text(
            STUDY.replace("[sgd, proximal(mu=0.5)]", name).replace("cohort: 3", "cohort: 99")
        )
        ended = headstart("check", file, env={**os.environ, "PYTHONPATH": path})
        # So its parts were read.
        assert "cohort: expected at most the number of clients" in ended.stderr
