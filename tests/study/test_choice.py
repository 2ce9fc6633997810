"""`executor: auto`: timed once, written down, and the same for all who come later."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from headstart.errors import HeadstartError
from headstart.study.choice import FILE
from headstart.study.runner import run_study
from headstart.study.spec import Study

KEYS = {
    "task": "digits", "model": "logistic", "clients": ["sgd", "scaffold"], "executor": "auto", "population": 10,
    "cohort": 3, "rounds": 2, "seeds": [0], "server_rates": 1.0,
}  # fmt: skip


def table(out: Path) -> list[dict[str, object]]:
    rows = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    return [{name: value for name, value in row.items() if name not in ("seconds", "run", "executor")} for row in rows]


def test_the_fastest_is_written_down_and_used(tmp_path: Path) -> None:
    run_study(Study(**KEYS), tmp_path)
    timed = json.loads((tmp_path / FILE).read_text())
    assert timed.keys() == {"sgd", "scaffold"}
    used = pq.read_table(tmp_path / "results" / "runs.parquet").to_pylist()
    for row in used:
        seconds = timed[row["client"]]
        assert seconds.keys() == {"loop", "stacked", "threads(workers=1)"}
        assert row["executor"] == min(seconds, key=seconds.__getitem__)


@pytest.mark.parametrize("chosen", ["loop", "stacked"])
def test_a_choice_that_was_made_holds_and_gives_that_executors_bits(chosen: str, tmp_path: Path) -> None:
    auto, plain = tmp_path / "auto", tmp_path / "plain"
    study = Study(**KEYS)
    auto.mkdir()
    (auto / "study.yaml").write_text(study.resolved())
    (auto / FILE).write_text(
        json.dumps(dict.fromkeys(("sgd", "scaffold"), {"loop": 1.0, "stacked": 1.0} | {chosen: 0.5}))
    )
    run_study(study, auto)
    run_study(Study(**{**KEYS, "executor": chosen}), plain)
    assert table(auto) == table(plain)


def test_a_damaged_choice_is_one_line(tmp_path: Path) -> None:
    study = Study(**KEYS)
    (tmp_path / "study.yaml").write_text(study.resolved())
    (tmp_path / FILE).write_text("{")
    with pytest.raises(HeadstartError, match=r"executors\.json is damaged .*; delete it"):
        run_study(study, tmp_path)
