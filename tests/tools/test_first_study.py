"""`headstart init`: what the columns of a table are taken for, and that the study file runs as it is written."""

import json
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from typer.testing import CliRunner

from headstart import cli
from headstart.errors import HeadstartError
from headstart.study.spec import Study
from headstart.tools.columns import columns_of
from headstart.tools.first_study import write_first_study


def visits(folder: Path) -> Path:
    """600 visits to 20 clinics: pandas' row numbers, a gap, words, and words that nothing can be learnt from."""
    lines = [",clinic,age,dose,sex,note,outcome"]
    for i in range(600):
        dose = "" if i == 7 else f"{i % 5}.5"
        lines.append(
            f"{i},clinic {i % 20},{20 + i % 60},{dose},{'mf'[i % 2]},note{i},{'better' if i % 60 > 30 else 'same'}"
        )
    path = folder / "visits.csv"
    path.write_text("\n".join(lines))
    return path


def table_of(path: Path) -> dict[str, object]:
    return dict(Study.load(path).task.changed)


def test_a_table_of_visits_becomes_a_study_that_runs(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    visits(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.app, ["init", "data/visits.csv", "--out", "studies/first.yaml"])
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [
        "  client: clinic (20 of them), by its name",
        "  label: outcome (2 classes), by its name",
        "  features: age, dose",
        "  categories: sex",
        "  gaps: an empty cell is the mean of its column",
        "  left out: note (row numbers, or too many words)",
        "  432 rows to train on, 48 to validate on, 120 to test on",
        "study: studies/first.yaml",
        "next: headstart check studies/first.yaml, then headstart run studies/first.yaml --out out",
    ]
    study = Study.load("studies/first.yaml")
    assert str(study.task).startswith("table(path='../data/visits.csv', label='outcome', client='clinic'")
    assert (len(study.runs), study.population) == (12, 20)
    again = CliRunner().invoke(cli.app, ["init", "data/visits.csv", "--out", "studies/first.yaml"])
    assert str(again.exception) == "studies/first.yaml is there already; give another name (--out)"


def test_columns_that_are_named_are_not_guessed(tmp_path):
    made = write_first_study(visits(tmp_path), tmp_path / "a.yaml", label="sex", client="outcome")
    found = table_of(made.path)
    assert (found["label"], found["client"]) == ("sex", "outcome")
    with pytest.raises(HeadstartError, match=r"^--label: no column 'sexx'; did you mean 'sex'\?$"):
        write_first_study(tmp_path / "visits.csv", tmp_path / "b.yaml", label="sexx")


def test_without_a_client_rows_are_dealt(tmp_path):
    flowers = load_iris()
    rows = [
        ",".join([*map(str, row), flowers.target_names[kind]])
        for row, kind in zip(flowers.data, flowers.target, strict=True)
    ]
    (tmp_path / "iris.csv").write_text("\n".join(["a,b,c,d,species", *rows]))
    made = write_first_study(tmp_path / "iris.csv", tmp_path / "study.yaml")
    assert made.guesses[0] == "client: no column looks like one; rows are dealt to clients by a draw"
    assert table_of(made.path)["features"] == ("a", "b", "c", "d")
    study = Study.load(made.path)
    assert (study.population, str(study.runs[0].partition)) == (7, "dirichlet(alpha=0.3)")


def test_text_is_predicted_by_its_label_or_token_by_token(tmp_path):
    bodies = ["the tea of the king", "of tea and more ale", "the ale is in the cellar"]
    rows = [{"author": f"p{i % 9}", "body": bodies[i % 3], "topic": ["tea", "ale"][i % 2]} for i in range(90)]
    for name, keys in (("posts", ("author", "body", "topic")), ("plain", ("author", "body"))):
        lines = [json.dumps({key: row[key] for key in keys}) for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    labelled = Study.load(write_first_study(tmp_path / "posts.jsonl", tmp_path / "a.yaml").path)
    assert (labelled.model.name, dict(labelled.task.changed)["text"]) == ("logistic", "body")
    next_tokens = Study.load(write_first_study(tmp_path / "plain.jsonl", tmp_path / "b.yaml").path)
    assert (next_tokens.model.name, "label" in dict(next_tokens.task.changed)) == ("lstm", False)


def test_what_makes_no_study_is_one_line_and_leaves_no_file(tmp_path):
    (tmp_path / "numbers.csv").write_text("a,b\n" + "".join(f"{i}.5,{i}.25\n" for i in range(50)))
    with pytest.raises(
        HeadstartError, match=r"numbers.csv: no column looks like classes; name one of 'a', 'b' \(--label"
    ):
        write_first_study(tmp_path / "numbers.csv", tmp_path / "study.yaml")
    (tmp_path / "odd.csv").write_text("site,label\n" + "".join(f"s{i % 3},{i % 2}\n" for i in range(30)))
    with pytest.raises(HeadstartError, match=r"name the columns: --label, --client$"):
        write_first_study(tmp_path / "odd.csv", tmp_path / "study.yaml")
    assert not (tmp_path / "study.yaml").exists()


@pytest.mark.parametrize("name", ["a: b", "010", "yes", "[x", "é, ü", "it's", '"', "#"])
def test_names_that_yaml_would_take_for_something_else(name, tmp_path):
    lines = [f"s{i % 6};{i % 7};{'ab'[i % 2]}".replace(";", ",") for i in range(60)]
    quoted = '"' + name.replace('"', '""') + '"'
    (tmp_path / "t.csv").write_text("\n".join([f"site,{quoted},label", *lines]), encoding="utf-8")
    assert table_of(write_first_study(tmp_path / "t.csv", tmp_path / "study.yaml").path)["features"] == (name,)


def test_numbers_of_rows_are_no_feature(tmp_path):
    (tmp_path / "t.csv").write_text("id,x,y\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(30)))
    assert [(column.name, column.counts) for column in columns_of(tmp_path / "t.csv")] == [
        ("id", True), ("x", False), ("y", False),
    ]  # fmt: skip


def test_of_a_folder_each_file_is_a_client(tmp_path):
    (tmp_path / "sites").mkdir()
    for site in "abcd":
        lines = [f"{i % 9},{i % 4},{'ill' if i % 9 > 4 else 'well'}" for i in range(40)]
        (tmp_path / "sites" / f"site_{site}.csv").write_text("\n".join(["x,z,state", *lines]))
    made = write_first_study(tmp_path / "sites", tmp_path / "study.yaml")
    assert made.guesses[0] == "client: (file) (4 of them), each file is one"
    found = table_of(made.path)
    assert (found["client"], found["label"], found["features"]) == ("(file)", "state", ("x", "z"))
