"""The rows of one client of a study, for an app that has no data of its own yet."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from headstart.errors import HeadstartError
from headstart.export.recipe import Recipe
from headstart.parts.origin import Origin
from headstart.study.data import task_of
from headstart.study.federations import clients_of


def rows_of(folder: Path, client: int) -> tuple[Tensor, Tensor]:
    """Return training inputs and targets of a client.

    Args:
        folder: that of an app, with its recipe.
        client: its number in the study.

    Raises:
        HeadstartError: the study's data are not on this machine, or it has no such client.
    """
    recipe = Recipe.read(folder)
    run = recipe.spec(Origin(folder, ()))
    clients = clients_of(run.task, run.partition, run.population, run.seed)
    if not 0 <= client < len(clients):
        raise HeadstartError(
            f"partition-id: expected 0 to {len(clients) - 1}, a client of the study, got {client}"
        )
    rows, train = torch.from_numpy(np.asarray(clients[client])), task_of(run.task).train
    return train.inputs[rows], train.targets[rows]
