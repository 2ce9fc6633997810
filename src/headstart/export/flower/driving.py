"""An app driven in this process: its own server and client, over a grid in memory."""

import itertools
import logging
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flwr.app import Context, RecordDict

from headstart.errors import HeadstartError, reason
from headstart.export.exchanges import Carried
from headstart.export.flower.app_objects import loaded
from headstart.export.flower.memory_grid import EnoughError, MemoryGrid, identified

ROUNDS = ("rounds", "num-server-rounds", "num-rounds")
"""How apps call the number of their rounds in their configuration."""


def driven(
    app: Path, clients: int, rounds: int, wanted: Mapping[str, Any], config: Mapping[str, Any]
) -> Carried:
    """Have an app train for so many rounds and begin the next, and return all that it told.

    Args:
        app: its folder.
        clients: how many nodes there are.
        rounds: how many are wanted.
        wanted: settings that hold where the app has them.
        config: settings that hold in any case.

    Raises:
        HeadstartError: it is no app, or its server fails.
    """
    os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
    logging.getLogger("flwr").setLevel(logging.WARNING)
    with identified(), loaded(app) as objects:
        asked = {**wanted, **dict.fromkeys(ROUNDS, rounds + 1)}
        known = {name: value for name, value in asked.items() if name in objects.config}
        settings = {**objects.config, **known, **config}
        grid = MemoryGrid(objects.client, clients, rounds, settings)
        try:
            objects.server(grid, Context(1, 1, {}, RecordDict(), settings))
        except EnoughError:
            return grid.carried
        except HeadstartError:
            raise
        except Exception as error:  # whatever somebody's own app may raise
            raise HeadstartError(
                f"{app}: its server failed: {_why(error, grid.carried)}"
            ) from error
        return grid.carried


def _why(error: Exception, carried: Carried) -> str:
    """What a server raised, and what went wrong at a client before, if something did."""
    for exchange in itertools.chain.from_iterable(carried.rounds):
        if exchange.failure:
            return f"{reason(error)}; its client: {exchange.failure}"
    return reason(error)
