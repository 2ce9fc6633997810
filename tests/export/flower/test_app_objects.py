"""An app is imported from its folder, and forgotten."""

import sys
from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.export.flower.app_objects import loaded

PYPROJECT = """
[tool.flwr.app.components]
serverapp = "apps_of_a_test:server"
clientapp = "apps_of_a_test:inner.client"
[tool.flwr.app.config]
rounds = 3
[tool.flwr.app.config.model]
width = 2
"""

MODULE = """
import beside_a_test
server = beside_a_test.NAME
class inner:
    client = "client"
"""


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "apps_of_a_test.py").write_text(MODULE)
    (tmp_path / "beside_a_test.py").write_text("NAME = 'server'")
    return tmp_path


def test_its_objects_and_settings_are_those_it_names(app: Path) -> None:
    path = list(sys.path)
    with loaded(app) as objects:
        found = (objects.server, objects.client)
        assert found == ("server", "client")  # type: ignore[comparison-overlap]
        assert objects.config == {"rounds": 3, "model.width": 2}
    assert sys.path == path
    assert not {"apps_of_a_test", "beside_a_test"} & set(sys.modules)


def test_what_is_no_app_is_one_line(app: Path) -> None:
    (app / "beside_a_test.py").write_text("raise RuntimeError('no name')")
    with pytest.raises(HeadstartError, match="serverapp 'apps_of_a_test:server': no name"):
        loaded(app).__enter__()
    (app / "pyproject.toml").write_text("[tool.flwr]")
    with pytest.raises(HeadstartError, match=r"expected \[tool\.flwr\.app\.components\]"):
        loaded(app).__enter__()
    (app / "pyproject.toml").unlink()
    with pytest.raises(HeadstartError, match="expected the folder of a Flower app"):
        loaded(app).__enter__()
