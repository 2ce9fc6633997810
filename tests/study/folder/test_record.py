"""What a record says of a run that ended: what it was, where it ended, and on what."""

from tests.study.small_studies import study

import headstart
from headstart.engine.federation import State
from headstart.study.data import task_of
from headstart.study.file.run_spec import SCHEMA
from headstart.study.folder.record import record_of
from headstart.study.rounds import Progress
from headstart.tables import RUNS


def test_a_record_has_the_columns_of_the_table_and_its_specification() -> None:
    (run,) = study(evaluate_on="validation").runs
    progress = Progress(State(7, {}, {}, {}, bytes_up=10, bytes_down=20, simulated_seconds=3.5))
    progress.diverged_at = 7
    choice = {"executor": "loop", "timings": {"loop": 0.1}}
    record = record_of(run, choice, progress, parameters=42, seconds=1.5, note="a note")
    task = task_of(run.task)
    expected = {
        "run": run.key, "status": "diverged", "diverged_at": 7, "rounds": 7, "bytes_up": 10,
        "bytes_down": 20, "simulated_seconds": 3.5, "parameters": 42, "seconds": 1.5,
        "executor": "loop", "executor_timings": {"loop": 0.1}, "begun_with": "a note",
        "headstart": headstart.__version__, "schema": SCHEMA, "executor_fallback": None,
        "test_predictions": len(task.validation), "task": "digits", "spec": run.spec(),
    }  # fmt: skip
    assert {name: record[name] for name in expected} == expected
    measured = {"test_accuracy", "test_loss", "rounds_to_target"}
    assert set(RUNS.names) - measured <= record.keys()
