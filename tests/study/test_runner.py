"""Studies that are killed, interrupted, starved of disk or fed damaged files: same bits, or one line and no harm."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import filelock
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.torch
import torch

import headstart
from headstart.clients.base import CLIENTS
from headstart.engine import checkpoint
from headstart.engine.rounds import begin
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES
from headstart.report.tables import read
from headstart.servers.base import SERVERS
from headstart.study.federations import federation_of, network_of, one_thread, task_of
from headstart.study.processes import _uninterrupted_children
from headstart.study.run import Progress, carry_out
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.study.store import CHECKPOINT, Folder
from headstart.study.stored_run import _machine, carry_out_run
from headstart.tasks.emnist_letters import emnist_letters

STUDY = """
name: small
task: digits
model: mlp(hidden=[16], dropout=0.1)
clients: [sgd, scaffold]
servers: [adam]
server_rates: 0.03
partitions: dirichlet(alpha=0.5)
devices: dropped(share=0.3)
population: 10
cohort: 3
batch_size: 16
rounds: 30
every: 10
seeds: [0, 1]
target_accuracy: 0.2
"""
RUN = """
import sys
from pathlib import Path
from headstart.study.runner import run_study
from headstart.study.spec import Study
if __name__ == "__main__":
    run_study(Study.load(sys.argv[1]), Path(sys.argv[2]), jobs=int(sys.argv[3]), checkpoint_seconds=0.0)
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("study") / "small.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def study(file):
    return Study.load(file)


@pytest.fixture(scope="module")
def whole(study, tmp_path_factory):
    """The folder of the study, run in one go."""
    return run_study(study, tmp_path_factory.mktemp("whole") / "out")


