"""The commands beside a study: what they print, and what they refuse."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import invoke


def test_a_partition_is_measured_in_words_and_in_json() -> None:
    options = ("--task", "digits", "--partition", "iid", "--population", "7")
    assert "7 clients" in invoke("inspect", *options).stdout
    found = json.loads(invoke("inspect", *options, "--json").stdout)
    assert found["partition"] == "digits, iid"


@pytest.mark.parametrize("options", [(), ("study.yaml", "--task", "digits")])
def test_a_file_or_a_task_is_inspected(options: tuple[str, ...]) -> None:
    found = invoke("inspect", *options)
    assert str(found.exception) == "expected a study file or --task, and not both"


def test_a_precision_that_is_none_is_refused() -> None:
    found = invoke("bench", "digits-mlp", "--precision", "fp8")
    assert str(found.exception) == "--precision: expected one of fp32, bf16, got 'fp8'"


def test_a_first_study_is_written_for_a_table(tmp_path: Path) -> None:
    rows = ["site,size,label", *(f"s{i % 4},{i % 7}.5,{'ab'[i % 2]}" for i in range(80))]
    (tmp_path / "t.csv").write_text("\n".join(rows))
    out = tmp_path / "study.yaml"
    found = invoke("init", tmp_path / "t.csv", "--out", out)
    assert found.exit_code == 0
    assert f"study: {out}" in found.stdout
    assert "client: site" in out.read_text()
