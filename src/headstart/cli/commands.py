"""The commands as a group, and the arguments that several of them have."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from headstart.errors import HeadstartError
from headstart.terminal import say

MOST_JOBS = 4096

StudyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A study file (YAML).")]
Out = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="The folder of the results; resumed if it has some."),
]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="MODULE",
        help="A module elsewhere than beside the study file that its own parts may come from; may "
        "be given again.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, max=MOST_JOBS, help="Processes; by default one for each core.")
]
CheckpointSeconds = Annotated[
    float, typer.Option(min=0, help="Seconds between checkpoints of a run under way.")
]


Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="NAME", help="tensorboard, mlflow or wandb; may be given several times."
    ),
]


Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")]


class _Commands(TyperGroup):
    """The commands. None ends the program but by its own words: what else does is a part of the
    user's.
    """

    def invoke(self, ctx: Any) -> Any:
        """Carry out a command."""
        from headstart.parts.lookup import Origin, within

        try:
            with within(Origin(Path.cwd(), ())):
                return super().invoke(ctx)
        except SystemExit as error:
            raise HeadstartError(
                f"a part of your own ended the program (SystemExit: {error.code}), which is not "
                "its to end"
            ) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _say_version(asked: bool) -> None:
    if asked:
        import headstart

        say(f"headstart {headstart.__version__}")
        raise typer.Exit


@app.callback()
def headstart_(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the version, and end."
        ),
    ] = False,
) -> None:
    """Where should federated training begin, and with which pair of client and server
    optimizers?
    """
