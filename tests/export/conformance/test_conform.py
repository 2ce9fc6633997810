"""Exported apps conform, for every client optimizer; another app is told where it parts."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from headstart.errors import HeadstartError
from headstart.export.conformance import conform as module
from headstart.export.conformance.conform import Conformity, conform

from ..conftest import CLIENTS, Export
from .conftest import Ours

needs_flower = pytest.mark.skipif(find_spec("flwr") is None, reason="Flower is not installed")


@needs_flower
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("server", ["adam", "sgd"])
def test_an_exported_app_conforms(client: str, server: str, exported: Export, out: Path) -> None:
    app = exported(client, server)
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-10)):
        found = conform(app, out, 3, dtype)
        assert found.parted is None
        assert list(found.distances) == [1, 2, 3]
        assert max(found.distances.values()) <= tolerance


@needs_flower
def test_its_messages_are_described(exported: Export, out: Path) -> None:
    sent, came = conform(exported("scaffold"), out, 1).carries
    assert sent == "to a client: x (4 arrays, 1,240 bytes), shared (4 arrays, 1,240 bytes)"
    assert came == "from a client: update (4 arrays, 1,240 bytes), message (4 arrays, 1,240 bytes)"


def plain(app: Path, out: Path, server: str, **config: Any) -> Conformity:
    return conform(app, out, 3, config=config, start="random", client="gd", server=server)


@needs_flower
def test_a_plain_app_of_flowers_conforms(plain_app: Path, plain_out: Path) -> None:
    found = plain(plain_app, plain_out, "sgd")
    assert found.parted is None
    assert list(found.distances) == [1, 2, 3]
    assert found.lines[-1] == "conforms: the same weights after each of 3 rounds"


@needs_flower
@pytest.mark.parametrize(
    ("server", "config", "round_", "where", "how"),
    [
        (
            "adam",
            {"strategy": "FedAdam"},
            1,
            "server",
            "its step is that of 'adam@flower'; the recipe has 'adam' at 0.1",
        ),
        ("adam", {"strategy": "FedAvg"}, 1, "server", "that of 'sgd' at 1 or"),
        ("sgd", {"steps": 3}, 1, "client", "client 0 trains for 3 local epochs"),
        ("sgd", {"rate": 0.2}, 1, "client", "look at the order of its rows"),
        ("sgd", {"share": 0.7}, 1, "cohort", "it was sent to clients"),
        ("sgd", {"steps": 0}, 1, "cohort", "failed: no steps"),
    ],
)
def test_where_an_app_parts_is_named(
    server: str,
    config: dict[str, Any],
    round_: int,
    where: str,
    how: str,
    plain_app: Path,
    plain_out: Path,
) -> None:
    found = plain(plain_app, plain_out, server, **config)
    assert found.parted is not None
    assert (found.parted.round, found.parted.where) == (round_, where)
    assert how in found.parted.how
    assert str(found.parted) == found.lines[-1]


@needs_flower
def test_other_weights_at_the_start_are_told_and_gone_on_from(
    plain_app: Path, plain_out: Path
) -> None:
    begin = load_file(plain_app / "begin.safetensors")
    save_file({name: leaf + 1 for name, leaf in begin.items()}, plain_app / "other.safetensors")
    found = plain(plain_app, plain_out, "sgd", begin="other.safetensors")
    assert found.parted is not None
    assert found.parted.where == "start"
    assert list(found.distances) == [1, 2, 3]
    assert max(found.distances.values()) < 1e-6


@needs_flower
def test_a_recipe_and_names_beside_it_are_refused(ours: Ours, plain_out: Path) -> None:
    with pytest.raises(HeadstartError, match="expected it without --start"):
        conform(ours("sgd"), plain_out, client="gd")


@needs_flower
def test_a_folder_that_is_no_app_is_one_line(tmp_path: Path, plain_out: Path) -> None:
    with pytest.raises(HeadstartError, match="expected the folder of a Flower app"):
        conform(tmp_path, plain_out, client="gd", server="sgd", start="random")


def test_without_flower_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plain_out: Path
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(HeadstartError, match=r"not installed: pip install 'headstart\[flower\]'"):
        conform(tmp_path, plain_out)
    with pytest.raises(HeadstartError, match="dtype: expected one of float32, float64"):
        conform(tmp_path, plain_out, dtype="bfloat16")
    assert torch.get_default_dtype() == torch.float32
