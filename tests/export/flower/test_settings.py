"""The settings of an app are read as Flower gives them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from headstart.errors import HeadstartError
from headstart.export.flower.settings import AppSettings

from ..conftest import Choose

GIVEN = {"rounds": 3, "weights": "w.safetensors", "min-nodes": 4, "timeout": 2.5}


def test_keys_have_hyphens_as_flowers_do() -> None:
    settings = AppSettings.of(GIVEN)
    assert (settings.min_nodes, settings.timeout, settings.cohorts) == (4, 2.5, "nodes")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"round": 3}, "round"),
        ({"rounds": 0}, "rounds: expected a whole number >= 1, got 0"),
        ({"cohorts": "all"}, "cohorts"),
        ({"dtype": "float16"}, "dtype"),
    ],
)
def test_what_is_none_is_one_line(changed: dict[str, Any], line: str) -> None:
    with pytest.raises(HeadstartError, match=line) as caught:
        AppSettings.of({**GIVEN, **changed})
    assert str(caught.value).startswith("run-config")


def test_a_deployment_is_made_as_they_say(choose: Choose, tmp_path: Path) -> None:
    recipe = choose("sgd").recipe
    made = AppSettings.of({**GIVEN, "dtype": "float64"}).deployment(recipe, tmp_path)
    assert made.network.dtype == torch.float64
