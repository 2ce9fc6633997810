"""`headstart check`: the grid, what is wrong, and how long it will take; nothing is written."""

import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.cli.conftest import STUDY, invoke

from headstart.errors import HeadstartError
from headstart.study.spec import Study


def test_check_prints_the_grid_and_writes_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("check", file)
    assert result.exit_code == 0
    assert list(tmp_path.iterdir()) == [file]
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines()[1:]]
    assert ["clients", "sgd, proximal(mu=0.5)"] in lines
    assert ["seeds", "0, 1"] in lines
    assert ["client", "rates  0.1"] in [[first, " ".join(rest.split(" "))] for first, rest in lines]
    assert "4 runs of 4 rounds, 3 of 10 clients a round" in result.stdout
    assert re.search(
        r"about \d+ s in one process, \d+ s in \d+, without pre-training\n  \(timed: .*\)\n$",
        result.stdout,
    )
    assert "note: 2 seeds decide little; run 3 or more" in result.stdout


def test_the_estimate_grows_with_the_work(file: Path) -> None:
    from headstart.tools.estimate import estimate_seconds

    keys = Study.load(file).file.model_dump(exclude_none=True)
    few, many = (
        estimate_seconds(Study(**{**keys, "rounds": rounds, "every": rounds}))
        for rounds in (10, 1000)
    )
    assert many > 10 * few  # 100 times the rounds, timed on a machine that does other things too


def test_the_estimate_grows_with_local_epochs_and_uneven_devices(file: Path) -> None:
    """Timed once: what differs is the number of places for rows. 5 epochs are 5 times those of one,
    when stacked.
    """
    from headstart.tools import estimate

    keys = Study.load(file).file.model_dump(exclude_none=True) | {
        "clients": ["sgd"],
        "every": 1000,
        "rounds": 1000,
    }
    study = Study(**{**keys, "local_epochs": [1, 5], "probes": ["evaluation"]})
    costs = estimate._Costs(study.runs[0], at_once=1)
    one, five = (costs.seconds(run) for run in (study.runs[0], study.runs[-1]))
    assert study.runs[-1].local_epochs == 5
    # What is measured first and last.
    fixed = 2 * costs.seconds(replace(study.runs[0], rounds=500)) - one
    assert five - fixed == pytest.approx(5 * (one - fixed), rel=1e-9)


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (
            "population: 5000",
            "1200 training rows cannot be dealt to 5000 clients so that each has one",
        ),
        (
            "probes: [evaluation, 'curvature(top=3, products=2)']",
            "curvature.products: expected at least as many as top (3), got 2",
        ),
        (
            "partitions: natural",
            "'natural' needs to know whose each row is, but task 'digits' has no",
        ),
        (
            "tuning: {client_rate: [1, 0.1]}",
            "tuning.client_rate: expected a range [low, high] with low < high",
        ),
    ],
)
def test_what_only_the_parts_know_to_be_wrong_is_one_line_of_check(
    file: Path, line: str, error: str
) -> None:
    key = line.split(":")[0]
    file.write_text(
        "\n".join(
            [*(kept for kept in file.read_text().splitlines() if not kept.startswith(key)), line]
        )
    )
    result = invoke("check", file)
    assert isinstance(result.exception, HeadstartError)
    assert error in str(result.exception)
    assert "\n" not in str(result.exception)


def test_check_times_a_part_of_a_round_of_many_epochs(file: Path) -> None:
    """Which takes seconds, where a whole one would take most of an hour."""
    file.write_text(STUDY + "local_epochs: 100000\nprobes: evaluation\n")
    began = time.perf_counter()
    result = invoke("check", file)
    assert result.exit_code == 0
    assert re.search(r"about [\d.]+ (min|h) in one process", result.stdout)
    assert time.perf_counter() - began < 20


@pytest.mark.parametrize("executor", ["loop", "stacked(runs=1)"])
def test_check_times_a_round_of_which_every_client_is_dropped(file: Path, executor: str) -> None:
    file.write_text(
        STUDY.replace("executor: loop", f"executor: {executor}\ndevices: dropped(share=1.0)")
    )
    result = invoke("check", file)
    assert result.exit_code == 0
    assert re.search(r"about [\d.]+ s in one process", result.stdout)


def test_a_title_of_several_lines_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f'title: "one\\n  about 0 s in one process\\nthree"\n{STUDY}')
    assert (
        invoke("check", path).stdout.splitlines()[0]
        == f"{path}: one about 0 s in one process three"
    )
