"""What was chosen, as one runs it again."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import yaml

from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.choice import IN_WORDS, Choice, choice, full_name, in_plain_words
from headstart.starts.base import STARTS
from headstart.study.folder.store import Folder
from headstart.study.spec import Study

Table = Callable[..., Grid]
A = "sgd + adam"


def chosen(grid: Grid, start: str) -> Choice:
    """The best pair of a start."""
    cell = grid.best(start)
    assert cell is not None
    return choice(grid, cell)


GIVEN = {
    "task": "digits", "model": "mlp", "starts": ["random", "proxy(epochs=3)"], "population": 20,
    "cohort": 5, "rounds": 4, "title": "Mine", "tuning": {"trials": 3},
}  # fmt: skip


def test_it_has_all_that_the_run_had(table: Table) -> None:
    grid = table(
        {"random": {A: [0.5, 0.6]}, "proxy(epochs=3)": {A: [0.7, 0.9], "nova + adam": [0.7, 0.9]}},
        **GIVEN,
    )
    found = chosen(grid, "proxy")
    assert (found.start, found.start_in_words) == (
        "proxy", "weights that the server trained first on data of its own (epochs=3)"
    )  # fmt: skip
    assert (found.pair.client, found.pair.server) == ("sgd", "adam")
    assert (found.client_rate, found.server_rate, found.local_epochs) == (0.1, 0.1, 1)
    assert found.rates == "client rate 0.1, server rate 0.1, 1 local epoch"
    # Seed 1 ends higher.
    assert found.weights == "runs/proxy(epochs=3)/sgd + adam/1/weights.safetensors"


def test_the_weights_lie_where_the_folder_has_them(table: Table) -> None:
    found = chosen(table({"random": {A: [0.5]}}, **GIVEN), "random")
    there = Path("out") / found.weights
    key = "random/sgd + adam/0"
    assert there == Folder(Path("out")).path / "runs" / key / "weights.safetensors"


def test_the_study_file_is_one_and_runs_only_this(table: Table, tmp_path: Path) -> None:
    grid = table(
        {"random": {A: [0.5, 0.6]}, "proxy(epochs=3)": {A: [0.7, 0.9], "gd + adam": [0.1, 0.2]}},
        **GIVEN,
    )
    found = chosen(grid, "proxy")
    path = tmp_path / "chosen.yaml"
    path.write_text(found.study)
    study = Study.load(path)
    assert {(str(run.start), str(run.client), str(run.server)) for run in study.runs} == {
        ("proxy(epochs=3)", "sgd", "adam")
    }
    assert sorted(run.seed for run in study.runs) == [0, 1]
    assert study.file.rounds == 4
    assert "tuning" not in yaml.safe_load(found.study)


def test_parameters_that_were_tuned_are_told(table: Table) -> None:
    grid = table(
        {"random": {"proximal(mu=0.1) + adam": [0.5]}, "proxy": {"proximal(mu=1) + adam": [0.6]}},
        **GIVEN,
    )
    found = chosen(grid, "proxy")
    assert found.pair.client == "proximal"
    assert found.rates.endswith("1 local epoch, proximal(mu=1)")
    assert yaml.safe_load(found.study)["clients"] == ["proximal(mu=1)"]


def test_what_a_program_gave_has_no_study_file(table: Table) -> None:
    found = chosen(
        table({"random": {A: [0.5]}}, **(GIVEN | {"model": "python(name='net')"})), "random"
    )
    assert found.study == ""


def test_starts_of_further_grids_have_their_full_names(table: Table) -> None:
    name = "checkpoint(path='a.pt')"
    grid = table({"random": {A: [0.5]}, name: {A: [0.6]}}, also=[{"starts": [name]}])
    assert full_name(grid, "checkpoint") == name


def test_every_kind_of_start_is_told_in_words() -> None:
    assert set(IN_WORDS) - {"python"} == {entry.name for entry in STARTS} - {"python"}
    assert in_plain_words("mine:begin") == "mine:begin"


def test_trainable_weights_are_kept(table: Table) -> None:
    grid = table({"random": {A: [0.5]}}, **GIVEN)
    runs = tuple(replace(run, trainable="head") for run in grid.records.runs)
    found = chosen(sort(replace(grid.records, runs=runs)), "random")
    assert yaml.safe_load(found.study)["trainable"] == ["head"]


def test_weights_say_which_seed_they_are_of_and_that_it_was_picked(table: Table) -> None:
    found = chosen(table({"random": {A: [0.5, 0.7, 0.6]}}, **GIVEN), "random")
    assert found.picked == (
        "seed 1, picked as the highest of 3 seeds by test accuracy (70.0%, which flatters it: "
        "their mean is 60.0%)"
    )
    alike = chosen(table({"random": {A: [0.5, 0.50004]}}, **GIVEN), "random")
    assert alike.picked == "seed 1, picked as the highest of 2 seeds by test accuracy (50.0%)"
    assert chosen(table({"random": {A: [0.5]}}, **GIVEN), "random").picked == "seed 0"


def test_of_many_parameters_the_files_are_named() -> None:
    inner = r"table(path=\'$HEADSTART_DATA/posts/all.parquet\', text=\'text\', client=\'user_id\')"
    name = f"proxy(task='{inner}', epochs=1, batch_size=128, rate=0.004)"
    assert in_plain_words(name, "reddit") == f"{IN_WORDS['proxy']}, all.parquet"


def test_after_several_tunings_it_is_what_one_of_them_found(table: Table, tmp_path: Path) -> None:
    """Tunings end at 70, 60 and 65 % in the mean; the highest single run is of the second."""
    grid = table({"random": {A: [0.7, 0.8, 0.65, 0.7, 0.4, 0.65]}}, tuning={"repeats": 3}, every=2)
    rates = {0: 0.1, 1: 0.2, 2: 0.3}
    runs = [replace(run, client_rate=rates[run.seed % 3]) for run in grid.records.runs]
    found = chosen(sort(replace(grid.records, runs=tuple(runs))), "random")
    assert found.client_rate == 0.1
    assert found.picked == (
        "seed 0, picked as the highest of 2 seeds at these rates, which ended highest of 3 "
        "tunings, by test accuracy (70.0%, which flatters it: the mean of all tunings is 65.0%)"
    )
    again = yaml.safe_load(found.study)
    assert (again["seeds"], again["client_rates"], again["every"]) == ([0, 3], [0.1], 2)
