"""The presets: every finding on every task at every scale is a valid study of the right grid, and runs at toy scale."""

import os
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from headstart import cli
from headstart.errors import HeadstartError
from headstart.study.paper import ALL, FINDINGS, SCALES, TASKS, study_text
from headstart.study.runner import check
from headstart.study.spec import Study

NAMES = [*FINDINGS, ALL]


def preset(finding: str, task: str = "digits", scale: str = "toy") -> Study:
    return Study(**yaml.safe_load(study_text(finding, task, scale)))


@pytest.mark.parametrize("finding", NAMES)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_preset_names_two_starts_and_the_partition_of_its_task(finding: str, task: str, scale: str) -> None:
    keys = yaml.safe_load(study_text(finding, task, scale))
    assert len(keys["starts"]) == 2
    assert keys["starts"][0] == "random"
    assert keys["partitions"] == TASKS[task].partition
    assert len(keys["seeds"]) >= 2


def pairs(study: Study) -> set[tuple[str, str]]:
    return {(run.client.name, run.server.name) for run in study.runs}


def test_the_ranking_has_the_nine_pairs_of_the_paper() -> None:
    servers = ("sgd", "momentum", "adam")
    assert pairs(preset("ranking")) == {(c, s) for c in ("sgd", "proximal", "mimelite") for s in servers}


def test_each_finding_varies_its_own_axis() -> None:
    assert {run.partition.name for run in preset("iid-gap").runs} == {"dirichlet", "iid"}
    assert {run.local_epochs for run in preset("local-epochs").runs} == {1, 5, 10, 20}
    assert {run.devices.name for run in preset("devices").runs} == {"equal", "uneven-epochs"}
    assert "nova" in {run.client.name for run in preset("devices").runs}
    assert pairs(preset("gd-vs-sgd")) == {("sgd", "adam"), ("gd", "adam")}
    assert {probe.name for probe in preset("alignment").probes} >= {"alignment", "distance"}
    assert {run.rounds for run in preset("initial-loss", scale="full").runs} == {1}
    assert preset("initial-loss").file.tuning is None


def test_all_holds_the_runs_of_every_finding() -> None:
    everything = {(str(r.start), r.client, r.server, r.partition, r.devices, r.local_epochs) for r in preset(ALL).runs}
    for finding in FINDINGS:
        for r in preset(finding).runs:
            assert (str(r.start), r.client, r.server, r.partition, r.devices, r.local_epochs) in everything


def test_full_is_the_protocol_of_the_paper() -> None:
    cifar = yaml.safe_load(study_text("ranking", "cifar10", "full"))
    assert (cifar["rounds"], cifar["cohort"], cifar["batch_size"], cifar["population"]) == (1000, 10, 32, 100)
    assert cifar["seeds"] == [0, 1, 2]
    writers = yaml.safe_load(study_text("ranking", "mnist-writers", "full"))
    assert (writers["rounds"], writers["cohort"], writers["batch_size"]) == (1082, 5, 10)


def test_unknown_names_are_offered_the_nearest() -> None:
    for names, message in (
        (("rankng", "digits", "toy"), "unknown finding 'rankng'; did you mean 'ranking'"),
        (("ranking", "cifar", "toy"), "unknown task 'cifar'; did you mean 'cifar10'"),
        (("ranking", "digits", "ful"), "unknown scale 'ful'; did you mean 'full'"),
    ):
        with pytest.raises(HeadstartError, match=message):
            study_text(*names)


def test_a_file_that_was_edited_is_run_as_it_stands(tmp_path: Path) -> None:
    command = ["paper", "initial-loss", "--task", "digits", "--scale", "toy", "--out", str(tmp_path / "out")]
    assert CliRunner().invoke(cli.app, [*command, "--write-only"]).exit_code == 0
    path = tmp_path / "out" / "paper.yaml"
    assert path.read_text() == study_text("initial-loss", "digits", "toy")
    path.write_text(path.read_text().replace("clients: sgd", "clients: gd"))
    result = CliRunner().invoke(cli.app, [*command, "--jobs", "1"])
    assert result.exit_code == 0, result.exception
    assert "it is run as it stands" in result.stdout
    assert "- gd" in (tmp_path / "out" / "study.yaml").read_text()
    assert (tmp_path / "out" / "report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize("finding", ["iid-gap", ALL])
def test_presets_run_at_toy_scale(finding: str, tmp_path: Path) -> None:
    command = ["paper", finding, "--task", "digits", "--scale", "toy", "--out", str(tmp_path), "--jobs", "1"]
    result = CliRunner().invoke(cli.app, command)
    assert result.exit_code == 0, result.exception
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "each got the same" in page


NEEDS_FILES = pytest.mark.skipif("HEADSTART_DATA" not in os.environ, reason="needs the files of $HEADSTART_DATA")


@pytest.mark.slow
@pytest.mark.parametrize("task", ["digits", *(pytest.param(t, marks=NEEDS_FILES) for t in TASKS if t != "digits")])
@pytest.mark.parametrize("scale", SCALES)
def test_every_preset_is_what_the_data_allow(task: str, scale: str) -> None:
    """As many clients as there are, files and starts found, a model that fits: what `headstart check` holds."""
    for finding in NAMES:
        check(preset(finding, task, scale))


@NEEDS_FILES
def test_every_writer_of_mnist_is_a_client() -> None:
    assert {run.population for scale in SCALES for run in preset("ranking", "mnist-writers", scale).runs} == {500}
