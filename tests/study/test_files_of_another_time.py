"""What lies in a file is what is used: not what lay there before,
nor what belongs to another run.
"""

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.study.folder.store import JOURNAL, STATE
from headstart.study.runner import run_study
from headstart.study.spec import Study

SMALL = {"model": "logistic", "cohort": 3, "batch_size": 16, "client_rates": 0.3}


def accuracies(out: Path) -> dict[int, float]:
    rows = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    return {row["seed"]: row["test_accuracy"] for row in rows}


def digits(folder: Path, name: str, **keys: Any) -> Study:
    study = {
        "task": "digits",
        "population": 10,
        "seeds": [0, 1],
        "starts": "random",
        **SMALL,
        **keys,
    }
    (folder / name).write_text(yaml.safe_dump(study))
    return Study.load(folder / name)


def test_a_table_that_changes_while_the_process_lives_is_read_again(tmp_path: Path) -> None:
    """Labels that x1 decides, then the same rows with labels that nothing decides."""
    table = f"table(path='{tmp_path}/visits.csv', label='y', client='c', split_by='row')"
    found = []
    for i, of_row in enumerate((lambda k, x: x > 0.5, lambda k, x: k // 7 % 2)):
        rows = [
            f"k{k % 5},{(k * 37 % 101) / 101:.3f},{int(of_row(k, (k * 37 % 101) / 101))}"
            for k in range(300)
        ]
        (tmp_path / "visits.csv").write_text("\n".join(["c,x1,y", *rows]))
        study = Study(
            task=table, partitions="natural", rounds=15, seeds=0, starts="random", **SMALL
        )
        found.append(accuracies(Path(run_study(study, tmp_path / f"out-{i}")))[0])
    assert found[0] > 0.8
    assert found[1] < 0.7


def test_the_state_of_another_run_is_not_gone_on_from(tmp_path: Path) -> None:
    run_study(digits(tmp_path, "a.yaml", rounds=3), tmp_path / "out")
    first, second = sorted((tmp_path / "out" / "runs").iterdir())
    for name in (STATE, JOURNAL):
        shutil.copy(first / name, second / name)
    run_study(digits(tmp_path, "b.yaml", rounds=5), tmp_path / "out", tell=lambda line: None)
    run_study(digits(tmp_path, "b.yaml", rounds=5), tmp_path / "at-once")
    assert accuracies(tmp_path / "out") == accuracies(tmp_path / "at-once")


def test_a_start_under_the_name_of_another_one_is_made_again(tmp_path: Path) -> None:
    def study(name: str, epochs: int) -> Study:
        start = f"proxy(task='rendered-digits(examples=200)', epochs={epochs})"
        return digits(tmp_path, name, starts=start, rounds=1, seeds=0)

    run_study(study("one.yaml", 1), tmp_path / "one")
    run_study(study("three.yaml", 3), tmp_path / "three")
    (mine,) = (tmp_path / "one" / "starts").glob("pre-trained-*.safetensors")
    (other,) = (tmp_path / "three" / "starts").glob("pre-trained-*.safetensors")
    right = accuracies(tmp_path / "one")
    assert accuracies(tmp_path / "three") != right
    shutil.rmtree(tmp_path / "one" / "runs")
    shutil.copy(other, mine)
    with pytest.warns(UserWarning, match="holds what another start is made of; it is made again"):
        run_study(study("one.yaml", 1), tmp_path / "one", tell=lambda line: None)
    assert accuracies(tmp_path / "one") == right


PROBE = """
from headstart.probes.base import Probe
def probe(federation):
    return Probe(measure=lambda moment: {{"mine": {value}}})
"""


def test_a_probe_of_ones_own_may_not_change_between_runs(tmp_path: Path) -> None:
    module = tmp_path / "own_probe_of_test.py"
    module.write_text(PROBE.format(value=1.0))
    probes = ["evaluation", "own_probe_of_test:probe"]
    run_study(digits(tmp_path, "a.yaml", probes=probes, seeds=0, rounds=1), tmp_path / "out")
    module.write_text(PROBE.format(value=2.0))
    again = digits(tmp_path, "b.yaml", probes=probes, seeds=[0, 1], rounds=1)
    with pytest.raises(HeadstartError, match=r"own_probe_of_test.*has changed"):
        run_study(again, tmp_path / "out")
