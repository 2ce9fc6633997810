"""The row of each of the paper's tasks: parts that exist, at three scales."""

import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.paper.tasks import SCALES, TASKS
from headstart.starts.base import STARTS
from headstart.tasks import base

ROWS = [(name, scale) for name in TASKS for scale in SCALES]


@pytest.mark.parametrize(("name", "scale"), ROWS)
def test_parts_of_a_row_are_registered(name: str, scale: str) -> None:
    row = TASKS[name].parts(scale, None)
    base.TASKS.component(yaml.safe_load(row["task"]))
    MODELS.component(yaml.safe_load(row["model"]))
    STARTS.component(yaml.safe_load(row["pretrained"]))
    base.PARTITIONS.component(TASKS[name].partition)


@pytest.mark.parametrize("name", TASKS)
def test_scales_grow_and_full_is_the_papers_protocol(name: str) -> None:
    sizes = TASKS[name].sizes
    assert set(sizes) == set(SCALES)
    assert sizes["toy"].rounds < sizes["cpu"].rounds <= sizes["full"].rounds
    assert sizes["full"].seeds == 3
    for size in sizes.values():
        assert size.every <= size.rounds
        assert 0 < size.target < 1


@pytest.mark.parametrize("name", TASKS)
def test_another_network_has_its_own_parts(name: str) -> None:
    task = TASKS[name]
    for model in task.others:
        row = task.parts("cpu", model)
        assert row["model"].split("(")[0].split("@")[0] == model
        assert row["task"]
    with pytest.raises(HeadstartError, match="unknown model 'perceptron'"):
        task.parts("cpu", "perceptron")
