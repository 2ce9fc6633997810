"""An app without data of its own has the rows of a client of the study."""

from pathlib import Path

import pytest
import torch

from headstart.errors import HeadstartError
from headstart.export.recipe import FILE
from headstart.export.study_rows import rows_of
from headstart.study.data import task_of
from headstart.study.federations import clients_of_run

from .conftest import Choose
from .test_recipe import run_of


def test_every_row_is_at_its_client(out: Path, choose: Choose, tmp_path: Path) -> None:
    recipe = choose("sgd").recipe
    (tmp_path / FILE).write_text(recipe.text())
    run = run_of(out, recipe)
    train = task_of(run.task).train
    for client, rows in enumerate(clients_of_run(run)):
        inputs, targets = rows_of(tmp_path, client)
        assert inputs.equal(train.inputs[torch.as_tensor(rows)])
        assert targets.equal(train.targets[torch.as_tensor(rows)])
    with pytest.raises(HeadstartError, match="partition-id: expected 0 to 3, a client of"):
        rows_of(tmp_path, 4)
