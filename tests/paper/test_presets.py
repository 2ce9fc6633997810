"""The presets: every finding on every task at every scale is a valid study of the right grid,
and runs at toy scale.
"""

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
import yaml
from safetensors.torch import save_file
from typer.testing import CliRunner

from headstart import cli
from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.paper.findings import FINDINGS
from headstart.paper.presets import ALL, study_text
from headstart.paper.tasks import RESNET18, SCALES, TASKS
from headstart.study.check import check
from headstart.study.federations import build_network
from headstart.study.spec import Study
from headstart.tasks.base import TASKS as TASKS_OF_DATA

NAMES = [*FINDINGS, ALL]


def preset(finding: str, task: str = "digits", scale: str = "toy") -> Study:
    return Study(**yaml.safe_load(study_text(finding, task, scale)))


@pytest.mark.parametrize("finding", NAMES)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("scale", SCALES)
def test_every_preset_names_two_starts_and_the_partition_of_its_task(
    finding: str, task: str, scale: str
) -> None:
    keys = yaml.safe_load(study_text(finding, task, scale))
    assert len(keys["starts"]) == 2
    assert keys["starts"][0] == "random"
    assert keys["partitions"] == TASKS[task].partition
    assert len(keys["seeds"]) >= 2


def pairs(study: Study) -> set[tuple[str, str]]:
    return {(run.client.name, run.server.name) for run in study.runs}


def test_the_ranking_has_the_nine_pairs_of_the_paper() -> None:
    servers = ("sgd", "momentum", "adam")
    assert pairs(preset("ranking")) == {
        (c, s) for c in ("sgd", "proximal", "mimelite") for s in servers
    }


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
    everything = {
        (str(r.start), r.client, r.server, r.partition, r.devices, r.local_epochs)
        for r in preset(ALL).runs
    }
    for finding in FINDINGS:
        for r in preset(finding).runs:
            assert (
                str(r.start),
                r.client,
                r.server,
                r.partition,
                r.devices,
                r.local_epochs,
            ) in everything


def test_full_is_the_protocol_of_the_paper() -> None:
    cifar = yaml.safe_load(study_text("ranking", "cifar10", "full"))
    assert (cifar["rounds"], cifar["cohort"], cifar["batch_size"], cifar["population"]) == (
        1000,
        10,
        32,
        100,
    )
    assert cifar["seeds"] == [0, 1, 2]
    writers = yaml.safe_load(study_text("ranking", "mnist-writers", "full"))
    assert (writers["rounds"], writers["cohort"], writers["batch_size"]) == (1082, 5, 10)


FILES = pytest.mark.skipif(
    "HEADSTART_DATA" not in os.environ, reason="needs the files of $HEADSTART_DATA"
)
OF_TEXT = ("shakespeare", "stackoverflow", "reddit")


def test_tasks_of_text_have_the_numbers_of_their_papers() -> None:
    for task, numbers in (
        ("shakespeare", (1200, 10, 4)),
        ("stackoverflow", (1050, 10, 16)),
        ("reddit", (1050, 10, 16)),
    ):
        keys = yaml.safe_load(study_text("ranking", task, "full"))
        assert (keys["rounds"], keys["cohort"], keys["batch_size"]) == numbers


@pytest.mark.parametrize("task", OF_TEXT)
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("model", [None, "charlm"])
def test_both_starts_of_text_have_the_same_tokens(task: str, scale: str, model: str | None) -> None:
    """`like` is the study's task, letter by letter."""
    if model and model not in TASKS[task].others:
        return
    keys = yaml.safe_load(study_text("ranking", task, scale, model))
    assert keys["starts"][1]["proxy"]["task"] == f'wikitext-2(like="{keys["task"]}")'


def test_another_network_is_chosen_by_name() -> None:
    assert (
        yaml.safe_load(study_text("ranking", "cifar10", "full", "resnet18"))["model"] == "resnet18"
    )
    small = yaml.safe_load(study_text("ranking", "cifar10", "cpu", "resnet8"))
    assert small["model"] == "resnet8"
    assert (small["starts"][1]["proxy"]["epochs"], small["starts"][1]["proxy"]["augment"]) == (
        8,
        "crop-and-flip",
    )
    assert (
        study_text("ranking", "cifar10", "cpu", "squeezenet1_0").count("squeezenet1_0_imagenet")
        == 1
    )
    with pytest.raises(HeadstartError, match="unknown model 'resnet'; did you mean 'resnet"):
        study_text("ranking", "cifar10", "full", "resnet")


def test_cpu_scale_says_what_was_cut() -> None:
    assert "# Cut, to fit an hour on two cores: 1,000 clients of 45 images" in study_text(
        "ranking", "cifar10", "cpu"
    )
    assert "# Cut" not in study_text("ranking", "cifar10", "full")


def test_untuned_momentum_has_a_tenth_of_the_rate_of_averaging() -> None:
    runs = Study(**yaml.safe_load(study_text("ranking", "cifar10", "cpu"))).runs
    rates = {run.server.name: run.server_rate for run in runs}
    assert rates == {"sgd": 1.0, "momentum": 0.1, "adam": 0.003}


