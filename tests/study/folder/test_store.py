"""Folders in use, of others, damaged, full: one line and no harm."""

import json
import os
import re
import resource
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.torch
from tests.study.conftest import (
    assert_equal_bits,
    assert_nothing_left_over,
    cli,
    of_ends,
    start,
)
from tests.study.conftest import tables as tables_of

from headstart import files, parquet_files
from headstart.engine import checkpoint
from headstart.errors import HeadstartError
from headstart.study.data import task_of
from headstart.study.federations import network_of
from headstart.study.folder import store
from headstart.study.folder.store import CHECKPOINT, Folder
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.emnist_letters import emnist_letters


def test_a_second_process_on_a_folder_is_refused(study: Any, copy: Any) -> None:
    with filelock.FileLock(copy / ".lock"), pytest.raises(HeadstartError) as caught:
        run_study(study, copy)
    assert str(caught.value) == f"{copy} is in use by another headstart process; wait for it to end"


def test_a_folder_of_another_study_is_refused(study: Any, copy: Any, whole: Any) -> None:
    other = Study(**{**study.file.model_dump(exclude_none=True), "cohort": 4})
    with pytest.raises(HeadstartError) as caught:
        run_study(other, copy)
    assert str(caught.value) == (
        f"{copy} holds the results of another study (cohort: there 3, here 4); "
        "choose a new folder, or only add to that study"
    )
    assert_equal_bits(copy, whole)


