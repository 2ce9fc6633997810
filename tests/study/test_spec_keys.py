"""A run is named by what its result depends on; a resolved study is the same study."""

import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.study.small_studies import BASE, load, study

from headstart.study.file.run_spec import PLACEMENT, RunSpec
from headstart.study.spec import Study
from headstart.study.tuning.search import searches


def test_a_key_is_the_same_in_another_process() -> None:
    code = (
        "from headstart.study.spec import Study; print([run.key for run in "
        f"Study(**{BASE!r}).runs])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    other = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    assert other.stdout.strip() == str([run.key for run in study().runs])


OTHER = {
    "task": "rendered-digits",
    "model": "mlp(hidden=[8])",
    "start": "proxy(epochs=1)",
    "client": "sgd(momentum=0.1)",
    "server": "adam",
    "partition": "dirichlet",
    "devices": "dropped",
    "executor": "loop",
    "weighting": "uniform",
    "evaluate_on": "validation",
    "precision": "bf16",
    "trainable": "head",
    "device": "cuda",
    "keep_weights": "both",
    "client_rate_by_round": "cosine(over=60)",
    "server_rate_by_round": "step(every=20)",
    "probes": ["evaluation"],
}


PLURAL = {
    "start": "starts",
    "client": "clients",
    "server": "servers",
    "partition": "partitions",
    "seed": "seeds",
}


PLURAL |= {"client_rate": "client_rates", "server_rate": "server_rates"}


OF_BASELINES = {"baseline": "local", "alone": 7}
"""What no key of a study file gives a run: see `headstart.study.baselines`."""


@pytest.mark.parametrize("field", [field.name for field in fields(RunSpec)])
def test_a_key_depends_on_every_field_that_the_result_depends_on(field: Any) -> None:
    (run,) = study().runs
    if field in OF_BASELINES:
        changed = replace(run, **{field: OF_BASELINES[field]})
    else:
        (changed,) = study(**{PLURAL.get(field, field): OTHER.get(field, 7)}).runs
    assert (changed.key == run.key) == (field in PLACEMENT)
    assert replace(changed, **{field: getattr(run, field)}) == run


def test_name_title_and_target_are_no_part_of_a_run() -> None:
    assert study(name="other", title="Other", target_accuracy=0.5).runs == study().runs


def test_a_resolved_study_is_a_study_file_with_the_same_runs(tmp_path: Path) -> None:
    text = """
clients: [sgd, {proximal: {mu: 0.5}}, "nova(momentum=0.5)"]
servers: [adam@torch, sgd]
partitions: dirichlet(alpha=1e-3)
target_accuracy: 0.9
title: Größer
client_rates: 1e-3
rates:
  - {client: sgd, server: {adam@torch: null}, client_rate: 1.5e-5, server_rate: 1}
also:
  - {clients: {proximal: {mu: 2}}, local_epochs: [5, 20]}
"""
    first = load(tmp_path, text)
    (tmp_path / "again.yaml").write_text(first.resolved(), encoding="utf-8")
    again = Study.load(tmp_path / "again.yaml")
    assert again.runs == first.runs
    assert [run.key for run in again.runs] == [run.key for run in first.runs]
    assert again.resolved() == first.resolved()
    assert yaml.safe_load(first.resolved())["title"] == "Größer"


@pytest.mark.parametrize(
    "tuning",
    [
        "{}",
        "{client_rate: [0.01, 1.0], server_rate: {around: 5}}",
        "{seeds: [3, 4], repeats: 2, trials: 7}",
    ],
)
def test_a_resolved_study_with_a_search_has_the_same_search(tmp_path: Path, tuning: str) -> None:
    first = load(
        tmp_path, f"tuning: {tuning}\nrates:\n  - {{client_rate: 0.1, server_rate: 0.5}}\n"
    )
    (tmp_path / "again.yaml").write_text(first.resolved(), encoding="utf-8")
    again = Study.load(tmp_path / "again.yaml")
    assert again.resolved() == first.resolved()
    assert [search.key for search in searches(again)] == [search.key for search in searches(first)]


def test_equal_studies_resolve_to_equal_text() -> None:
    row = {"client_rate": 0.1, "server_rate": 1.0}
    one = study(
        clients="proximal(mu=1)",
        also=[{"servers": "sgd"}],
        rates=[{"client": "proximal(mu=1)", **row}],
    )
    two = study(
        clients=[{"proximal": {"mu": 1.0}}],
        also=[{"servers": [{"sgd": None}]}],
        rates=[{"client": {"proximal": {"mu": 1}}, **row}],
    )
    assert one.resolved() == two.resolved()