@FILES
@pytest.mark.parametrize("task", OF_TEXT)
@pytest.mark.parametrize(
    ("scale", "model"),
    [
        ("toy", None),
        pytest.param("cpu", None, marks=pytest.mark.slow),
        pytest.param("full", None, marks=pytest.mark.slow),
        pytest.param("toy", "charlm", marks=pytest.mark.slow),
    ],
)
def test_presets_of_text_are_what_the_data_allow(task: str, scale: str, model: str | None) -> None:
    """`all` holds the runs of every finding."""
    if model is None or model in TASKS[task].others:
        check(Study(**yaml.safe_load(study_text(ALL, task, scale, model))))


@FILES
@pytest.mark.slow
def test_photographs_of_the_proxy_are_scaled_as_the_clients_are() -> None:
    keys = yaml.safe_load(study_text("initial-loss", "cifar10", "toy", "resnet8"))
    proxy, task = (
        TASKS_OF_DATA.build(TASKS_OF_DATA.component(name))
        for name in (keys["starts"][1]["proxy"]["task"], keys["task"])
    )
    black = task.train.inputs[:1] * 0
    assert torch.equal(proxy.prepare()(black), task.prepare()(black))
    assert (proxy.outputs, len(proxy.train), len(proxy.test)) == (200, 51_840, 6_400)
    check(Study(**keys))


@FILES
@pytest.mark.slow
def test_resnet18_takes_weights_in_the_place_of_those_on_the_hub(tmp_path: Path) -> None:
    """There is no network in tests: a file with torchvision's names stands for the repository's."""
    text = study_text("initial-loss", "cifar10", "toy", "resnet18")
    network = build_network(
        MODELS.component("resnet18"), TASKS_OF_DATA.build(TASKS_OF_DATA.component("cifar10"))
    )
    save_file(network.initial(7), tmp_path / "weights.safetensors")
    keys = yaml.safe_load(
        text.replace(RESNET18, f"checkpoint(path='{tmp_path}/weights.safetensors')")
    )
    check(Study(**keys))


def test_unknown_names_are_offered_the_nearest() -> None:
    for names, message in (
        (("rankng", "digits", "toy"), "unknown finding 'rankng'; did you mean 'ranking'"),
        (("ranking", "cifar", "toy"), "unknown task 'cifar'; did you mean 'cifar10'"),
        (("ranking", "digits", "ful"), "unknown scale 'ful'; did you mean 'full'"),
    ):
        with pytest.raises(HeadstartError, match=message):
            study_text(*names)


def test_a_file_that_was_edited_is_run_as_it_stands(tmp_path: Path) -> None:
    command = [
        "paper",
        "initial-loss",
        "--task",
        "digits",
        "--scale",
        "toy",
        "--out",
        str(tmp_path / "out"),
    ]
    assert CliRunner().invoke(cli.app, [*command, "--write-only"]).exit_code == 0  # type: ignore[attr-defined]
    path = tmp_path / "out" / "paper.yaml"
    assert path.read_text() == study_text("initial-loss", "digits", "toy")
    path.write_text(path.read_text().replace("clients: sgd", "clients: gd"))
    result = CliRunner().invoke(cli.app, [*command, "--jobs", "1"])  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.exception
    assert "it is run as it stands" in result.stdout
    assert "- gd" in (tmp_path / "out" / "study.yaml").read_text()
    assert (tmp_path / "out" / "report.html").exists()


@FILES
@pytest.mark.slow
@pytest.mark.parametrize("task", OF_TEXT)
@pytest.mark.parametrize("finding", ["curvature", "alignment", "gd-vs-sgd"])
def test_presets_of_text_run_at_toy_scale(task: str, finding: str, tmp_path: Path) -> None:
    """With the probes that the findings need: curvature through an LSTM, alignment, distance."""
    command = [
        "paper",
        finding,
        "--task",
        task,
        "--scale",
        "toy",
        "--out",
        str(tmp_path),
        "--jobs",
        "1",
    ]
    result = CliRunner().invoke(cli.app, command)  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.exception
    runs = pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    assert {run["status"] for run in runs} == {"finished"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "each got the same" in page
    metrics = set(pq.read_table(tmp_path / "results" / "rounds.parquet")["metric"].to_pylist())
    wanted = {"curvature": "hessian_top_1", "alignment": "cosine_between_clients"}
    assert wanted.get(finding, "test_accuracy") in metrics


@pytest.mark.slow
@pytest.mark.parametrize("finding", ["iid-gap", ALL])
def test_presets_run_at_toy_scale(finding: str, tmp_path: Path) -> None:
    command = [
        "paper",
        finding,
        "--task",
        "digits",
        "--scale",
        "toy",
        "--out",
        str(tmp_path),
        "--jobs",
        "1",
    ]
    result = CliRunner().invoke(cli.app, command)  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.exception
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "each got the same" in page


NEEDS_FILES = pytest.mark.skipif(
    "HEADSTART_DATA" not in os.environ, reason="needs the files of $HEADSTART_DATA"
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "task", ["digits", *(pytest.param(t, marks=NEEDS_FILES) for t in TASKS if t != "digits")]
)
@pytest.mark.parametrize("scale", SCALES)
def test_every_preset_is_what_the_data_allow(task: str, scale: str) -> None:
    """As many clients as there are, files and starts found, a model that fits:
    what `headstart check` holds.
    """
    for finding in NAMES:
        check(preset(finding, task, scale))


@NEEDS_FILES
def test_every_writer_of_mnist_is_a_client() -> None:
    assert {
        run.population for scale in SCALES for run in preset("ranking", "mnist-writers", scale).runs
    } == {500}
