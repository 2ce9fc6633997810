"""A server begins with the weights of its recipe and no others."""

from pathlib import Path

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

from safetensors.torch import load

from headstart.errors import HeadstartError
from headstart.export.flower.server import server_app, weights_of

from ..conftest import Choose


def test_the_weights_are_those_of_the_recipe(choose: Choose, tmp_path: Path) -> None:
    found, path = choose("sgd"), tmp_path / "weights.safetensors"
    with pytest.raises(HeadstartError, match="not found; an app's bundle has no weights"):
        weights_of(found.recipe, path)
    path.write_bytes(found.content)
    state = weights_of(found.recipe, path).state
    assert all(leaf.equal(state[name]) for name, leaf in load(found.content).items())
    path.write_bytes(found.content + b" ")
    with pytest.raises(HeadstartError, match="whose sha256 is another"):
        weights_of(found.recipe, path)


def test_it_is_an_app_of_flowers(tmp_path: Path) -> None:
    from flwr.serverapp import ServerApp

    assert isinstance(server_app(tmp_path), ServerApp)