def test_a_study_that_adds_to_the_one_in_a_folder_goes_on_there(study: Any, copy: Any) -> None:
    keys = study.file.model_dump(exclude_none=True)
    seeds = [*study.file.seeds, 7]
    before = {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/*")}
    larger, trained = Study(**{**keys, "seeds": seeds, "target_accuracy": 0.3}), []
    run_study(larger, copy, watch=of_ends(lambda event: trained.append(event.run.seed)))
    assert trained == [7] * (len(larger.runs) - len(study.runs))
    assert {path: path.stat().st_mtime_ns for path in before} == before
    table = pq.read_table(copy / "results" / "runs.parquet").to_pylist()
    assert [row["run"] for row in table] == [run.key for run in larger.runs]
    assert (copy / "study.yaml").read_text() == larger.resolved()
    # Now that there is more, it would be left out.
    with pytest.raises(HeadstartError, match="another study"):
        run_study(study, copy)


def test_a_search_in_a_folder_must_be_one_of_the_new_study(tmp_path: Path) -> None:
    keys = {
        "task": "digits",
        "model": "logistic",
        "rounds": 1,
        "seeds": [0],
        "population": 10,
        "cohort": 2,
    }
    run_study(Study(**keys, tuning={"trials": 2}), tmp_path)
    with pytest.raises(HeadstartError, match=r"another study \(tuning\.trials: there 2, here 1\)"):
        run_study(Study(**keys, tuning={"trials": 1}), tmp_path)
    run_study(Study(**{**keys, "seeds": [0, 1]}, tuning={"trials": 2}), tmp_path)
    assert len(pq.read_table(tmp_path / "results" / "trials.parquet")) == 2  # none anew
    assert {
        row["seed"] for row in pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    } == {0, 1}


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(study: Any, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("hello")
    with pytest.raises(HeadstartError) as caught:
        run_study(study, tmp_path)
    assert (
        str(caught.value)
        == f"{tmp_path} holds files that are not a study's (thesis.tex); choose a new folder"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", ["published.sha256", "findings.json"])
def test_a_folder_that_publish_wrote_is_refused_and_left_as_it_is(
    name: str, study: Any, tmp_path: Path
) -> None:
    (tmp_path / "study.yaml").write_text("name: published\n")
    (tmp_path / name).write_text("")
    with pytest.raises(HeadstartError) as caught:
        run_study(study, tmp_path, watch=lambda event: pytest.fail("a run was computed"))
    assert str(caught.value) == (
        f"{tmp_path} holds what `headstart publish` wrote of a study, and no runs; choose a new "
        "folder"
    )
    assert {path.name for path in tmp_path.iterdir()} == {"study.yaml", name}
    assert (tmp_path / "study.yaml").read_text() == "name: published\n"


def test_what_a_killed_process_leaves_behind_is_swept(study: Any, copy: Any, whole: Any) -> None:
    done_run = copy / "runs" / study.runs[0].key
    (done_run / CHECKPOINT).write_bytes(b"killed before this was removed")
    (done_run / f".{CHECKPOINT}.123.partial").write_bytes(b"half")
    (copy / ".study.yaml.123.partial").write_bytes(b"ha")
    run_study(study, copy)
    assert_equal_bits(copy, whole)
    assert_nothing_left_over(copy)


def test_a_folder_killed_before_its_first_file_can_be_used(study: Any, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").touch()
    (tmp_path / "out" / ".study.yaml.123.partial").write_bytes(b"ha")
    with Folder(tmp_path / "out").claimed(study.resolved()):
        pass
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [".lock", "study.yaml"]


DAMAGES = {
    "truncated": lambda data: data[: len(data) // 2],
    "garbage": lambda data: b"\x00\xff" * (len(data) // 2),
    "empty": lambda data: b"",
    "one bit": lambda data: (
        data[: len(data) // 3] + bytes([data[len(data) // 3] ^ 4]) + data[len(data) // 3 + 1 :]
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["rounds.parquet", "run.json"])
def test_a_damaged_file_of_a_run_is_named_before_anything_is_trained(
    name: str, damage: Any, study: Any, copy: Any
) -> None:
    shutil.rmtree(copy / "runs" / study.runs[3].key)
    path = copy / "runs" / study.runs[1].key / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    if (name, damage) == ("run.json", "one bit"):
        path.write_text(path.read_text().replace("{", "[", 1))
    with pytest.raises(HeadstartError) as caught:
        run_study(study, copy)
    line = str(caught.value)
    assert re.match(
        re.escape(f"{path} is damaged (")
        + r".+"
        + re.escape(f"); delete {path.parent} and run again"),
        line,
    )
    assert "\n" not in line
    assert not (copy / "runs" / study.runs[3].key).exists()


RECORDS = [
    "[]",
    "{}",
    "null",
    "5",
    '{"run": "other"}',
    '{"run": "KEY"}',
    '{"run": "KEY", "status": "finished", "rounds": "x"}',
]


@pytest.mark.parametrize("record", RECORDS)
def test_a_record_of_another_form_is_damaged(record: Any, study: Any, copy: Any) -> None:
    path = copy / "runs" / study.runs[1].key / "run.json"
    text = record.replace("KEY", study.runs[1].key)
    path.write_text(text)
    if text.startswith("{"):
        files.write_record(path, json.loads(text))
    with pytest.raises(HeadstartError, match=re.escape(f"{path} is damaged (")):
        run_study(study, copy)


def test_a_table_of_other_columns_is_refused(study: Any, copy: Any) -> None:
    path = copy / "runs" / study.runs[1].key / "rounds.parquet"
    table = pq.read_table(path)
    parquet_files.write(path, table.set_column(1, "round", table["round"].cast("float64")))
    with pytest.raises(
        HeadstartError, match=r"rounds.parquet: expected the columns .*round \(int64\).*; delete"
    ):
        store.read_rounds(path)
    with pytest.raises(
        HeadstartError, match=r"rounds.parquet is damaged \(it is whole, but of another run"
    ):
        run_study(study, copy)


def test_a_missing_table_is_named(study: Any, copy: Any) -> None:
    path = copy / "runs" / study.runs[1].key / "rounds.parquet"
    path.unlink()
    with pytest.raises(HeadstartError, match=re.escape(f"{path} is damaged (") + ".*No such file"):
        run_study(study, copy)


def test_damaged_results_are_made_anew(study: Any, copy: Any, whole: Any) -> None:
    (copy / "results" / "runs.parquet").write_bytes(b"garbage")
    (copy / "results" / "rounds.parquet").unlink()
    run_study(study, copy)
    assert_equal_bits(copy, whole)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_checkpoint_is_named(damage: str, study: Any, copy: Any, whole: Any) -> None:
    folder = copy / "runs" / study.runs[2].key
    (folder / "run.json").unlink()
    path = folder / CHECKPOINT
    path.write_bytes(DAMAGES[damage]((folder / "weights.safetensors").read_bytes()))
    with pytest.raises(HeadstartError) as caught:
        run_study(study, copy)
    assert str(caught.value).startswith(f"{path} is damaged (")
    assert str(caught.value).endswith("delete it and run again: it will be made anew")
    path.unlink()
    run_study(study, copy)
    assert_equal_bits(copy, whole)


def test_weights_are_no_checkpoint(study: Any, copy: Any) -> None:
    folder = copy / "runs" / study.runs[2].key
    (folder / "run.json").unlink()
    (folder / "weights.safetensors").rename(folder / CHECKPOINT)
    with pytest.raises(HeadstartError, match=re.escape(f"{folder / CHECKPOINT} is damaged (")):
        run_study(study, copy)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty", "flipped"])
def test_a_damaged_start_is_made_again_and_said(damage: str, tmp_path: Path) -> None:
    study = Study(
        task="digits", model="mlp(hidden=[8])",
        starts="proxy(task='rendered-digits(examples=100)', epochs=1)", population=10, cohort=3,
        rounds=1, seeds=[0], executor="loop", batch_size=64,
    )  # fmt: skip
    out = run_study(study, tmp_path / "out")
    (path,) = (out / "starts").iterdir()
    content, (before,) = path.read_bytes(), tables_of(out)[0]["test_accuracy"].to_pylist()
    flipped = bytearray(content)
    flipped[-64:] = bytes(64)
    path.write_bytes(bytes(flipped) if damage == "flipped" else DAMAGES[damage](content))
    shutil.rmtree(out / "runs")
    with pytest.warns(
        UserWarning, match=rf"^{re.escape(str(path))} is damaged \(.*\); it is made again$"
    ):
        run_study(study, out)
    assert path.read_bytes() == content
    assert tables_of(out)[0]["test_accuracy"].to_pylist() == [before]


@pytest.mark.parametrize("out", ["/proc/headstart", "{file}/below", "{file}"])
def test_a_folder_that_cannot_be_made_gets_one_line(out: str, study: Any, file: Path) -> None:
    out = out.replace("{file}", str(file))
    with pytest.raises(HeadstartError, match=f"^cannot write {re.escape(out)}: [A-Za-z ]+$"):
        run_study(study, Path(out))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Any]:
    """A disk of 48 KiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k,nr_inodes=200", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_no_permission_to_write_gets_one_line(study: Any, copy: Any, tiny_disk: Any) -> None:
    if os.geteuid() != 0:
        copy.chmod(0o500)
    else:  # root may write everywhere but on a disk that is read-only
        shutil.copytree(
            copy, tiny_disk / "out", ignore=lambda folder, names: [n for n in names if n == "runs"]
        )
        subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
        copy = tiny_disk / "out"
    with pytest.raises(
        HeadstartError, match=f"^cannot write {re.escape(str(copy))}.*: [A-Z][A-Za-z -]+$"
    ):
        run_study(study, copy)


def test_a_full_disk_gets_one_line_and_leaves_no_half_file(
    study: Any, tiny_disk: Any, whole: Any, tmp_path: Path
) -> None:
    with pytest.raises(HeadstartError, match=r"^cannot write .*: No space left on device$"):
        run_study(study, tiny_disk / "out", checkpoint_seconds=0.0)
    left = [path for path in (tiny_disk / "out").rglob("*") if path.is_file()]
    assert not [path for path in left if path.name.endswith(".partial")]
    for path in left:  # whatever is there is whole
        if path.name == CHECKPOINT:
            checkpoint.load(path)
        if path.suffix == ".parquet":
            pq.read_table(path)
    subprocess.run(["mount", "-o", "remount,size=2m,nr_inodes=2000", str(tiny_disk)], check=True)
    run_study(study, tiny_disk / "out")
    assert_equal_bits(tiny_disk / "out", whole)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_file_that_may_not_grow_gets_one_line_and_exit_2(
    jobs: int, file: Path, study: Any, whole: Any, tmp_path: Path
) -> None:
    def small_files_only() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    out = tmp_path / "out"
    process = start(file, out, jobs, cli(file, out, jobs), preexec_fn=small_files_only)
    errors = process.communicate(timeout=60)[1]
    assert process.returncode == 2
    assert re.match(r"^error: cannot write .*: File too large\n$", errors), errors
    assert_no_partial = [path for path in out.rglob("*") if path.name.endswith(".partial")]
    assert assert_no_partial == []
    run_study(study, out)
    assert_equal_bits(out, whole)


@pytest.mark.slow
def test_the_command_line_refuses_a_folder_in_use_with_exit_2(file: Path, copy: Any) -> None:
    with filelock.FileLock(copy / ".lock"):
        process = start(file, copy, 1, cli(file, copy))
        errors = process.communicate(timeout=60)[1]
    assert (process.returncode, errors) == (
        2, f"error: {copy} is in use by another headstart process; wait for it to end\n",
    )  # fmt: skip


def test_a_start_whose_file_has_changed_is_not_mixed_in(tmp_path: Path) -> None:
    weights, out = tmp_path / "weights.safetensors", tmp_path / "out"
    keys = {
        "task": "digits",
        "model": "logistic",
        "population": 5,
        "cohort": 2,
        "rounds": 1,
        "seeds": [0],
    }
    checkpointed = Study(**keys, starts=f"checkpoint(path={str(weights)!r})")
    network = network_of(checkpointed.model, checkpointed.task)
    weights.write_bytes(safetensors.torch.save(network.initial(1)))
    run_study(checkpointed, out)
    run_study(checkpointed, out)  # unchanged: nothing to do, nothing to say
    weights.write_bytes(safetensors.torch.save(network.initial(2)))
    with pytest.raises(
        HeadstartError, match=r"^checkpoint\(.*\): .* has changed .* put it back or"
    ):
        run_study(checkpointed, out)


def test_a_model_of_ones_own_that_has_changed_is_not_mixed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "own_model_of_store.py"
    code = (
        "from torch import nn\ndef net(shape, outputs): return nn.Sequential(nn.Flatten(), "
        "nn.Linear(64, outputs))\n"
    )
    module.write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    keys = {
        "task": "digits",
        "model": "own_model_of_store:net",
        "population": 3,
        "cohort": 2,
        "rounds": 1,
    }
    run_study(Study(**keys, seeds=[0]), tmp_path / "out")
    module.write_text(code.replace("nn.Flatten()", "nn.Flatten(), nn.Tanh()"))
    with pytest.raises(
        HeadstartError,
        match=r"^module of model own_model_of_store:net: what its files hold has changed",
    ):
        run_study(Study(**keys, seeds=[0, 1]), tmp_path / "out")
    module.write_text(code)
    run_study(Study(**keys, seeds=[0, 1]), tmp_path / "out")


def test_a_task_whose_file_has_changed_is_not_mixed_in(tmp_path: Path) -> None:
    """That of the study, and that which its start was pre-trained on."""
    generator, out = np.random.Generator(np.random.Philox(key=5)), tmp_path / "out"
    for name in ("own", "proxy"):
        columns = {
            "split": ["train"] * 30 + ["test"] * 10,
            "label": pa.array(np.arange(40) % 26, pa.uint8()),
        }
        columns["image"] = pa.array(
            [image.tobytes() for image in generator.integers(0, 256, (40, 784), np.uint8)]
        )
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    own, proxy = (
        f"emnist-letters(path='{tmp_path}/{name}.parquet', validation=2)"
        for name in ("own", "proxy")
    )
    study = Study(
        task=own, model="logistic", starts={"proxy": {"task": proxy, "epochs": 1}}, population=3,
        cohort=2, rounds=1, seeds=[0], executor="loop",
    )  # fmt: skip
    run_study(study, out)
    assert len(files.read_record(out / "starts" / "contents.json")) == 2
    run_study(study, out)  # unchanged: nothing to do, nothing to say
    for name in ("own", "proxy"):
        path = tmp_path / f"{name}.parquet"
        before = path.read_bytes()
        pq.write_table(pq.read_table(path).slice(0, 39), path)
        task_of.cache_clear()
        emnist_letters.cache_clear()  # type: ignore[attr-defined]
        with pytest.raises(
            HeadstartError,
            match=rf"^task emnist-letters\(path='.*{name}.parquet'.*: .* has changed",
        ):
            run_study(study, out)
        path.write_bytes(before)
