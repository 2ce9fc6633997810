"""The weights that a run began with, and by what the inputs of all weights were scaled."""

import json
from pathlib import Path

import pytest
import safetensors
import torch
from safetensors.torch import load_file

import headstart
from headstart.errors import HeadstartError
from headstart.results.model_file import found, write
from headstart.study.federations import network_of
from headstart.study.spec import Study

TABLE = """
name: untrained
task:
  table: {path: rows.csv, label: kind, client: who, features: [far, near], split_by: row}
model: logistic
starts: [random]
clients: [sgd]
servers: [sgd]
partitions: natural
seeds: [0, 1]
cohort: 2
rounds: 2
client_rates: [0.1]
server_rates: [1.0]
"""


@pytest.fixture(scope="module")
def of_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of a table whose columns are 1000 and 0.001 wide."""
    folder = tmp_path_factory.mktemp("table")
    rows = [f"w{i % 4},{1000 * (i % 7)},{0.001 * (i % 5)},{i % 2}" for i in range(120)]
    (folder / "rows.csv").write_text("\n".join(["who,far,near,kind", *rows]))
    (folder / "study.yaml").write_text(TABLE)
    headstart.run_study(headstart.Study.load(folder / "study.yaml"), folder / "out")
    return folder / "out"


def test_the_scale_of_the_inputs_goes_with_the_weights(of_table: Path, tmp_path: Path) -> None:
    """On the raw columns the weights of a table gave 51 %, and nothing said what they need."""
    into = tmp_path / "best.safetensors"
    lines = write(found(of_table), into)
    assert lines[-2].startswith("inputs: (x - mean) / deviation of each feature")
    with safetensors.safe_open(into, framework="pt") as opened:
        meaning = json.loads(opened.metadata()["headstart"])["meaning"]
    assert meaning["features"] == ["far", "near"]
    assert meaning["mean"] == pytest.approx([3000, 0.002], rel=0.1)
    assert meaning["deviation"] == pytest.approx([2000, 0.0014], rel=0.1)


def test_the_weights_before_the_first_round_are_written_too(
    of_table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(of_table.parent)
    before, after = tmp_path / "before.safetensors", tmp_path / "after.safetensors"
    said = write(found(of_table, seed=1, untrained=True), before)
    assert said[0] == "before training: random, seed 1"
    write(found(of_table, seed=1), after)
    run = Study.load(of_table / "study.yaml").runs[1]
    drawn = network_of(run.model, run.task).initial(1)
    assert all(torch.equal(leaf, drawn[name]) for name, leaf in load_file(before).items())
    assert not all(torch.equal(leaf, drawn[name]) for name, leaf in load_file(after).items())
    with pytest.raises(HeadstartError, match=r"^--untrained: expected it without --best-round"):
        write(found(of_table, untrained=True, of_best_round=True), before)
