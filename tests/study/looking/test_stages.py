"""A study that runs until it has decided: what it runs, what it leaves,
and that no interruption changes its end.
"""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from tests.study.conftest import assert_equal_bits, done, of_ends, start, wait_for

from headstart.errors import HeadstartError
from headstart.looks.plans import Plan
from headstart.looks.record import read_record
from headstart.statistics.joint.sequential import one_look, until_decided
from headstart.study.looking.stages import GROUPS_OF_A_LOOK, Looked, groups_by_look, sure
from headstart.study.runner import run_study
from headstart.study.spec import Study

IID, DIRICHLET = "iid", "dirichlet(alpha=0.5)"
KEYS: dict[str, Any] = {
    "name": "until",
    "task": "digits",
    "model": "logistic",
    "clients": ["sgd", "nova", "proximal(mu=1)"],
    "servers": ["sgd", "adam"],
    "server_rates": 0.1,
    "partitions": IID,
    "also": [{"partitions": DIRICHLET, "clients": "sgd"}],
    "population": 10,
    "cohort": 3,
    "batch_size": 64,
    "rounds": 10,
    "probes": ["evaluation"],
    "executor": "stacked(runs=4)",
    "margin": 0.7,
    "seeds": {"until": "decided", "first": 2, "at_most": 6},
}
LOOKS = "results/looks.parquet"


def of(**keys: Any) -> Study:
    return Study(**{**KEYS, **keys})


@pytest.fixture(scope="module")
def looked() -> list[Looked]:
    """What is told of the looks of `decided`."""
    return []


