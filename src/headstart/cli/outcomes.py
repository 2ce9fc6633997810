"""The commands that write what came of studies: reports, weights, pages."""

import os
from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.commands import Folder, app
from headstart.errors import HeadstartError
from headstart.terminal import say


@app.command()
def report(
    directory: Folder,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help="Another folder than that of the study."),
    ] = None,
) -> None:
    """Write the report of a study again from its tables; also of one that was published."""
    from headstart.report.pages.study_page import write

    say(f"report: {write(directory, os.cpu_count() or 1, into)}")


@app.command()
def model(
    directory: Folder,
    into: Annotated[
        Path,
        typer.Option(
            "--into",
            metavar="FILE",
            help="The .safetensors file to write, or the folder of a model with its card.",
        ),
    ],
    start: Annotated[
        str | None, typer.Option(help="From which start; by default where the verdict begins.")
    ] = None,
    pair: Annotated[
        str | None, typer.Option(help="With which pair, 'sgd + adam'; by default the best one.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of which seed; by default that with the highest accuracy.")
    ] = None,
    run: Annotated[
        str | None, typer.Option("--run", metavar="KEY", help="A run by its own name instead.")
    ] = None,
    best_round: Annotated[
        bool,
        typer.Option(
            "--best-round", help="Of its best round rather than its last; needs keep_weights: both."
        ),
    ] = False,
    untrained: Annotated[
        bool,
        typer.Option("--untrained", help="As the run began, before its first round."),
    ] = False,
    push: Annotated[
        str | None,
        typer.Option(metavar="OWNER/NAME", help="The repository of the hub that it goes to, too."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="With --push: a new repository can be seen by all.")
    ] = False,
) -> None:
    """Write the weights of a study's best run to a file, or with a card to a folder, and say what
    they are.\f

    Args:
        directory: the folder of the study.
        into: the file or the folder to write.
        start, pair, seed, run: which run.
        best_round, untrained: whether its best round, or how it began, rather than its last.
        push: a repository of the hub.
        public: whether that can be seen by all.
    """
    from headstart.export import model_folder
    from headstart.results import model_file

    if untrained and not into.suffix:
        raise HeadstartError("--untrained writes a file; expected --into to end in .safetensors")
    if (push is not None or public) and into.suffix:
        raise HeadstartError("--push takes a folder with a card; expected one as --into, without .")
    found = model_file.found(directory, start, pair, seed, run, best_round, untrained)
    if into.suffix:
        lines = model_file.write(found, into)
    else:
        lines = model_folder.write(found, directory, into, push, public)
    for line in lines:
        say(line)


@app.command()
def compare(
    directories: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Folders of studies, one a task.")
    ],
    into: Annotated[Path, typer.Option("--into", metavar="PAGE", help="The HTML page to write.")],
) -> None:
    """Put the studies of several tasks on one page: verdicts, and every finding side by side."""
    from headstart.report.pages.comparison import write

    say(f"page: {write(directories, into)}")


@app.command()
def publish(
    directory: Folder,
    into: Annotated[
        Path | None,
        typer.Option("--into", metavar="FOLDER", help="The folder to write, for a repository."),
    ] = None,
) -> None:
    """Write what a repository can keep of a study: tables, figures, judged findings, and a
    README.md of them. Without --into, write what was published again, from its own tables.
    """
    from headstart.report.publication.folder import publish as write

    say(f"published: {write(directory, into)}")


@app.command()
def findings(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER...", help="What `publish` wrote, or folders of it."),
    ],
    into: Annotated[
        Path, typer.Option("--into", metavar="PAGE", help="A Markdown page that has the marks.")
    ],
) -> None:
    """Write what published studies found into a Markdown page, between its marks, finding by
    finding.
    """
    from headstart.report.publication.findings_page import write

    say(f"findings: {write(folders, into)}")
