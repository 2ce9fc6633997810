"""What the commands that run studies say at their end."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from headstart import cli
from headstart.report.judgement.reading import read


def test_a_study_ends_with_its_verdict_and_its_page(tmp_path: Path) -> None:
    rows = [f"c{i % 5},{i * 37 % 11},{'healthy' if i % 11 < 5 else 'ill'}" for i in range(60)]
    (tmp_path / "visits.csv").write_text("\n".join(["clinic,x1,outcome", *rows]))
    table = {
        "path": str(tmp_path / "visits.csv"),
        "client": "clinic",
        "label": "outcome",
        "split_by": "row",
    }
    study = {"task": {"table": table}, "model": "logistic", "partitions": "natural", "cohort": 3,
             "rounds": 2, "servers": ["sgd", "momentum"], "seeds": [0, 1], "executor": "loop",
             "tuning": {"trials": 1, "seeds": [7]}}  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    asked = ["run", str(tmp_path / "study.yaml"), "--out", str(tmp_path / "out"), "--jobs", "1"]
    done = CliRunner().invoke(cli.app, asked)  # type: ignore[attr-defined]
    assert done.exit_code == 0, done.output
    said = read(tmp_path / "out").verdict.lines
    progress, ended, *verdict, page = done.stdout.splitlines()[-3 - len(said) :]
    assert progress.startswith("2 of 2 searches, 4 of 4 runs, ")
    assert ended.startswith("2 searches, 4 runs in ")
    assert verdict == list(said)
    assert page == f"report: {tmp_path / 'out' / 'report.html'}"
