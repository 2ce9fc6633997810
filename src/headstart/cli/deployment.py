"""The commands that deploy what a study found: an app of Flower, and whether one trains alike."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from headstart.cli.commands import Folder, absolute, app
from headstart.errors import HeadstartError
from headstart.terminal import say

Start = Annotated[
    str | None, typer.Option(help="From which start; by default where the verdict begins.")
]
Client = Annotated[
    str | None, typer.Option(help="The client optimizer; by default that of the best pair.")
]
Server = Annotated[
    str | None, typer.Option(help="The server optimizer; by default that of the best pair.")
]


@app.command()
def export(
    directory: Folder,
    into: Annotated[
        Path,
        typer.Option("--into", metavar="FOLDER", callback=absolute, help="The folder to write."),
    ],
    to: Annotated[str, typer.Option("--to", metavar="flower", help="What it is for.")] = "flower",
    start: Start = None,
    client: Client = None,
    server: Server = None,
) -> None:
    """Write an app that trains, in a deployment, as the study recommends.\f

    Args:
        directory: the folder of a study.
        into: the folder to write.
        to: what the app is for.
        start, client, server: what to deploy, in place of what the study recommends.
    """
    from headstart.export.app import write

    if to != "flower":
        raise HeadstartError(f"--to: expected flower, got {to!r}")
    for line in write(directory, into, start, client, server):
        say(line)


@app.command()
def conform(
    folder: Annotated[Path, typer.Argument(metavar="APP", help="The folder of an app of Flower.")],
    directory: Folder,
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that are compared.")] = 3,
    dtype: Annotated[str, typer.Option(help="float32 or float64.")] = "float32",
    run_config: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE", help="A setting of the app, over its own; may be given again."
        ),
    ] = None,
    start: Start = None,
    client: Client = None,
    server: Server = None,
) -> None:
    """Run an app of Flower beside the simulation of a study; where they part, say so and exit 1.\f

    Args:
        folder: that of the app.
        directory: that of the study.
        rounds: how many are compared.
        dtype: in which is computed.
        run_config: settings of the app.
        start, client, server: what an app that was not exported is held against.
    """
    from headstart.export.conformance.conform import conform as compare

    settings = dict(map(_setting, run_config or ()))
    found = compare(folder, directory, rounds, dtype, settings, start, client, server)
    for line in found.lines:
        say(line)
    if found.parted:
        raise typer.Exit(1)


def _setting(written: str) -> tuple[str, Any]:
    """A setting as its name and its value: a number, true or false, or else a text."""
    name, equals, value = written.partition("=")
    if not equals:
        raise HeadstartError(f"--run-config: expected KEY=VALUE, got {written!r}")
    try:
        read = json.loads(value)
    except ValueError:
        return name, value
    return name, read if isinstance(read, bool | int | float | str) else value