@pytest.fixture
def copy(whole, tmp_path):
    """A copy of that folder, to damage."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


def tables(folder):
    runs, rounds = (pq.read_table(folder / "results" / f"{name}.parquet") for name in ("runs", "rounds"))
    return runs.drop_columns(["seconds", "ended"]), rounds


def weights(path):
    return {name: (leaf.shape, leaf.numpy().tobytes()) for name, leaf in checkpoint.load_trees(path)[0]["x"].items()}


def assert_equal_bits(folder, other):
    for table, expected in zip(tables(folder), tables(other), strict=True):
        assert table.equals(expected)
    final = sorted(path.relative_to(other) for path in other.rglob("weights.safetensors"))
    assert final == sorted(path.relative_to(folder) for path in folder.rglob("weights.safetensors"))
    for path in final:
        assert weights(folder / path) == weights(other / path)


def assert_nothing_left_over(folder):
    assert not [path for path in folder.rglob("*") if path.name.endswith(".partial") or path.name == CHECKPOINT]


def start(file, out, jobs, command=None, **keys):
    """A process of its own that runs the study with a checkpoint after every round."""
    code = [sys.executable, "-c", RUN, str(file), str(out), str(jobs)]
    return subprocess.Popen(command or code, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, **keys)


def cli(file, out, jobs=1):
    arguments = ["run", str(file), "--out", str(out), "--jobs", str(jobs), "--checkpoint-seconds", "0"]
    return [sys.executable, "-m", "headstart", *arguments]


def wait_for(condition, process, seconds=60):
    """Wait until something is so, looking without a pause; fail if the process ends before."""
    began = time.monotonic()
    while not condition():
        assert process.poll() is None, f"ended before the moment to interrupt it: {process.stderr.read()}"
        assert time.monotonic() - began < seconds, "took too long"


def children(process):
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# ------------------------------------------------------------------------------------------------------------ results


def test_the_tables_hold_what_the_runs_were(study, whole):
    runs = pq.read_table(whole / "results" / "runs.parquet").to_pylist()
    rounds = pq.read_table(whole / "results" / "rounds.parquet").to_pylist()
    assert [row["run"] for row in runs] == [run.key for run in study.runs]
    assert [(row["client"], row["seed"]) for row in runs] == [("sgd", 0), ("sgd", 1), ("scaffold", 0), ("scaffold", 1)]
    for row in runs:
        measured = {r["round"]: r["value"] for r in rounds if r["run"] == row["run"] and r["metric"] == "test_accuracy"}
        assert list(measured) == [0, 10, 20, 30]
        assert (row["status"], row["rounds"], row["diverged_at"]) == ("finished", 30, None)
        assert row["test_accuracy"] == measured[30]
        reached = [round_ for round_, accuracy in measured.items() if accuracy >= 0.2]
        assert row["rounds_to_target"] == (reached[0] if reached else None)
        weights = checkpoint.load_trees(whole / "runs" / row["run"] / "weights.safetensors")[0]["x"]
        assert row["parameters"] == sum(leaf.numel() for leaf in weights.values()) == 64 * 16 + 16 + 16 * 10 + 10
        final = [
            r["value"] for r in rounds if (r["run"], r["metric"], r["round"]) == (row["run"], "distance_to_final", 30)
        ]
        assert final == [0.0]
    assert any(row["rounds_to_target"] for row in runs)
    assert {(row["headstart"], row["machine"]) for row in runs} == {(headstart.__version__, _machine())}
    assert all(abs(datetime.fromisoformat(row["ended"]) - datetime.now(UTC)) < timedelta(hours=1) for row in runs)
    assert (whole / "study.yaml").read_text() == study.resolved()
    assert_nothing_left_over(whole)


def test_runs_that_are_done_are_not_done_again(study, copy):
    before = {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/*")}
    events = []
    run_study(study, copy, watch=events.append)
    assert events == []
    assert {path: path.stat().st_mtime_ns for path in copy.glob("runs/*/*")} == before


def test_a_folder_tells_of_every_run_that_ends(study, copy):
    shutil.rmtree(copy / "runs" / study.runs[2].key)
    events = []
    run_study(study, copy, watch=events.append)
    assert [(e.done, e.total, e.run, e.status) for e in events] == [(4, 4, study.runs[2], "finished")]


def test_the_table_of_runs_says_how_many_were_planned(study, copy):
    shutil.rmtree(copy / "runs" / study.runs[0].key)
    Folder(copy).gather([run.key for run in study.runs], 0.2)
    table = pq.read_table(copy / "results" / "runs.parquet")
    assert (len(table), table.schema.metadata[b"planned"]) == (len(study.runs) - 1, str(len(study.runs)).encode())
    assert read(copy).planned == len(study.runs)


def test_a_record_from_before_its_time_was_kept_has_that_of_its_file(study, copy):
    path = copy / "runs" / study.runs[0].key / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps({name: record[name] for name in record if name not in ("ended", "machine")}))
    os.utime(path, (1e9, 1e9))
    runs, _ = Folder(copy).gather([study.runs[0].key], 0.2)
    assert (runs["ended"].to_pylist(), runs["machine"].to_pylist()) == (["2001-09-09T01:46:40+00:00"], [None])


def test_a_diverged_run_is_a_row(tmp_path):
    study = Study(
        task="digits", model="mlp(hidden=[16])", population=10, cohort=3, rounds=30, every=10, seeds=[0],
        client_rates=[0.1, 1e30], executor="loop", batch_size=64,
    )  # fmt: skip
    out = run_study(study, tmp_path / "out", checkpoint_seconds=0.0)
    good, bad = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    assert (good["status"], good["diverged_at"]) == ("finished", None)
    assert (bad["status"], bad["diverged_at"], bad["rounds"]) == ("diverged", 1, 1)
    assert bad["test_accuracy"] is None
    assert bad["test_loss"] is None
    rounds = pq.read_table(out / "results" / "rounds.parquet").to_pylist()
    assert {row["round"] for row in rounds if row["run"] == bad["run"]} == {0}
    assert_nothing_left_over(out)
    run_study(study, out)  # a diverged run is done
    assert pq.read_table(out / "results" / "runs.parquet").to_pylist()[1]["status"] == "diverged"


def test_the_threads_of_the_caller_stay_as_they_were(study, copy):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        run_study(study, copy)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


# ------------------------------------------------------------------------------------------------------- interruption

PARTS = [("clients", entry.name) for entry in CLIENTS] + [("servers", entry.name) for entry in SERVERS]
PARTS += [("clients", "mimelite(base='adam')"), ("clients", "sgd(momentum=0.5)"), ("servers", "adam@torch")]
PARTS += [("model", "cnn"), ("executor", "stacked"), ("clients", "sgd")]


class KilledError(Exception):
    pass


def in_one_go(run):
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    start = federation.network.initial(run.seed)
    return carry_out(federation, Progress(begin(federation, start)), run.rounds, run.every, probes)


def in_pieces(run, path):
    """The run, stopped after every round and taken up again from its checkpoint."""
    federation = federation_of(run)
    progress = Progress(begin(federation, federation.network.initial(run.seed)))

    def stop(progress):
        checkpoint.save(path, progress.state, progress.kept, {"rows": progress.rows})
        raise KilledError

    for _ in range(run.rounds):
        probes = [PROBES.build(probe, federation) for probe in run.probes]
        with pytest.raises(KilledError):
            carry_out(federation, progress, run.rounds, run.every, probes, stop)
        state, kept, note = checkpoint.load(path)
        progress = Progress(state, kept, [tuple(row) for row in note["rows"]])
    return carry_out(federation, progress, run.rounds, run.every, probes)


def flat(state):
    """A state as a list of names, bytes and numbers."""
    named = [
        state.x,
        state.server,
        state.shared,
        state.pseudo_gradient,
        *(state.memories[i] for i in sorted(state.memories)),
    ]
    leaves = [(name, leaf.dtype, leaf.shape, leaf.numpy().tobytes()) for tree in named for name, leaf in tree.items()]
    return leaves, sorted(state.memories), state.round, state.bytes_up, state.bytes_down, state.simulated_seconds


@pytest.mark.parametrize(("field", "written"), PARTS, ids=[f"{field}-{written}" for field, written in PARTS])
def test_a_run_stopped_after_every_round_ends_in_the_same_bits(field, written, tmp_path):
    keys = {"model": "mlp(hidden=[8], dropout=0.2)", "executor": "loop", "servers": "momentum", "clients": "scaffold"}
    (run,) = Study(**{
        **keys, "task": "digits", "population": 10, "cohort": 3, "batch_size": 60, "rounds": 5, "every": 2,
        "seeds": 1, "local_epochs": 2, "devices": "uneven-epochs", field: written,
    }).runs  # fmt: skip
    with one_thread():
        whole, pieces = in_one_go(run), in_pieces(run, tmp_path / "checkpoint")
    assert flat(pieces.state) == flat(whole.state)
    assert pieces.rows == whole.rows
    assert [round_ for round_, metric, _ in whole.rows if metric == "test_loss"] == [0, 2, 4, 5]
    assert whole.status == "finished"


def test_a_run_goes_on_from_its_checkpoint(study, copy, whole, tmp_path):
    run = study.runs[3]
    folder = copy / "runs" / run.key
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]

    def stop(progress):
        if progress.state.round == 17:
            # A time that only who reads this checkpoint can know.
            checkpoint.save(folder / CHECKPOINT, progress.state, progress.kept, {"rows": progress.rows, "seconds": 1e6})
            raise KilledError

    progress = Progress(begin(federation, federation.network.initial(run.seed)))
    with one_thread(), pytest.raises(KilledError):
        carry_out(federation, progress, run.rounds, run.every, probes, stop)
    for name in ("run.json", "rounds.parquet", "weights.safetensors"):
        (folder / name).unlink()
    run_study(study, copy)
    assert_equal_bits(copy, whole)
    assert json.loads((folder / "run.json").read_text())["seconds"] > 1e6
    assert_nothing_left_over(copy)


def test_an_interruption_leaves_tables_of_what_is_done(study, tmp_path, whole):
    def stop(event):
        if event.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_study(study, tmp_path / "out", watch=stop)
    expected_runs, expected_rounds = tables(whole)
    runs, rounds = tables(tmp_path / "out")
    assert runs.equals(expected_runs.slice(0, 2))
    assert rounds.equals(expected_rounds.slice(0, rounds.num_rows))
    run_study(study, tmp_path / "out")
    assert_equal_bits(tmp_path / "out", whole)


def test_an_error_is_not_hidden_by_one_of_gathering(study, tmp_path):
    def damage_and_stop(event):
        (tmp_path / "out" / "runs" / event.run.key / "rounds.parquet").write_bytes(b"")
        raise HeadstartError("what went wrong first")

    with pytest.raises(HeadstartError, match=r"^what went wrong first$"):
        run_study(study, tmp_path / "out", watch=damage_and_stop)


def test_an_error_of_the_system_is_one_line(study, copy):
    def fail(event):
        raise OSError(28, "No space left on device", "/somewhere")

    shutil.rmtree(copy / "runs" / study.runs[3].key)
    with pytest.raises(
        HeadstartError, match=r"^cannot go on in .*: \[Errno 28\] No space left on device: '/somewhere'$"
    ):
        run_study(study, copy, watch=fail)


def test_ctrl_c_does_not_reach_workers():
    sleeper = "import time; print('up', flush=True); time.sleep(60)"
    with _uninterrupted_children():
        process = subprocess.Popen([sys.executable, "-c", sleeper], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.3)
    process.kill()
    process.communicate()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, set())


def done(out):
    return len(list(out.glob("runs/*/run.json")))


def under_way(out):
    return any(path.exists() for path in out.glob(f"runs/*/{CHECKPOINT}"))


MOMENTS = {
    "the folder was made": lambda out: (out / "study.yaml").exists(),
    "a run was under way": under_way,
    "a run was done": lambda out: done(out) >= 1,
    "another was under way": lambda out: done(out) >= 2 and under_way(out),
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for orphans in /proc")
@pytest.mark.parametrize(("jobs", "moments"), [(1, list(MOMENTS)), (2, list(MOMENTS)[1::2])], ids=["jobs=1", "jobs=2"])
def test_killed_again_and_again_it_ends_in_the_same_bits(jobs, moments, file, study, whole, tmp_path):
    out = tmp_path / "out"
    for moment in [MOMENTS[name] for name in moments]:
        process = start(file, out, jobs)
        wait_for(lambda moment=moment: moment(out), process)
        workers = children(process)
        process.kill()
        process.wait()
        until = time.monotonic() + 5
        while (orphans := list(filter(is_alive, workers))) and time.monotonic() < until:
            time.sleep(0.01)
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
        assert not orphans, "a worker outlived the process that it worked for"
        process.communicate()
    rounds = [checkpoint.load(path)[0].round for path in out.glob(f"runs/*/{CHECKPOINT}")]
    assert rounds, "killed while a run was under way"
    assert all(0 < round_ <= 30 for round_ in rounds)
    assert 0 < done(out) < len(study.runs)
    last = start(file, out, jobs)
    assert last.communicate()[1] == ""
    assert last.returncode == 0
    assert_equal_bits(out, whole)
    assert_nothing_left_over(out)


@pytest.mark.slow
def test_two_processes_give_the_bits_of_one(study, whole, tmp_path):
    run_study(study, tmp_path / "out", jobs=2)
    assert_equal_bits(tmp_path / "out", whole)


def spawned(process):
    """The workers of a process."""
    return [pid for pid in children(process) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for workers in /proc")
@pytest.mark.parametrize(
    ("jobs", "moment"), [(1, "a run is under way"), (2, "a run is under way"), (2, "workers begin")]
)
def test_ctrl_c_ends_with_130_and_a_hint(jobs, moment, file, study, whole, tmp_path):
    out = tmp_path / "out"
    process = start(file, out, jobs, cli(file, out, jobs), start_new_session=True)
    if moment == "workers begin":
        wait_for(lambda: spawned(process), process)
    else:
        wait_for(lambda: done(out) >= 1 and under_way(out), process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert errors == f"interrupted; what is done is in {out}; run the same command again to go on\n"
    assert tables(out)[0].num_rows == done(out) < len(study.runs)
    assert done(out) >= 1 or moment == "workers begin"
    run_study(study, out)
    assert_equal_bits(out, whole)


@pytest.mark.slow
def test_a_killed_worker_gets_one_line(file, study, whole, tmp_path):
    out = tmp_path / "out"
    process = start(file, out, 2, cli(file, out, 2))
    wait_for(lambda: under_way(out), process)
    os.kill(spawned(process)[0], signal.SIGKILL)
    errors = process.communicate(timeout=30)[1]
    assert process.returncode == 2
    assert errors.startswith("error: a worker process was killed (out of memory?)")
    assert errors.count("\n") == 1
    run_study(study, out)
    assert_equal_bits(out, whole)


# ---------------------------------------------------------------------------------------------------------- bad folders


def test_a_second_process_on_a_folder_is_refused(study, copy):
    with filelock.FileLock(copy / ".lock"), pytest.raises(HeadstartError) as caught:
        run_study(study, copy)
    assert str(caught.value) == f"{copy} is in use by another headstart process; wait for it to end"


def test_a_folder_of_another_study_is_refused(study, copy, whole):
    other = Study(**{**study.file.model_dump(exclude_none=True), "rounds": 31})
    with pytest.raises(HeadstartError) as caught:
        run_study(other, copy)
    assert str(caught.value) == (
        f"{copy} holds the results of another study (in its study.yaml 'rounds: 30', here 'rounds: 31'); "
        "choose a new folder"
    )
    assert_equal_bits(copy, whole)


def test_a_folder_with_other_files_is_refused_and_left_as_it_is(study, tmp_path):
    (tmp_path / "thesis.tex").write_text("hello")
    with pytest.raises(HeadstartError) as caught:
        run_study(study, tmp_path)
    assert str(caught.value) == f"{tmp_path} holds files that are not a study's (thesis.tex); choose a new folder"
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_what_a_killed_process_leaves_behind_is_swept(study, copy, whole):
    done_run = copy / "runs" / study.runs[0].key
    (done_run / CHECKPOINT).write_bytes(b"killed before this was removed")
    (done_run / f".{CHECKPOINT}.123.partial").write_bytes(b"half")
    (copy / ".study.yaml.123.partial").write_bytes(b"ha")
    run_study(study, copy)
    assert_equal_bits(copy, whole)
    assert_nothing_left_over(copy)


def test_a_folder_killed_before_its_first_file_can_be_used(study, tmp_path):
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
    "one bit": lambda data: data[: len(data) // 3] + bytes([data[len(data) // 3] ^ 4]) + data[len(data) // 3 + 1 :],
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", ["rounds.parquet", "run.json"])
def test_a_damaged_file_of_a_run_is_named_before_anything_is_trained(name, damage, study, copy):
    shutil.rmtree(copy / "runs" / study.runs[3].key)
    path = copy / "runs" / study.runs[1].key / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    if (name, damage) == ("run.json", "one bit"):
        path.write_text(path.read_text().replace("{", "[", 1))
    with pytest.raises(HeadstartError) as caught:
        run_study(study, copy)
    line = str(caught.value)
    assert re.match(
        re.escape(f"{path} is damaged (") + r".+" + re.escape(f"); delete {path.parent} and run again"), line
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
def test_a_record_of_another_form_is_damaged(record, study, copy):
    path = copy / "runs" / study.runs[1].key / "run.json"
    path.write_text(record.replace("KEY", study.runs[1].key))
    with pytest.raises(HeadstartError, match=re.escape(f"{path} is damaged (")):
        run_study(study, copy)


def test_a_table_of_other_columns_is_refused(study, copy):
    path = copy / "runs" / study.runs[1].key / "rounds.parquet"
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "round", table["round"].cast("float64")), path)
    with pytest.raises(HeadstartError, match=r"rounds.parquet: expected the columns .*round \(int64\).*; delete"):
        run_study(study, copy)


def test_a_missing_table_is_named(study, copy):
    path = copy / "runs" / study.runs[1].key / "rounds.parquet"
    path.unlink()
    with pytest.raises(HeadstartError, match=re.escape(f"{path} is damaged (") + ".*No such file"):
        run_study(study, copy)


def test_damaged_results_are_made_anew(study, copy, whole):
    (copy / "results" / "runs.parquet").write_bytes(b"garbage")
    (copy / "results" / "rounds.parquet").unlink()
    run_study(study, copy)
    assert_equal_bits(copy, whole)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_checkpoint_is_named(damage, study, copy, whole):
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


def test_weights_are_no_checkpoint(study, copy):
    folder = copy / "runs" / study.runs[2].key
    (folder / "run.json").unlink()
    (folder / "weights.safetensors").rename(folder / CHECKPOINT)
    with pytest.raises(HeadstartError, match=re.escape(f"{folder / CHECKPOINT} is damaged (")):
        run_study(study, copy)


@pytest.mark.parametrize("damage", ["truncated", "garbage", "empty"])
def test_a_damaged_start_is_named(damage, tmp_path):
    study = Study(
        task="digits", model="mlp(hidden=[8])", starts="proxy(task='rendered-digits(examples=100)', epochs=1)",
        population=10, cohort=3, rounds=1, seeds=[0], executor="loop", batch_size=64,
    )  # fmt: skip
    out = run_study(study, tmp_path / "out")
    (path,) = (out / "starts").iterdir()
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    shutil.rmtree(out / "runs")
    with pytest.raises(HeadstartError) as caught:
        run_study(study, out)
    assert str(caught.value).startswith(f"{path} is damaged (")
    assert "delete it and run again" in str(caught.value)


@pytest.mark.parametrize("out", ["/proc/headstart", "{file}/below", "{file}"])
def test_a_folder_that_cannot_be_made_gets_one_line(out, study, file):
    out = out.replace("{file}", str(file))
    with pytest.raises(HeadstartError, match=f"^cannot write {re.escape(out)}: [A-Za-z ]+$"):
        run_study(study, Path(out))


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 48 KiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=48k,nr_inodes=200", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a disk needs root")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_no_permission_to_write_gets_one_line(study, copy, tiny_disk):
    if os.geteuid() != 0:
        copy.chmod(0o500)
    else:  # root may write everywhere but on a disk that is read-only
        shutil.copytree(copy, tiny_disk / "out", ignore=lambda folder, names: [n for n in names if n == "runs"])
        subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
        copy = tiny_disk / "out"
    with pytest.raises(HeadstartError, match=f"^cannot write {re.escape(str(copy))}.*: [A-Z][A-Za-z -]+$"):
        run_study(study, copy)


def test_a_full_disk_gets_one_line_and_leaves_no_half_file(study, tiny_disk, whole, tmp_path):
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
def test_a_file_that_may_not_grow_gets_one_line_and_exit_2(jobs, file, study, whole, tmp_path):
    def small_files_only():
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
def test_the_command_line_refuses_a_folder_in_use_with_exit_2(file, copy):
    with filelock.FileLock(copy / ".lock"):
        process = start(file, copy, 1, cli(file, copy))
        errors = process.communicate(timeout=60)[1]
    assert (process.returncode, errors) == (
        2, f"error: {copy} is in use by another headstart process; wait for it to end\n",
    )  # fmt: skip


def test_no_study_trains_before_all_of_it_is_checked(tmp_path):
    study = Study(task="digits", model="mlp", population=10, cohort=3, partitions=["iid", "natural"], seeds=[0])
    with pytest.raises(HeadstartError, match="natural"):
        run_study(study, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_carry_out_run_is_what_a_worker_does(study, whole, tmp_path):
    with one_thread():
        assert carry_out_run(study.runs[0], tmp_path, checkpoint_seconds=10.0) == "finished"
    mine, theirs = (folder / "runs" / study.runs[0].key / "rounds.parquet" for folder in (tmp_path, whole))
    assert mine.read_bytes() == theirs.read_bytes()


def test_a_start_whose_file_has_changed_is_not_mixed_in(tmp_path):
    weights, out = tmp_path / "weights.safetensors", tmp_path / "out"
    keys = {"task": "digits", "model": "logistic", "population": 5, "cohort": 2, "rounds": 1, "seeds": [0]}
    checkpointed = Study(**keys, starts=f"checkpoint(path={str(weights)!r})")
    network = network_of(checkpointed.model, checkpointed.task)
    weights.write_bytes(safetensors.torch.save(network.initial(1)))
    run_study(checkpointed, out)
    run_study(checkpointed, out)  # unchanged: nothing to do, nothing to say
    weights.write_bytes(safetensors.torch.save(network.initial(2)))
    with pytest.raises(HeadstartError, match=r"^checkpoint\(.*\): .* has changed .* put it back or"):
        run_study(checkpointed, out)


def test_a_task_whose_file_has_changed_is_not_mixed_in(tmp_path):
    """That of the study, and that which its start was pre-trained on."""
    generator, out = np.random.Generator(np.random.Philox(key=5)), tmp_path / "out"
    for name in ("own", "proxy"):
        columns = {"split": ["train"] * 30 + ["test"] * 10, "label": pa.array(np.arange(40) % 26, pa.uint8())}
        columns["image"] = pa.array([image.tobytes() for image in generator.integers(0, 256, (40, 784), np.uint8)])
        pq.write_table(pa.table(columns), tmp_path / f"{name}.parquet")
    own, proxy = (f"emnist-letters(path='{tmp_path}/{name}.parquet', validation=2)" for name in ("own", "proxy"))
    study = Study(
        task=own, model="logistic", starts={"proxy": {"task": proxy, "epochs": 1}}, population=3, cohort=2, rounds=1,
        seeds=[0], executor="loop",
    )  # fmt: skip
    run_study(study, out)
    assert len(json.loads((out / "starts" / "contents.json").read_text())) == 2
    run_study(study, out)  # unchanged: nothing to do, nothing to say
    for name in ("own", "proxy"):
        path = tmp_path / f"{name}.parquet"
        before = path.read_bytes()
        pq.write_table(pq.read_table(path).slice(0, 39), path)
        task_of.cache_clear()
        emnist_letters.cache_clear()
        with pytest.raises(HeadstartError, match=rf"^task emnist-letters\(path='.*{name}.parquet'.*: .* has changed"):
            run_study(study, out)
        path.write_bytes(before)


def test_a_device_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"device: torch cannot use 'nowhere' here \(.*\); choose cpu or another"):
        run_study(Study(task="digits", model="logistic", device="nowhere"), tmp_path)
    assert not (tmp_path / "runs").exists()
