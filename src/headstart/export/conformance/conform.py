"""`headstart conform`: an app's own server and client, in this process, beside the simulation of
its study.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from headstart.errors import HeadstartError
from headstart.export.chosen import begin_with, chosen, origin_of
from headstart.export.conformance.partings import Parting, Round, parting
from headstart.export.conformance.simulated import Simulated
from headstart.export.exchanges import Carried, described, distance
from headstart.export.recipe import FILE, Recipe
from headstart.kernels.threads import torch_threads

TOLERANCES = {"float32": 1e-5, "float64": 1e-10}
"""How far apart the weights may be, relative to themselves."""


@dataclass(frozen=True)
class Conformity:
    """How an app compares: by round, the distance of its weights from the simulation's; where they
    part; and what its messages carry.
    """

    distances: Mapping[int, float]
    parted: Parting | None
    carries: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def lines(self) -> list[str]:
        """The comparison in lines."""
        said = [*self.carries, *self.notes]
        for round_, far in self.distances.items():
            said.append(f"after round {round_}: weights differ by {far:.1e} of their length")
        if self.parted:
            return [*said, str(self.parted)]
        return [*said, f"conforms: the same weights after each of {len(self.distances)} rounds"]


def conform(
    app: Path,
    out: Path,
    rounds: int = 3,
    dtype: str = "float32",
    config: Mapping[str, Any] | None = None,
    start: str | None = None,
    client: str | None = None,
    server: str | None = None,
) -> Conformity:
    """Run an app's own objects beside the simulation of a study.

    Args:
        app: the folder of an app of Flower, exported or not.
        out: the folder of the study.
        rounds: how many are compared.
        dtype: of the weights, "float32" or "float64".
        config: settings of the app over those of its pyproject.toml.
        start, client, server: what an app without a recipe is held against, as `chosen` takes them.

    Raises:
        HeadstartError: the app or the study is none, or the app fails.
    """
    if dtype not in TOLERANCES:
        raise HeadstartError(f"dtype: expected one of {', '.join(TOLERANCES)}, got {dtype!r}")
    if find_spec("flwr") is None:
        raise HeadstartError(
            "conform runs an app of Flower, which is not installed: pip install 'headstart[flower]'"
        )
    from headstart.export.flower.driving import driven

    recipe = _recipe(app, out, start, client, server)
    with torch_threads(1):
        weights = begin_with(recipe, out).state
        simulated = Simulated.of(recipe, origin_of(out), weights, getattr(torch, dtype))
        wanted = {"cohorts": "plan", "dtype": dtype, "save": ""}
        carried = driven(app, recipe.population, rounds, wanted, config or {})
    return _compared(carried, simulated, recipe, TOLERANCES[dtype])


def _recipe(
    app: Path, out: Path, start: str | None, client: str | None, server: str | None
) -> Recipe:
    """What an app should do: its own recipe, or what is named of the study."""
    if not (app / FILE).exists():
        return chosen(out, start, client, server).recipe
    if any((start, client, server)):
        raise HeadstartError(
            f"{app / FILE} says what the app should do; expected it without --start, --client and "
            "--server"
        )
    return Recipe.read(app)


def _compared(
    carried: Carried, simulated: Simulated, recipe: Recipe, tolerance: float
) -> Conformity:
    if not carried.rounds or not carried.rounds[0]:
        raise HeadstartError("the app sent no message of training, so there is nothing to compare")
    first = carried.rounds[0][0]
    carries = (
        f"to a client: {described(first.sent)}",
        f"from a client: {described(first.reply)}",
    )
    like = simulated.states[0].x
    begun = carried.weights(1, like)
    if begun is None:
        raise HeadstartError(
            f"the app sends {described(first.sent)}, and none of it are the weights of "
            f"{recipe.model} by their names and forms"
        )
    notes: tuple[str, ...] = ()
    parted = None
    far = distance(begun, like, like)
    if not far <= tolerance:
        how = f"they are {far:.1e} of their length from those of {recipe.start!r}"
        parted = Parting(1, "start", how)
        notes = ("it begins with other weights; the rounds are compared from these on",)
        simulated = simulated.begun_with(begun)
    distances: dict[int, float] = {}
    for round_ in range(1, len(carried.rounds) + 1):
        x = simulated.states[-1].x
        app_x = carried.weights(round_ + 1, like)
        if app_x is None:
            notes += (f"the app did not send its weights after round {round_}",)
            break
        far = distance(app_x, simulated.go_on(), x)
        distances[round_] = far
        if not far <= tolerance:
            asked = Round(round_, carried.rounds[round_ - 1], x, app_x, tolerance)
            parted = parting(asked, simulated, recipe)
            break
    return Conformity(distances, parted, carries, notes)
