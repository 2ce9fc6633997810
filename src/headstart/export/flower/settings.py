"""The settings of an app: the keys of `[tool.flwr.app.config]`, which `--run-config` changes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import AliasGenerator, BaseModel, ConfigDict, Field

from headstart.export.deployment import Deployment
from headstart.export.recipe import Recipe
from headstart.parts.validation import validate

DTYPES = {"float32": torch.float32, "float64": torch.float64}


def _with_hyphens(name: str) -> str:
    return name.replace("_", "-")


class AppSettings(BaseModel):
    """What an app's run is set to.

    rounds: how many. cohorts: "nodes" draws each cohort from the nodes that are connected; "plan"
    has the clients and steps of the study's simulation, each node being the client that its
    partition-id says. weights: the file that training begins with. save: the file that its end is
    written to; empty for none. min_nodes: so many are waited for before a round. timeout: seconds
    that a round waits for its cohort.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        alias_generator=AliasGenerator(alias=_with_hyphens),
        populate_by_name=True,
    )

    rounds: Annotated[int, Field(ge=1)]
    weights: str
    save: str = ""
    cohorts: Literal["nodes", "plan"] = "nodes"
    min_nodes: Annotated[int, Field(ge=1)] = 2
    timeout: Annotated[float, Field(gt=0)] = 3600.0
    dtype: Literal["float32", "float64"] = "float32"
    device: str = "cpu"

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "AppSettings":
        """Read the configuration of a run.

        Raises:
            HeadstartError: a key is unknown, or a value is none of its values.
        """
        return validate(cls, dict(config), "run-config")

    def deployment(self, recipe: Recipe, folder: Path) -> Deployment:
        """Make a recipe ready with these settings; `folder`: that of the app."""
        by_plan = self.cohorts == "plan"
        return Deployment.of(recipe, folder, DTYPES[self.dtype], self.device, by_plan)
