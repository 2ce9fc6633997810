"""The objects of an app of Flower in its folder: its server, its client, and its settings."""

import importlib
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headstart.errors import HeadstartError, reason

if TYPE_CHECKING:
    from flwr.clientapp import ClientApp
    from flwr.serverapp import ServerApp


@dataclass(frozen=True)
class AppObjects:
    """What `[tool.flwr.app]` of an app names; `config`: its settings, flattened as Flower does."""

    server: "ServerApp"
    client: "ClientApp"
    config: Mapping[str, Any]


@contextmanager
def loaded(folder: Path) -> Iterator[AppObjects]:
    """Import an app, and forget its modules after the block.

    Raises:
        HeadstartError: it is no app, or cannot be imported.
    """
    folder = Path(os.path.abspath(folder))
    asked = _asked(folder)
    sys.path.insert(0, str(folder))
    before = set(sys.modules)
    try:
        server, client = (_object(folder, asked, name) for name in ("serverapp", "clientapp"))
        yield AppObjects(server, client, _flat(asked.get("config", {})))
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            if Path(str(getattr(sys.modules[name], "__file__", ""))).is_relative_to(folder):
                del sys.modules[name]


def _asked(folder: Path) -> dict[str, Any]:
    file = folder / "pyproject.toml"
    if not file.is_file():
        raise HeadstartError(f"{folder}: expected the folder of a Flower app, with pyproject.toml")
    try:
        asked: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))["tool"]["flwr"]
        components = asked["app"]["components"]
        if not {"serverapp", "clientapp"} <= set(components):
            raise KeyError("serverapp and clientapp")
    except (ValueError, KeyError, TypeError) as error:
        raise HeadstartError(
            f"{file}: expected [tool.flwr.app.components] with a serverapp and a clientapp "
            f"({reason(error)})"
        ) from None
    return dict(asked["app"])


def _object(folder: Path, asked: Mapping[str, Any], component: str) -> Any:
    written = str(asked["components"][component])
    module, _, attribute = written.partition(":")
    try:
        found = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except HeadstartError:
        raise
    except Exception as error:  # whatever somebody's own app may raise
        raise HeadstartError(f"{folder}: {component} {written!r}: {reason(error)}") from error
    return found


def _flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found
