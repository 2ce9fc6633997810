"""What is chosen is what the study recommends, or what is named; the rest is one line."""

import hashlib
from pathlib import Path

import pytest
from safetensors.torch import load

import headstart
from headstart.errors import HeadstartError
from headstart.export.chosen import begin_with, chosen
from headstart.models.network import MODELS, Network
from headstart.study.runner import run_study
from headstart.study.spec import Study

from .conftest import Choose


def test_the_weights_are_those_that_the_run_began_with(out: Path, choose: Choose) -> None:
    found = choose("sgd")
    assert hashlib.sha256(found.content).hexdigest() == found.recipe.weights
    mlp = MODELS.component("mlp(hidden=[4])")
    drawn = Network(lambda: MODELS.build(mlp, (1, 8, 8), 10)).initial(0)
    state, again = load(found.content), begin_with(found.recipe, out).state
    assert set(state) == set(drawn)
    for name, leaf in drawn.items():
        assert state[name].equal(leaf)
        assert again[name].equal(leaf)


def test_one_half_of_a_pair_may_be_named(out: Path) -> None:
    leading = headstart.load(out).best()
    recipe = chosen(out, client="nova").recipe
    assert (recipe.client, recipe.server) == ("nova", leading.server)
    recipe = chosen(out, server="sgd").recipe
    assert (recipe.client, recipe.server) == (leading.client, "sgd")


def test_a_study_that_recommends_nothing_says_how_to_name_a_pair(out: Path) -> None:
    with pytest.raises(HeadstartError, match=r"recommends no pair .*; name one, such as --client"):
        chosen(out)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ({"client": "sgdd"}, "pair: expected one of"),
        ({"start": "proxy"}, "start: unknown start 'proxy'"),
    ],
)
def test_what_was_not_run_is_one_line(out: Path, asked: dict[str, str], line: str) -> None:
    with pytest.raises(HeadstartError, match=line):
        chosen(out, **asked)


def test_what_an_app_cannot_carry_out_is_one_line(tmp_path: Path) -> None:
    study = """
task: digits
model: mlp(hidden=[4])
population: 4
cohort: 2
batch_size: 512
rounds: 1
starts: ["head-first(start='random', rounds=1)"]
seeds: [0]
executor: loop
"""
    (tmp_path / "study.yaml").write_text(study)
    out = run_study(Study.load(tmp_path / "study.yaml"), tmp_path / "out")
    with pytest.raises(HeadstartError, match="has rounds of its own before the first"):
        chosen(out, client="sgd", server="sgd")


def test_a_model_of_a_program_is_refused_and_told_how_to_name_it(tmp_path: Path) -> None:
    from torch import nn

    def net() -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))

    study = Study(task="digits", model=net, population=4, cohort=2, rounds=1, seeds=[0])
    out = run_study(study, tmp_path / "out")
    with pytest.raises(HeadstartError, match=r"model: a Python program gave .*module:function"):
        chosen(out, client="sgd", server="sgd")
