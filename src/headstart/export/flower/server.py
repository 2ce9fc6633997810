"""The server's side of an app: its recipe and its weights, and the strategy that trains by them."""

from pathlib import Path

from flwr.app import Context
from flwr.serverapp import Grid, ServerApp

from headstart import files
from headstart.errors import HeadstartError
from headstart.export.flower.settings import AppSettings
from headstart.export.flower.strategy import RecipeStrategy
from headstart.export.recipe import Recipe
from headstart.starts import weights
from headstart.starts.weights import Weights


def server_app(folder: Path) -> ServerApp:
    """Make the server's side of an app; `folder`: that of the app, with its recipe."""
    app = ServerApp()

    @app.main()
    def main(grid: Grid, context: Context) -> None:
        """Train by the recipe."""
        settings = AppSettings.of(context.run_config)
        recipe = Recipe.read(folder)
        deployment = settings.deployment(recipe, folder)
        begin_with = weights_of(recipe, Path(settings.weights))
        RecipeStrategy(deployment, begin_with, settings).train(grid)

    return app


def weights_of(recipe: Recipe, path: Path) -> Weights:
    """Read the weights that a recipe begins with.

    Raises:
        HeadstartError: they are not there, or are others.
    """
    if not path.is_file():
        raise HeadstartError(
            f"{path}: not found; an app's bundle has no weights, so copy weights.safetensors to "
            "the machine of the server, and give its path: --run-config 'weights=\"...\"'"
        )
    if files.digest(path) != recipe.weights:
        raise HeadstartError(f"{path}: expected the weights of the recipe, whose sha256 is another")
    return weights.load(path)
