"""Probes that were added to a run that is done end as if they had been there from the start."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.study.small_studies import study

from headstart.study.folder.added_probes import hand_over_rows, is_handed_over
from headstart.study.folder.store import Folder
from headstart.study.runner import run_study

KEYS: dict[str, Any] = {
    "model": "logistic", "rounds": 2, "every": 1, "executor": "loop", "client_rates": 0.1,
    "server_rates": 1.0,
}  # fmt: skip
PROBES = ["evaluation", "curvature(rows=8, products=2, at='both')"]


def rounds(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(folder / "results" / "rounds.parquet").to_pylist()
    return [{name: value for name, value in row.items() if name != "run"} for row in rows]


def test_a_run_is_told_which_one_it_takes_over_from(tmp_path: Path) -> None:
    (run,) = study(**KEYS).runs
    folder = Folder(tmp_path)
    assert not is_handed_over(folder, run)
    hand_over_rows(folder, "another", run)
    assert is_handed_over(folder, run)


def test_rows_are_those_of_a_run_that_had_the_probe_from_the_start(tmp_path: Path) -> None:
    run_study(study(**KEYS, probes=PROBES[:1]), tmp_path / "grown")
    run_study(study(**KEYS, probes=PROBES), tmp_path / "grown")
    run_study(study(**KEYS, probes=PROBES), tmp_path / "whole")
    assert rounds(tmp_path / "grown") == rounds(tmp_path / "whole")
