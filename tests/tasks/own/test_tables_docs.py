"""docs/data.md: every table of its page is built from files as it says,
and its proxy of text is trained.
"""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from headstart import cli
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.base import TASKS, Task

PAGE = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
EXAMPLES = {
    example["task"]["table"]["path"]: example
    for example in map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
}
DRAW = np.random.Generator(np.random.Philox(key=3))


def csv(path: Path, header: str, rows: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows]))


def lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(map(json.dumps, rows)))


def numbers(count: int) -> list[float]:
    return [round(float(value), 2) for value in DRAW.normal(size=count)]


def written(folder: Path) -> None:
    """Files as the page speaks of them."""
    visits = [
        f"{x},{y},{i % 2}" for i, (x, y) in enumerate(zip(numbers(30), numbers(30), strict=True))
    ]
    for clinic in ("north", "south", "west"):
        csv(folder / "clinics" / f"{clinic}.csv", "x1,x2,ill", visits)
        csv(folder / "visits" / f"clinic={clinic}" / "part-0.csv", "x1,x2,ill", visits)
    csv(
        folder / "visits.csv",
        "clinic,age,dose,outcome",
        [f"c{i % 9},{i * i % 70},{i * 7 % 5},{'ab'[i % 2]}" for i in range(60)],
    )
    for part, dot in (("train", ""), ("test", ".")):
        people = []
        for i in range(40):
            who = f"{20 + i * i % 40},{'' if i == 3 else i},s{i % 4}"
            work = f"{('cook', 'nurse')[i % 2]},{'fm'[i % 2]}, {('<=50K', '>50K')[i // 2 % 2]}{dot}"
            people.append(f"{who},{work}")
        csv(folder / "adult" / f"{part}.csv", "age,hours,sector,job,sex,income", people)
    lines(
        folder / "notes.jsonl",
        [{"ward": f"w{i % 9}", "embedding": numbers(5), "topic": "ab"[i % 2]} for i in range(60)],
    )
    pixels = ",".join(f"p{i}" for i in range(64))
    images = [",".join(map(str, DRAW.integers(0, 17, 64))) for _ in range(60)]
    csv(
        folder / "digits.csv",
        f"writer,{pixels},digit",
        [f"w{i % 9},{image},{i % 2}" for i, image in enumerate(images)],
    )
    for part in ("train", "test"):
        data = {f"u{k}": {"x": [numbers(3) for _ in range(6)], "y": [0, 1] * 3} for k in range(4)}
        (folder / "synthetic" / "data" / part).mkdir(parents=True)
        content = {"users": list(data), "num_samples": [6] * 4, "user_data": data}
        (folder / "synthetic" / "data" / part / "mytrain.json").write_text(json.dumps(content))
    said = ("of tea and milk", "of ale and wine")
    lines(
        folder / "letters.jsonl",
        [{"writer": f"w{i % 10}", "body": said[i % 2], "topic": i % 2} for i in range(60)],
    )
    lines(
        folder / "archive.jsonl",
        [{"body": f"{said[i % 2]} of old", "topic": i % 2} for i in range(60)],
    )


EXPECTED = {
    "visits.csv": ((2,), 2, "features: age, dose"),
    "clinics": ((2,), 2, "features: x1, x2"),
    "visits": ((2,), 2, "features: x1, x2"),
    "adult": ((7,), 2, "features: age, hours, hours is empty, job=cook, job=nurse, sex=f, sex=m"),
    "notes.jsonl": (
        (5,),
        2,
        "features: embedding[0], embedding[1], embedding[2], embedding[3], embedding[4]",
    ),
    "digits.csv": ((1, 8, 8), 2, "features: p0, p1, p2, p3, p4, p5, p6, p7 and 56 more"),
    "synthetic/data": ((3,), 2, "features: x[0], x[1], x[2]"),
    "letters.jsonl": ((6,), 2, None),
}


def test_every_table_of_the_page_is_expected() -> None:
    assert EXAMPLES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("path", EXPECTED)
def test_the_tables_of_the_page_are_read(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    shape, classes, note = EXPECTED[path]
    made: Task = TASKS.build(TASKS.component(EXAMPLES[path]["task"]))
    assert made.input_shape == shape
    assert len(made.classes) == classes
    assert note is None or made.notes[0] == note
    assert len(made.natural_clients) > 1


def test_a_table_is_inspected_and_its_proxy_of_text_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path)
    monkeypatch.chdir(tmp_path)
    task = "table(path='clinics', client='(file)', label='ill', split_by='row')"
    done = CliRunner().invoke(cli.app, ["inspect", "--task", task])  # type: ignore[attr-defined]
    assert done.exit_code == 0, done.output
    assert "  features: x1, x2" in done.output.splitlines()
    keys = {"model": "logistic", "partitions": "natural", "cohort": 3, "rounds": 1, "every": 1}
    study = Study(**{**EXAMPLES["letters.jsonl"], **keys, "seeds": [0], "executor": "loop"})
    run_study(study, tmp_path / "out")
    proxied = study.runs[1].start
    assert "like=" in str(proxied)
    rounds = pq.read_table(tmp_path / "out" / "results" / "rounds.parquet").to_pylist()
    first = {
        row["run"]: row["value"]
        for row in rounds
        if (row["round"], row["metric"]) == (0, "test_accuracy")
    }
    assert first[study.runs[1].key] == 1.0  # the archive knows already that tea is not ale