@pytest.fixture(scope="module")
def decided(looked: list[Looked], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the study, run in one go."""
    out = tmp_path_factory.mktemp("decided") / "out"
    return run_study(
        of(), out, watch=lambda event: looked.append(event) if isinstance(event, Looked) else None
    )


@pytest.fixture
def copy(decided: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(decided, tmp_path / "out"))


def seeds_of(out: Path) -> dict[tuple[str, str, str], list[int]]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in pq.read_table(out / "results" / "runs.parquet").to_pylist():
        found.setdefault((row["partition"], row["client"], row["server"]), []).append(row["seed"])
    return {place: sorted(seeds) for place, seeds in found.items()}


def looks(out: Path) -> list[dict[str, Any]]:
    return list(pq.read_table(out / LOOKS).to_pylist())


def bytes_of(out: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_it_looks_after_each_further_seed_until_it_has_decided(
    looked: list[Looked], decided: Path
) -> None:
    assert [(each.look, each.seeds) for each in looked] == [
        (n, n + 1) for n in range(1, len(looked) + 1)
    ]
    assert 1 < len(looked) <= 5
    assert [each.where and each.which for each in looked] == [False] * (len(looked) - 1) + [True]
    assert looked[-1].is_last
    assert sorted({row["look"] for row in looks(decided)}) == [each.look for each in looked]


def test_a_pair_that_is_worse_is_run_no_further(decided: Path) -> None:
    seeds = seeds_of(decided)
    last = seeds[IID, "sgd", "adam"]
    assert seeds[IID, "proximal(mu=1.0)", "adam"] == last
    assert seeds[IID, "sgd", "sgd"] == seeds[IID, "proximal(mu=1.0)", "sgd"]
    assert len(seeds[IID, "sgd", "sgd"]) < len(last)
    # Of the last look.
    said = {(row["one"], row["other"]): row["decision"] for row in looks(decided)}
    assert said["sgd + sgd", "sgd + adam"] == "behind"


def test_a_pair_that_is_one_with_another_is_run_for_the_first_look_only(decided: Path) -> None:
    assert seeds_of(decided)[IID, "nova", "adam"] == [0, 1]
    assert not any("nova" in row["one"] + row["other"] for row in looks(decided))


def test_other_settings_have_the_seeds_of_the_first_look(decided: Path) -> None:
    seeds = seeds_of(decided)
    assert seeds[DIRICHLET, "sgd", "sgd"] == seeds[DIRICHLET, "sgd", "adam"] == [0, 1]


def test_the_tables_plan_what_was_run(decided: Path) -> None:
    table = pq.read_table(decided / "results" / "runs.parquet")
    assert table.schema.metadata[b"planned"] == str(len(table)).encode()


def test_a_decided_study_does_nothing_more(copy: Path) -> None:
    before = bytes_of(copy)
    events: list[Any] = []
    run_study(of(), copy, watch=events.append)
    assert events == []
    assert bytes_of(copy) == before


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_study_that_is_killed_ends_in_the_same_looks_and_bits(
    decided: Path, tmp_path: Path, jobs: int
) -> None:
    """Killed in the first look, at its end, and in a later one."""
    file, out = tmp_path / "until.yaml", tmp_path / "out"
    file.write_text(yaml.safe_dump(KEYS))
    total = len(pq.read_table(decided / "results" / "runs.parquet"))
    for runs in (3, 16, total - 1):
        process = start(file, out, jobs)
        wait_for(lambda runs=runs: done(out) >= runs, process, seconds=300)
        process.send_signal(signal.SIGKILL)
        process.wait()
    run_study(of(), out, jobs=3 - jobs)
    assert (out / LOOKS).read_bytes() == (decided / LOOKS).read_bytes()
    assert_equal_bits(out, decided)


def test_a_fixed_study_has_one_look_and_what_grows_of_it_spends_what_is_left(
    decided: Path, tmp_path: Path
) -> None:
    listed, out = {**KEYS, "seeds": [0, 1, 2]}, tmp_path / "out"
    run_study(Study(**listed), out)
    record = read_record(out)
    assert record is not None
    assert (record.taken, record.followed.looks) == (1, one_look(3))
    first = looks(out)
    run_study(Study(**{**listed, "seeds": [3, 0, 1, 2]}), out)
    record = read_record(out)
    assert record is not None
    assert record.followed.seeds == (0, 1, 2, 3)
    assert record.followed.looks.seeds == (3, 4)
    assert record.followed.looks.spent == pytest.approx((0.04, 0.05))
    assert looks(out)[: len(first)] == first
    assert {row["seeds"] for row in looks(out)} == {3, 4}


def test_a_fixed_study_goes_on_until_it_has_decided(tmp_path: Path) -> None:
    out = tmp_path / "out"
    run_study(of(seeds=[0, 1], also=[]), out)
    until = of(seeds={"until": "decided", "first": 2, "at_most": 6}, also=[])
    run_study(until, out)
    record = read_record(out)
    assert record is not None
    assert record.followed.looks.seeds == (2, 3, 4, 5, 6)
    assert record.followed.looks.spent[0] == 0.04
    assert looks(out)[-1]["seeds"] > 2
    before = (out / LOOKS).read_bytes()
    run_study(until, out)
    assert (out / LOOKS).read_bytes() == before


WITH_BASELINES: dict[str, Any] = {
    "clients": ["sgd"], "servers": ["sgd", "adam"], "server_rates": 0.1, "also": [], "rounds": 4,
    "margin": 0.01, "seeds": {"until": "decided", "first": 2, "at_most": 3},
    "baselines": ["centralised", "local"], "local_clients": 2,
}  # fmt: skip
"""A margin so small that a third seed is looked at, or given up on."""


def test_baselines_are_trained_for_the_seeds_of_the_first_look_resumed_too(tmp_path: Path) -> None:
    study, ended = of(**WITH_BASELINES), []
    run_study(study, tmp_path / "whole")
    rows = pq.read_table(tmp_path / "whole" / "results" / "baseline_runs.parquet").to_pylist()
    held_against = {run.key: run for run in study.runs}
    seeds = [(row["baseline"], held_against[row["held_against"]].seed) for row in rows]
    assert sorted(seeds) == sorted(
        [("centralised", 0), ("centralised", 1), *[("local", 0), ("local", 1)] * 2] * 2
    )

    def stop(event: Any) -> None:
        ended.append(event)
        if len(ended) == 5:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run_study(study, out, watch=of_ends(stop))
    run_study(study, out, jobs=2)
    assert (out / LOOKS).read_bytes() == (tmp_path / "whole" / LOOKS).read_bytes()
    assert_equal_bits(out, tmp_path / "whole")
    found = pq.read_table(out / "results" / "baseline_runs.parquet").to_pylist()
    assert [row["test_accuracy"] for row in found] == [row["test_accuracy"] for row in rows]


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("keys", "damage", "error"),
    [
        ({}, Path.unlink, r"looks\.parquet is gone, which says what was looked at; put it back"),
        ({}, damaged, r"looks\.parquet is damaged \(.*\); put it back as it was"),
        (
            {},
            lambda path: path.write_bytes(b""),
            r"looks\.parquet is damaged \(.*\); put it back as it was",
        ),
        ({"seeds": [0, 1]}, lambda path: None, "results of another study"),
        (
            {"seeds": {"until": "decided", "first": 2, "at_most": 2}},
            lambda path: None,
            "results of another study",
        ),
    ],
)
def test_looks_that_are_damaged_or_seeds_taken_out_are_refused_and_nothing_is_written(
    keys: dict[str, Any], damage: Callable[[Path], None], error: str, copy: Path
) -> None:
    damage(copy / LOOKS)
    before = bytes_of(copy)
    with pytest.raises(HeadstartError, match=error):
        run_study(of(**keys), copy)
    assert bytes_of(copy) == before


def test_results_that_are_all_gone_are_made_anew_as_the_file_plans_them(
    decided: Path, copy: Path
) -> None:
    shutil.rmtree(copy / "results")
    run_study(of(), copy)
    assert (copy / LOOKS).read_bytes() == (decided / LOOKS).read_bytes()


def test_the_runs_of_the_first_look_are_sure() -> None:
    assert len(sure(of())) == 2 * (6 + 2)
    assert sure(of(seeds=[5, 7])) == of(seeds=[5, 7]).runs


def test_groups_of_a_look_do_not_depend_on_other_looks() -> None:
    runs, plan = of().runs, Plan(tuple(range(6)), until_decided(2, 6), 0.02)
    whole = groups_by_look(runs, plan, lambda run: 4)
    third = [run for run in runs if run.seed == 3]
    alone = groups_by_look(third, plan, lambda run: 4)
    assert len(alone) >= GROUPS_OF_A_LOOK
    assert [group for group in whole if group[0].seed == 3] == alone
    first = [group for group in whole if group[0].seed < 2]
    assert {run.seed for group in first for run in group} == {0, 1}
    assert max(map(len, first)) == 4
