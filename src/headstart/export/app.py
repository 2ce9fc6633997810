"""`headstart export`: an app of Flower that carries a recipe out, as a folder of short files.

All files are written into a folder beside it, which then takes its name: nothing half-written is
left.
"""

import json
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

from headstart import files
from headstart.errors import HeadstartError
from headstart.export.chosen import Chosen, chosen
from headstart.export.recipe import FILE, Recipe
from headstart.files.folders import new_folder, refuse_taken
from headstart.parts.origin import KEPT

WEIGHTS = "weights.safetensors"

NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}")
"""What Flower takes for the name of an app, and of its folder."""

PYPROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0.0"
description = "{description}"
license = "Apache-2.0"
dependencies = ["flwr>=1.42", "headstart[flower]"]

[tool.hatch.build.targets.wheel]
packages = ["."]

[tool.flwr.app]
publisher = "headstart"

[tool.flwr.app.components]
serverapp = "server_app:app"
clientapp = "client_app:app"

[tool.flwr.app.config]
rounds = {rounds}
cohorts = "nodes"      # "plan" for the clients and batches of the study's simulation
min-nodes = {min_nodes}        # a round waits for so many
timeout = 3600.0       # seconds that a round waits for its cohort
dtype = "float32"
device = "cpu"
weights = {weights}
save = {save}
"""

SERVER_APP = '''\
"""The server: it trains by recipe.json, from the weights that the study began with."""

from pathlib import Path

from headstart.export.flower.server import server_app

app = server_app(Path(__file__).parent)
'''

CLIENT_APP = '''\
"""A client: it trains on its own rows. `load_data` is yours to write."""

from pathlib import Path

from headstart.export.flower.client import client_app

HERE = Path(__file__).parent


def load_data(context):
    """Return the training inputs and targets of this node, in an order that stays.

    inputs: a tensor [N, {shape}]{kind}
    targets: {targets}

    As it is, the node has the rows of a client of the study, by its partition-id. Put your own in
    place of these two lines.
    """
    from headstart.export.study_rows import rows_of

    return rows_of(HERE, context.node_config["partition-id"])


app = client_app(HERE, load_data)
'''

README = """\
# {name}

{verdict}

This app trains `{model}` with `{client}` on the clients (rate {client_rate:g}) and `{server}` on
the server (rate {server_rate:g}), from `{start}`: {told}.

| file | what it is |
|---|---|
| `client_app.py` | the client; its `load_data` is yours to write |
| `server_app.py` | the server |
| `recipe.json` | all that training depends on, for programs |
| `{weights}` | the weights that it begins with |
| `pyproject.toml` | Flower's settings of the app |

A bundle of Flower's has no weights: the file lies on the machine of the server, at the path
`weights` of `pyproject.toml`.

```sh
headstart conform {name} OUT    # OUT: the folder of the study; does the app train as it did?
flwr run {name} local --stream
```
"""


def write(
    out: Path,
    into: Path,
    start: str | None = None,
    client: str | None = None,
    server: str | None = None,
) -> list[str]:
    """Write an app, and return what it is, a line each.

    Args:
        out: the study's folder.
        into: the folder to write, which must not be there.
        start: from which start; by default where the verdict begins.
        client: the client optimizer; by default that of the best pair.
        server: the server optimizer, likewise.

    Raises:
        HeadstartError: the folder is there, or the study has nothing that can be deployed.
    """
    refuse_taken(into)
    if not NAME.fullmatch(into.name):
        raise HeadstartError(
            f"--into: expected a name of letters, digits and hyphens, as Flower takes it for an "
            f"app, got {into.name!r}"
        )
    found = chosen(out, start, client, server)
    contents = _contents(found, into)
    with new_folder(into) as folder:
        for name, content in contents.items():
            files.write(folder / name, content)
        if (out / KEPT).is_dir():
            shutil.copytree(out / KEPT, folder / KEPT)
    lines = [found.told, f"app: {into}", f"next: write load_data in {into / 'client_app.py'}"]
    if find_spec("flwr") is None:
        lines.append("to run it: pip install 'headstart[flower]'")
    return lines


def _contents(found: Chosen, into: Path) -> dict[str, str | bytes]:
    recipe, here = found.recipe, Path(os.path.abspath(into))
    values = recipe.model_dump()
    pyproject = PYPROJECT.format(
        name=into.name,
        description=f"What the study {recipe.study} recommends".replace('"', "'"),
        rounds=recipe.rounds,
        min_nodes=min(recipe.cohort, recipe.population),
        weights=_quoted(here / WEIGHTS),
        save=_quoted(here / "trained.safetensors"),
    )
    shape = ", ".join(map(str, recipe.input_shape))
    return {
        "pyproject.toml": pyproject,
        "server_app.py": SERVER_APP,
        "client_app.py": CLIENT_APP.format(shape=shape, **_in_words(recipe)),
        "README.md": README.format(**{**values, "name": into.name, "told": found.told,
                                      "weights": WEIGHTS}),
        FILE: recipe.text(),
        WEIGHTS: found.content,
    }  # fmt: skip


def _in_words(recipe: Recipe) -> dict[str, str]:
    """What the rows of a client are, for who writes `load_data`."""
    kind = " of bytes, as images are" if recipe.scaling else ""
    if recipe.loss == "next_token":
        kind = " of the numbers of tokens"
        targets = f"the tokens that follow, of the same shape; {recipe.ignored} counts for nothing"
    else:
        targets = f"labels [N], whole numbers from 0 to {recipe.outputs - 1}"
    return {"kind": kind, "targets": targets}


def _quoted(path: Path) -> str:
    """A path as TOML writes a text."""
    return json.dumps(str(path), ensure_ascii=False)
