"""An app is driven for the rounds that are wanted, and one that fails is one line."""

from pathlib import Path

import pytest

pytest.importorskip("flwr", reason="Flower is not installed")

from headstart.errors import HeadstartError
from headstart.export.flower.driving import driven

from ..conftest import Export


def test_it_ends_as_the_round_after_begins(exported: Export) -> None:
    wanted = {"cohorts": "plan", "save": "", "theirs": 1}
    carried = driven(exported("sgd"), 4, 2, wanted, {"timeout": 5.0})
    assert [len(round_) for round_ in carried.rounds] == [3, 3]
    assert set(carried.after) == {"x"}


def test_a_server_that_fails_is_one_line(exported: Export) -> None:
    app = exported("sgd")
    (app / "weights.safetensors").unlink()
    with pytest.raises(HeadstartError, match="not found; an app's bundle has no weights"):
        driven(app, 4, 1, {}, {})
    server = "from flwr.serverapp import ServerApp\napp = ServerApp()\n"
    failing = "@app.main()\ndef main(grid, context):\n    raise KeyError('eta')\n"
    (app / "server_app.py").write_text(server + failing)
    with pytest.raises(HeadstartError, match="its server failed: 'eta'"):
        driven(Path(app), 4, 1, {}, {})
