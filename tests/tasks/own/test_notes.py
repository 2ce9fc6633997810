"""How a table was read is said wherever a user looks: `check`, `inspect`, the page."""

from pathlib import Path

import yaml
from typer.testing import CliRunner

from headstart import cli
from headstart.report.judgement.reading import read
from headstart.report.pages import study_page as page
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.base import TASKS

SAID = ("features: x1, x2", "left out, as they number the rows: ''")


def test_the_features_are_named_where_a_user_looks(tmp_path: Path) -> None:
    rows = [
        f"{i},c{i % 5},{i * 37 % 11},{i * 13 % 7},{'healthy' if i < 30 else 'ill'}"
        for i in range(60)
    ]
    (tmp_path / "visits.csv").write_text("\n".join([",clinic,x1,x2,outcome", *rows]))
    table = {
        "path": str(tmp_path / "visits.csv"),
        "client": "clinic",
        "label": "outcome",
        "split_by": "row",
    }
    study = {"task": {"table": table}, "model": "logistic", "partitions": "natural", "cohort": 3,
             "rounds": 2, "seeds": [0], "executor": "loop"}  # fmt: skip
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(study))
    for command in ("check", "inspect"):
        done = CliRunner().invoke(cli.app, [command, str(tmp_path / "study.yaml")])  # type: ignore[attr-defined]
        assert done.exit_code == 0, done.output
        for note in SAID:
            assert any(line.endswith(note) for line in done.output.splitlines())
    run_study(Study.load(tmp_path / "study.yaml"), tmp_path / "out")
    text = page.write(tmp_path / "out").read_text()
    assert "features: x1, x2; left out, as they number the rows: &#39;&#39;" in text


def test_clients_that_no_partition_uses_are_told_by_check_and_on_the_page(tmp_path: Path) -> None:
    rows = [f"c{i % 5},{i * 37 % 11},{'healthy' if i < 30 else 'ill'}" for i in range(60)]
    (tmp_path / "visits.csv").write_text("\n".join(["clinic,x1,outcome", *rows]))
    table = {
        "path": str(tmp_path / "visits.csv"),
        "client": "clinic",
        "label": "outcome",
        "split_by": "row",
    }
    study = {"task": {"table": table}, "model": "logistic", "population": 8, "cohort": 3,
             "rounds": 1, "seeds": [0], "executor": "loop"}  # fmt: skip
    told = {}
    for partitions in ("iid", "natural"):
        own = {
            **study,
            "partitions": partitions,
            "population": 8 if partitions == "iid" else "natural",
        }
        (tmp_path / "study.yaml").write_text(yaml.safe_dump(own))
        done = CliRunner().invoke(cli.app, ["check", str(tmp_path / "study.yaml")])  # type: ignore[attr-defined]
        run_study(Study.load(tmp_path / "study.yaml"), tmp_path / partitions)
        told[partitions] = done.output, read(tmp_path / partitions).cautions.sentences
    said = (
        "  note: your 5 clients are not used, 8 made-up ones have their rows; partitions: natural"
    )
    assert said in told["iid"][0].splitlines()
    caution = (
        "The 5 clients that the study names are not used, 8 made-up ones have their rows: "
        "write partitions: natural."
    )
    assert caution in told["iid"][1]
    output, sentences = told["natural"]
    assert "made-up" not in " ".join([output, *sentences])


def test_names_that_may_be_gaps_are_told(tmp_path: Path) -> None:
    rows = [
        f"{'NA' if i % 7 == 0 else f'c{i % 5}'},{i * 37 % 11},{('ill', 'healthy', 'None')[i % 3]}"
        for i in range(60)
    ]
    (tmp_path / "visits.csv").write_text("\n".join(["clinic,x1,outcome", *rows]))
    made = TASKS.build(TASKS.component({"table": {"path": str(tmp_path / "visits.csv"),
                                                  "client": "clinic", "label": "outcome",
                                                  "split_by": "row"}}))  # fmt: skip
    assert "'None' is a class as any other; where it means a gap, leave its rows out" in made.notes
    assert "'NA' is a client as any other; where it means a gap, leave its rows out" in made.notes
