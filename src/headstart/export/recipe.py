"""A recipe: all that it takes to train in a deployment what a study recommends.

It is `recipe.json` in an app. Parts are written as a study file writes them, so the study's own
federation can be built from it, where its data are; and where they are not, the network, its loss
and both optimizers.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from headstart import files
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS
from headstart.errors import HeadstartError
from headstart.models.network import MODELS
from headstart.parts.origin import Origin, within
from headstart.parts.registry import Registry
from headstart.parts.validation import validate
from headstart.servers.base import SERVERS
from headstart.starts.base import STARTS
from headstart.study.file.run_spec import RunSpec
from headstart.tasks.base import PARTITIONS, TASKS

FILE = "recipe.json"

Count = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0)]

REGISTRIES: dict[str, Registry[Any]] = {
    "task": TASKS,
    "model": MODELS,
    "start": STARTS,
    "client": CLIENTS,
    "server": SERVERS,
    "partition": PARTITIONS,
    "devices": DEVICES,
}
"""The fields that name a part, and where it is looked up."""


class Scaling(BaseModel):
    """How bytes of images become numbers: of each channel, (byte / 255 - mean) / deviation."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    mean: list[float]
    deviation: list[float]


class Recipe(BaseModel):
    """What a deployment does, and which run of which study did it.

    study, verdict, run: where it comes from. task, partition, population, start: what that run
    trained on and began with. input_shape, outputs, loss, ignored, scaling: what the data of a
    client look like and how they are scored; targets of `ignored` count for nothing in text.
    weights: the sha256 of the file that the deployment begins with. All else is as in a study file.
    """

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)

    headstart: str
    study: str
    verdict: str
    run: str
    task: str
    partition: str
    population: Count
    start: str
    model: str
    trainable: str
    precision: Literal["fp32", "bf16"]
    input_shape: list[int]
    outputs: Count
    loss: Literal["classification", "next_token"]
    ignored: int | None
    scaling: Scaling | None
    client: str
    client_rate: Rate
    client_rate_by_round: str
    server: str
    server_rate: Rate
    server_rate_by_round: str
    rounds: Count
    cohort: Count
    batch_size: Count
    local_epochs: Annotated[float, Field(gt=0)]
    weighting: Literal["samples", "uniform"]
    devices: str
    seed: Annotated[int, Field(ge=0)]
    weights: str

    @classmethod
    def read(cls, folder: Path) -> "Recipe":
        """Read the recipe of an app.

        Raises:
            HeadstartError: there is none, or what is there is none.
        """
        path = folder / FILE
        if not path.is_file():
            raise HeadstartError(
                f"{path}: not found; `headstart export` writes one into the folder of an app"
            )
        with files.explained(path, "read"):
            text = path.read_text(encoding="utf-8", errors="replace")
        try:
            values = json.loads(text)
        except ValueError as error:
            raise HeadstartError(f"{path}: expected JSON ({error})") from None
        return validate(cls, values, str(path))

    def text(self) -> str:
        """Return what the file holds."""
        return json.dumps(self.model_dump(), indent=2, ensure_ascii=False) + "\n"

    def spec(self, origin: Origin) -> RunSpec:
        """Return the run that the study simulated, computed by the loop and without probes.

        Args:
            origin: where files and modules that its parts name are looked up.
        """
        fields: dict[str, Any] = self.model_dump(include=ALIKE)
        with within(origin):
            for name, registry in REGISTRIES.items():
                fields[name] = registry.component(getattr(self, name), name)
            fields |= {"probes": (), "executor": EXECUTORS.component("loop")}
        return RunSpec(**fields)


ALIKE = set(RunSpec.__dataclass_fields__) & set(Recipe.model_fields) - set(REGISTRIES)
"""The fields of a run that a recipe has as they are."""
