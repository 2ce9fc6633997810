"""A recipe is read as it was written, and names the run that the study simulated."""

from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.export.chosen import origin_of
from headstart.export.recipe import ALIKE, FILE, REGISTRIES, Recipe
from headstart.study.file.run_spec import RunSpec
from headstart.study.spec import Study

from .conftest import Choose


def run_of(out: Path, recipe: Recipe) -> RunSpec:
    (run,) = [run for run in Study.load(out / "study.yaml").runs if run.key == recipe.run]
    return run


def test_it_is_read_as_it_was_written(choose: Choose, tmp_path: Path) -> None:
    recipe = choose("scaffold").recipe
    (tmp_path / FILE).write_text(recipe.text())
    assert Recipe.read(tmp_path) == recipe


def test_it_names_the_run_of_the_study(out: Path, choose: Choose) -> None:
    recipe = choose("proximal", "sgd").recipe
    spec, run = recipe.spec(origin_of(out)), run_of(out, recipe)
    for name in (*REGISTRIES, *ALIKE):
        assert getattr(spec, name) == getattr(run, name)
    assert (recipe.client, recipe.server, recipe.seed) == ("proximal", "sgd", 0)
    assert (recipe.input_shape, recipe.outputs, recipe.loss) == ([1, 8, 8], 10, "classification")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "expected JSON"),
        ("{}", "headstart"),
        ('{"cohrt": 3}', "cohrt"),
    ],
)
def test_what_is_none_is_one_line(text: str, line: str, tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"recipe\.json: not found"):
        Recipe.read(tmp_path)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(HeadstartError, match=line) as caught:
        Recipe.read(tmp_path)
    assert "\n" not in str(caught.value)
