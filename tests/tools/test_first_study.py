"""`headstart init`: what the columns of a table are taken for,
and that the study file runs as it is written.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sklearn.datasets import load_iris
from typer.testing import CliRunner

from headstart import cli
from headstart.engine.federation import begin
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES
from headstart.study.federations import federation_of
from headstart.study.rounds import Progress, do_rounds
from headstart.study.spec import Study
from headstart.tools.column_guesses import columns_of
from headstart.tools.first_study import write_first_study


def visits(folder: Path) -> Path:
    """600 visits to 20 clinics: pandas' row numbers, a gap, words,
    and words that nothing can be learnt from.
    """
    lines = [",clinic,age,dose,sex,note,outcome"]
    for i in range(600):
        dose = "" if i == 7 else f"{i % 5}.5"
        lines.append(
            f"{i},clinic {i % 20},{20 + i % 60},{dose},{'mf'[i % 2]},note{i},"
            f"{'better' if i % 60 > 30 else 'same'}"
        )
    path = folder / "visits.csv"
    path.write_text("\n".join(lines))
    return path


def table_of(path: Path) -> dict[str, Any]:
    return dict(Study.load(path).task.changed)


def test_a_table_of_visits_becomes_a_study_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    visits(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(cli.app, ["init", "data/visits.csv", "--out", "studies/first.yaml"])  # type: ignore[attr-defined]
    assert result.exit_code == 0, result.exception
    assert result.stdout.splitlines() == [
        "  client: clinic (20 of them), by its name",
        "  label: outcome (2 classes), by its name",
        "  features: age, dose",
        "  categories: sex",
        "  gaps: an empty cell, or NA or the like in it, is the mean of its column",
        "  left out: note (600 different texts)",
        "  432 rows to train on, 48 to validate on, 120 to test on",
        "study: studies/first.yaml",
        "next: headstart check studies/first.yaml, then headstart run studies/first.yaml --out out",
    ]
    study = Study.load("studies/first.yaml")
    assert str(study.task).startswith(
        "table(path='../data/visits.csv', label='outcome', client='clinic'"
    )
    assert (len(study.runs), study.population) == (12, 20)
    again = CliRunner().invoke(cli.app, ["init", "data/visits.csv", "--out", "studies/first.yaml"])  # type: ignore[attr-defined]
    assert str(again.exception) == "studies/first.yaml is there already; give another name (--out)"


def test_what_numbers_the_rows_is_left_out_as_by_a_study_that_names_no_features(
    tmp_path: Path,
) -> None:
    numbers = list(range(10_000, 10_200))
    random.Random(0).shuffle(numbers)
    rows = [f"{number},shop {i % 8},{i * i % 37},{i % 2}" for i, number in enumerate(numbers)]
    (tmp_path / "shops.csv").write_text("\n".join(["customer_id,shop,age,label", *rows]))
    made = write_first_study(tmp_path / "shops.csv", tmp_path / "study.yaml")
    assert table_of(made.path)["features"] == ("age",)
    comment = "# left out, as they number the rows: 'customer_id'; in `features` they are kept"
    assert comment in made.path.read_text()
    assert "left out: customer_id (row numbers)" in made.guesses


def test_pixels_in_columns_are_hinted_at(tmp_path: Path) -> None:
    draw = random.Random(0)
    names = [f"p{i}" for i in range(16)]
    rows = []
    for i in range(200):
        rows.append(",".join([f"w{i % 5}", str(i % 2), *(str(draw.random()) for _ in names)]))
    (tmp_path / "pixels.csv").write_text("\n".join([",".join(["writer", "label", *names]), *rows]))
    made = write_first_study(tmp_path / "pixels.csv", tmp_path / "study.yaml")
    assert "    # shape: [1, 4, 4]  # if 'p0' to 'p15' are the pixels" in made.path.read_text()
    assert "'p0' to 'p15' may be an image of 4x4 pixels: `shape` says it" in made.guesses
    made.path.write_text(made.path.read_text().replace("# shape: [1", "shape: [1"))
    assert table_of(made.path)["shape"] == (1, 4, 4)


def test_columns_that_are_named_are_not_guessed(tmp_path: Path) -> None:
    made = write_first_study(visits(tmp_path), tmp_path / "a.yaml", label="sex", client="outcome")
    found = table_of(made.path)
    assert (found["label"], found["client"]) == ("sex", "outcome")
    with pytest.raises(HeadstartError, match=r"^--label: no column 'sexx'; did you mean 'sex'\?$"):
        write_first_study(tmp_path / "visits.csv", tmp_path / "b.yaml", label="sexx")


def test_without_a_client_rows_are_dealt(tmp_path: Path) -> None:
    flowers = load_iris()
    rows = [
        ",".join([*map(str, row), flowers.target_names[kind]])
        for row, kind in zip(flowers.data, flowers.target, strict=True)
    ]
    (tmp_path / "iris.csv").write_text("\n".join(["a,b,c,d,species", *rows]))
    made = write_first_study(tmp_path / "iris.csv", tmp_path / "study.yaml")
    assert (
        made.guesses[0] == "client: no column looks like one; rows are dealt to clients by a draw"
    )
    assert table_of(made.path)["features"] == ("a", "b", "c", "d")
    study = Study.load(made.path)
    assert (study.population, str(study.runs[0].partition)) == (7, "dirichlet(alpha=0.3)")


def test_text_is_predicted_by_its_label_or_token_by_token(tmp_path: Path) -> None:
    bodies = ["the tea of the king", "of tea and more ale", "the ale is in the cellar"]
    rows = [
        {"author": f"p{i % 9}", "body": bodies[i % 3], "topic": ["tea", "ale"][i % 2]}
        for i in range(90)
    ]
    for name, keys in (("posts", ("author", "body", "topic")), ("plain", ("author", "body"))):
        lines = [json.dumps({key: row[key] for key in keys}) for row in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    labelled = Study.load(write_first_study(tmp_path / "posts.jsonl", tmp_path / "a.yaml").path)
    assert (labelled.model.name, dict(labelled.task.changed)["text"]) == ("logistic", "body")
    next_tokens = Study.load(write_first_study(tmp_path / "plain.jsonl", tmp_path / "b.yaml").path)
    assert (next_tokens.model.name, "label" in dict(next_tokens.task.changed)) == ("lstm", False)


def test_what_makes_no_study_is_one_line_and_leaves_no_file(tmp_path: Path) -> None:
    (tmp_path / "numbers.csv").write_text("a,b\n" + "".join(f"{i}.5,{i}.25\n" for i in range(50)))
    with pytest.raises(
        HeadstartError,
        match=r"numbers.csv: no column looks like classes; name one of 'a', 'b' \(--label",
    ):
        write_first_study(tmp_path / "numbers.csv", tmp_path / "study.yaml")
    (tmp_path / "odd.csv").write_text(
        "site,label\n" + "".join(f"s{i % 3},{i % 2}\n" for i in range(30))
    )
    with pytest.raises(HeadstartError, match=r"name the columns: --label, --client$"):
        write_first_study(tmp_path / "odd.csv", tmp_path / "study.yaml")
    assert not (tmp_path / "study.yaml").exists()


@pytest.mark.parametrize("name", ["a: b", "010", "yes", "[x", "é, ü", "it's", '"', "#"])
def test_names_that_yaml_would_take_for_something_else(name: str, tmp_path: Path) -> None:
    lines = [f"s{i % 6};{i % 7};{'ab'[i % 2]}".replace(";", ",") for i in range(60)]
    quoted = '"' + name.replace('"', '""') + '"'
    (tmp_path / "t.csv").write_text("\n".join([f"site,{quoted},label", *lines]), encoding="utf-8")
    assert table_of(write_first_study(tmp_path / "t.csv", tmp_path / "study.yaml").path)[
        "features"
    ] == (name,)


def test_numbers_of_rows_are_no_feature(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(
        "id,x,y\n" + "".join(f"{i},{i % 3},{i % 2}\n" for i in range(30))
    )
    assert [(column.name, column.counts) for column in columns_of(tmp_path / "t.csv")] == [
        ("id", True), ("x", False), ("y", False),
    ]  # fmt: skip


def test_of_a_folder_each_file_is_a_client(tmp_path: Path) -> None:
    (tmp_path / "sites").mkdir()
    for site in "abcd":
        lines = [f"{i % 9},{i % 4},{'ill' if i % 9 > 4 else 'well'}" for i in range(40)]
        (tmp_path / "sites" / f"site_{site}.csv").write_text("\n".join(["x,z,state", *lines]))
    made = write_first_study(tmp_path / "sites", tmp_path / "study.yaml")
    assert made.guesses[0] == "client: (file) (4 of them), each file is one"
    found = table_of(made.path)
    assert (found["client"], found["label"], found["features"]) == ("(file)", "state", ("x", "z"))


@pytest.mark.parametrize("nothing", ["NA", "?", " n/a"])
def test_numbers_with_a_word_for_none_are_features_with_gaps(nothing: str, tmp_path: Path) -> None:
    lines = [f"s{i % 6},{nothing if i % 9 == 4 else i % 50},{'ab'[i % 2]}" for i in range(120)]
    (tmp_path / "t.csv").write_text("\n".join(["site,dose,label", *lines]))
    found = table_of(write_first_study(tmp_path / "t.csv", tmp_path / "study.yaml").path)
    assert (found["features"], found["gaps"]) == (("dose",), "mean")


def clinics(folder: Path, columns: str = "date,x,state", people: int = 400) -> Path:
    """A file a clinic, with 50 dates of several rows each, and cells without anything."""
    for clinic in ("north", "east", "st mary of the hill"):
        lines = []
        for i in range(100):
            date, dose = f"2024-0{1 + i % 5}-{10 + i % 10}", "" if i == 3 else i % 7
            lines.append(f"{date},{dose},{'ill' if i % 7 > 3 else 'well'},{i % people}")
        (folder / f"{clinic}.csv").write_text("\n".join([columns, *lines]))
    return folder


def test_a_file_a_clinic_has_its_files_as_clients_whatever_dates_are_in_it(tmp_path: Path) -> None:
    (tmp_path / "clinics").mkdir()
    folder = clinics(tmp_path / "clinics", "date,x,state,patient", people=40)
    made = write_first_study(folder, tmp_path / "study.yaml")
    assert made.guesses[0] == "client: (file) (3 of them), each file is one"
    assert "left out: date (dates)" in made.guesses
    asked = write_first_study(folder, tmp_path / "asked.yaml", client="(file)")
    assert asked.guesses[0] == "client: (file) (3 of them), as you said"


def test_a_column_of_few_clients_counts_more_than_the_files(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    folder = clinics(tmp_path / "parts", "date,x,state,patient", people=6)
    assert table_of(write_first_study(folder, tmp_path / "study.yaml").path)["client"] == "patient"


def test_spellings_of_a_name_are_joined_and_named(tmp_path: Path) -> None:
    ways = ["yes", "Yes", "no", "No "]
    lines = [f"s{i % 6},{i % 50},{ways[i % 4]}" for i in range(200)]
    (tmp_path / "t.csv").write_text("\n".join(["site,dose,ill", *lines]))
    made = write_first_study(tmp_path / "t.csv", tmp_path / "study.yaml")
    assert table_of(made.path)["alike"] == "join"
    said = "'ill': 'No' = 'no', 'Yes' = 'yes'"
    assert f"alike: join  # taken for one name: {said}" in made.path.read_text()
    assert made.guesses[1] == "label: ill (2 classes), by its name"
    assert f"names taken for one: {said}" in made.guesses


@pytest.mark.parametrize(
    ("sizes", "size", "said"),
    [
        ([(16, 16)], (16, 16), "of 16x16 pixels"),
        ([(16, 16), (20, 16)], (32, 32), "scaled to 32x32, as their sizes differ"),
        ([(8, 200)], (32, 32), "of 8x200 pixels, scaled to 32x32; `size` says it"),
    ],
)
def test_images_keep_a_size_that_all_have(sizes: Any, size: Any, said: str, tmp_path: Path) -> None:
    lines = []
    for i in range(60):
        height, width = sizes[i % len(sizes)]
        Image.new("RGB", (width, height), (i, 0, 200 * (i % 2))).save(tmp_path / f"{i}.png")
        lines.append(f"s{i % 6},{i}.png,{'ab'[i % 2]}")
    (tmp_path / "t.csv").write_text("\n".join(["site,picture,label", *lines]))
    made = write_first_study(tmp_path / "t.csv", tmp_path / "study.yaml")
    assert table_of(made.path)["size"] == size
    assert f"image: picture, {said}" in made.guesses


def test_a_bag_of_words_is_learned_with_the_rates_that_are_written(tmp_path: Path) -> None:
    draw = random.Random(0)
    lines = []
    for i in range(400):
        own = "ale" if i % 3 else "tea"
        text = [
            f"{own}{draw.randrange(20)}" if draw.random() < 0.2 else f"w{draw.randrange(99)}"
            for _ in range(20)
        ]
        lines.append(json.dumps({"author": f"p{i % 8}", "body": " ".join(text), "topic": own}))
    (tmp_path / "posts.jsonl").write_text("\n".join(lines))
    study = Study.load(write_first_study(tmp_path / "posts.jsonl", tmp_path / "a.yaml").path)
    assert study.file.tuning.trials == 10  # type: ignore[union-attr]
    for run in (run for run in study.runs if run.server.name == "adam" and run.seed == 0):
        federation = federation_of(run)
        probe = PROBES.build(PROBES.component("evaluation"), federation)
        begun = Progress(begin(federation, federation.network.initial(0)))
        rows = do_rounds(federation, begun, run.rounds, run.rounds, [probe]).rows
        (reached,) = [
            value
            for round_, metric, value in rows
            if metric == "test_accuracy" and round_ == run.rounds
        ]
        assert reached > 0.8  # 2/3 are of one class


def test_without_rows_to_validate_on_a_bag_of_words_is_not_tuned(tmp_path: Path) -> None:
    rows = [
        {"author": f"p{i % 3}", "body": f"the tea of word{i % 7}", "topic": "ab"[i % 2],
         "part": "test" if i % 3 == 0 else "train"}
        for i in range(90)
    ]  # fmt: skip
    (tmp_path / "posts.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made = write_first_study(tmp_path / "posts.jsonl", tmp_path / "a.yaml")
    assert made.guesses[-1] == "60 rows to train on, 0 to validate on, 30 to test on"
    assert Study.load(made.path).file.tuning is None


@pytest.mark.parametrize("left_out", [False, True])
def test_thousands_of_columns_are_not_named_one_by_one(left_out: bool, tmp_path: Path) -> None:
    """But where something else is left out, which the table would take for a feature."""
    names = [f"gene_{i:04d}" for i in range(2_000)]
    rows = [",".join(["clinic", "ill", *names, *(["note"] * left_out)])]
    for row in range(60):
        cells = [f"{(row * 37 + i * 11) % 101 / 7:.2f}" for i in range(2_000)]
        note = [f"n{row}"] * left_out
        rows.append(",".join([f"c{row % 6}", "no" if row % 12 < 6 else "yes", *cells, *note]))
    path = tmp_path / "genes.csv"
    path.write_text("\n".join(rows))
    found = write_first_study(path, tmp_path / "study.yaml")
    (features,) = [line for line in found.guesses if line.startswith("features: ")]
    assert features.endswith("gene_0199 and 1800 more")
    text = (tmp_path / "study.yaml").read_text()
    assert ("gene_1999" in text) == left_out
    assert ("all 2000 others" in text) != left_out
    names_read = dict(Study.load(tmp_path / "study.yaml").task.changed).get("features", ())
    assert len(names_read) == 2_000 * left_out
