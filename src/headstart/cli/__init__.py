"""The command line: each command reads its arguments, calls one function of the library, and prints."""

import os
import sys
import time
import traceback
import warnings
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from headstart.errors import HeadstartError, as_memory
from headstart.terminal import lenient, say

if TYPE_CHECKING:
    from headstart.parts.registry import Registry
    from headstart.study.spec import Study


class _Commands(TyperGroup):
    """The commands. None ends the program but by its own words: what else does is a part of the user's."""

    def invoke(self, ctx: Any) -> Any:
        """Carry out a command."""
        from headstart.parts.lookup import Origin, within

        try:
            with within(Origin(Path.cwd(), ())):
                return super().invoke(ctx)
        except SystemExit as error:
            raise HeadstartError(
                f"a part of your own ended the program (SystemExit: {error.code}), which is not its to end"
            ) from error


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

FEW_SEEDS = 3
"""Below so many an interval, where there is one, is as wide as 13 standard errors (Student's t of one degree)."""

SHOWS_TRACEBACKS = "HEADSTART_TRACEBACK"
"""The variable of the environment that has errors shown as Python raises them."""

MOST_JOBS = 4096

USAGE: Any = typer.BadParameter.__mro__[1]
"""What is raised of a command line that is none: click's `UsageError`, or that of typer's own copy of it."""

LONGEST = 4000
"""Letters of an error's line, which may hold what somebody else wrote."""

StudyFile = Annotated[Path, typer.Argument(metavar="FILE", help="A study file (YAML).")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder of the results; resumed if it has some.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="MODULE",
        help="A module elsewhere than beside the study file that its own parts may come from; may be given again.",
    ),
]
Jobs = Annotated[int | None, typer.Option(min=1, max=MOST_JOBS, help="Processes; by default one for each core.")]
CheckpointSeconds = Annotated[float, typer.Option(min=0, help="Seconds between checkpoints of a run under way.")]


def _say_version(asked: bool) -> None:
    if asked:
        import headstart

        say(f"headstart {headstart.__version__}")
        raise typer.Exit


@app.callback()
def headstart_(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version, and end."),
    ] = False,
) -> None:
    """Where should federated training begin, and with which pair of client and server optimizers?"""


Track = Annotated[
    list[str] | None,
    typer.Option("--track", metavar="NAME", help="tensorboard, mlflow or wandb; may be given several times."),
]


@app.command()
def demo(out: Out = Path("demo"), jobs: Jobs = None) -> None:
    """Run the study that ships with Headstart: real handwritten digits, no download, about a minute."""
    from headstart.study.spec import Study

    with resources.as_file(resources.files("headstart") / "studies" / "demo.yaml") as path:
        study = Study.load(path)
    _run(study, out, jobs, checkpoint_seconds=10.0)


@app.command()
def run(
    file: StudyFile,
    out: Out,
    jobs: Jobs = None,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    allow: Allow = None,
    track: Track = None,
) -> None:
    """Run a study, or go on with one that was interrupted, and write its report."""
    from headstart.study.spec import Study

    _run(Study.load(file, allow or ()), out, jobs, checkpoint_seconds, track)


@app.command()
def paper(
    finding: Annotated[
        str,
        typer.Argument(
            help="ranking, iid-gap, local-epochs, devices, curvature, alignment, "
            "speedup, initial-loss, gd-vs-sgd or all"
        ),
    ],
    task: Annotated[str, typer.Option(help="digits, mnist-writers, cifar10, shakespeare, stackoverflow or reddit")],
    out: Out,
    scale: Annotated[str, typer.Option(help="toy (a quick check), cpu (for two cores) or full (as the paper)")] = "cpu",
    model: Annotated[
        str | None, typer.Option(help="another network: resnet18 for cifar10, charlm for stackoverflow and reddit")
    ] = None,
    jobs: Jobs = None,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    write_only: Annotated[
        bool, typer.Option("--write-only", help="Write the study file, to edit it; run nothing.")
    ] = False,
) -> None:
    """Write the study of a finding of "Where to Begin?" to DIR/paper.yaml, and run it.

    A file that is there already is run as it stands, so it can be edited before the first run.
    """
    from headstart import files
    from headstart.paper.presets import study_text
    from headstart.study.folder.store import WRITTEN
    from headstart.study.spec import Study

    text, path = study_text(finding, task, scale, model), out / WRITTEN
    if not path.exists():
        files.write(path, text)
    elif path.read_text(encoding="utf-8", errors="replace") != text:
        say(f"{path} is there already and differs from the preset; it is run as it stands")
    say(f"study: {path}")
    if not write_only:
        _run(Study.load(path), out, jobs, checkpoint_seconds)


@app.command()
def check(file: StudyFile, allow: Allow = None) -> None:
    """Check a study file and what it names, and print its grid, its runs and an estimate of time."""
    from headstart.study.check import check as check_study
    from headstart.study.data import task_of
    from headstart.study.spec import AXES, Study
    from headstart.study.tuning.search import searches
    from headstart.tools.estimate import HOW, estimate_seconds

    study = Study.load(file, allow or ())
    of_starts = check_study(study)
    say(f"{file}: {study.file.title or study.file.name}")
    for axis in (*AXES, "trainable", "local_epochs", "client_rates", "server_rates", "seeds"):
        singular = axis if axis in ("devices", "trainable", "local_epochs") else axis[:-1]
        values = dict.fromkeys(getattr(each, singular) for each in study.runs)
        shown = values if axis in AXES else sorted(values)
        say(f"  {axis.replace('_', ' '):<13} {', '.join(map(str, shown))}")
    for note in task_of(study.task).notes:
        say(f"  data          {note}")
    for start, notes in of_starts.items():
        say(f"  {start}: {'; '.join(notes)}")
    a_round = f"{study.cohort} of {study.population} clients a round"
    say(f"  {len(study.runs)} runs of {study.file.rounds} rounds, {a_round}")
    if (seeds := len({each.seed for each in study.runs})) < FEW_SEEDS:
        many = "1 seed decides nothing" if seeds == 1 else f"{seeds} seeds decide little"
        say(f"  note: {many}; run {FEW_SEEDS} or more")
    if tuned := searches(study):
        say(f"  tuning: {len(tuned)} searches of {tuned[0].trials} trials, {tuned[0].base.rounds} rounds at most each")
    cores = os.cpu_count() or 1
    seconds = estimate_seconds(study)
    say(f"  about {_duration(seconds)} in one process, {_duration(seconds / cores)} in {cores}, without pre-training")
    say(f"  ({HOW})")


@app.command()
def report(directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")]) -> None:
    """Write the report of a study again from its tables."""
    from headstart.report.pages.study_page import write

    say(f"report: {write(directory, os.cpu_count() or 1)}")


@app.command()
def model(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
    into: Annotated[Path, typer.Option("--into", metavar="FILE", help="The .safetensors file to write.")],
    start: Annotated[str | None, typer.Option(help="From which start; by default where the verdict begins.")] = None,
    pair: Annotated[str | None, typer.Option(help="With which pair, 'sgd + adam'; by default the best one.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of which seed; by default that with the highest accuracy.")] = None,
    run: Annotated[str | None, typer.Option("--run", metavar="KEY", help="A run by its own name instead.")] = None,
    best_round: Annotated[
        bool, typer.Option("--best-round", help="Of its best round rather than its last; needs keep_weights: both.")
    ] = False,
) -> None:
    """Write the weights of a study's best run to a file, and say what they are."""
    from headstart.results.model_file import write

    for line in write(directory, into, start, pair, seed, run, best_round):
        say(line)


@app.command()
def compare(
    directories: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Folders of studies, one a task.")],
    into: Annotated[Path, typer.Option("--into", metavar="PAGE", help="The HTML page to write.")],
) -> None:
    """Put the studies of several tasks on one page: their verdicts, and every finding side by side."""
    from headstart.report.pages.comparison import write

    say(f"page: {write(directories, into)}")


@app.command()
def publish(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a study.")],
    into: Annotated[Path, typer.Option("--into", metavar="FOLDER", help="The folder to write, for a repository.")],
) -> None:
    """Write what a repository can keep of a study: tables, figures, judged findings, and a README.md of them."""
    from headstart.report.publication.folder import publish as write

    say(f"published: {write(directory, into)}")


@app.command()
def findings(
    folders: Annotated[list[Path], typer.Argument(metavar="FOLDER...", help="What `publish` wrote, or folders of it.")],
    into: Annotated[Path, typer.Option("--into", metavar="PAGE", help="A Markdown page that has the marks.")],
) -> None:
    """Write what published studies found into a Markdown page, between its marks, finding by finding."""
    from headstart.report.publication.findings_page import write

    say(f"findings: {write(folders, into)}")


@app.command()
def bench(
    job: Annotated[
        str,
        typer.Argument(
            help="digits-mlp, cifar-cnn, cifar-squeezenet, cifar-resnet18, femnist-cnn, shakespeare-lstm or "
            "stackoverflow-gpt2"
        ),
    ],
    executor: Annotated[str, typer.Option(help="An executor, as `headstart list executors` names it.")] = "stacked",
    precision: Annotated[str, typer.Option(help="fp32, or bf16 for the training passes.")] = "fp32",
    device: Annotated[str, typer.Option(help="cpu, cuda, or another device of torch.")] = "cpu",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that are timed.")] = 5,
    every: Annotated[int, typer.Option(min=0, help="Evaluate after each so many rounds; 0 for never.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Measure how many samples a second a cohort trains on, on random data."""
    import json

    from headstart.tools.benchmark import measure

    if precision not in ("fp32", "bf16"):
        raise HeadstartError(f"--precision: expected one of fp32, bf16, got {precision!r}")
    result = measure(job, executor, "bf16" if precision == "bf16" else "fp32", device, rounds, every=every)
    say(json.dumps(result) if as_json else "\n".join(f"{name:<20} {value}" for name, value in result.items()))


@app.command()
def inspect(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A study file: its task and partitions.")] = None,
    task: Annotated[str, typer.Option(help="A task, as a study file writes it, in place of FILE.")] = "",
    partition: Annotated[str, typer.Option(help="A partition, likewise.")] = "natural",
    population: Annotated[
        int | None, typer.Option(min=1, help="The number of clients; by default one an owner if natural, else 100.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed that deals the rows.")] = 0,
    picture: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it, as .svg or .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON a split.")] = False,
    allow: Allow = None,
) -> None:
    """Measure splits of training rows over clients: their sizes, the skew of their labels, clients of each label."""
    import json

    from headstart.parts.lookup import Origin, within
    from headstart.study.spec import Study
    from headstart.tools.inspection import lines
    from headstart.tools.splits import inspect_named, inspect_study

    if (file is None) == (not task):
        raise HeadstartError("expected a study file or --task, and not both")
    if file is None:
        with within(Origin(Path.cwd(), tuple(allow or ()))):
            found = iter([inspect_named(task, partition, population, seed)])
    else:
        found = inspect_study(Study.load(file, allow or ()))
    for i, split in enumerate(found):
        say(json.dumps(split.as_json()) if as_json else "\n".join([*([""] if i else []), *lines(split)]))
        if picture is not None:
            from headstart.report.figures.split_picture import write_picture

            path = picture.with_stem(f"{picture.stem}-{i + 1}") if i else picture
            write_picture(
                path, split.name, split.classes, split.sizes_K, split.counts_KC, split.variation_K, split.dealt_K
            )


@app.command()
def init(
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A file .csv, .parquet or .jsonl, or a folder of such.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The study file to write.")] = Path("study.yaml"),
    label: Annotated[str | None, typer.Option(help="The column of classes; guessed if left out.")] = None,
    client: Annotated[str | None, typer.Option(help="The column that says whose a row is; likewise.")] = None,
) -> None:
    """Write a first study file, with comments, for a table of your own: what its columns are is guessed, and said."""
    from headstart.tools.first_study import write_first_study

    made = write_first_study(table, out, label, client)
    for guess in made.guesses:
        say(f"  {guess}")
    say(f"study: {made.path}")
    say(f"next: headstart check {made.path}, then headstart run {made.path} --out out")


@app.command(name="list")
def list_(
    kind: Annotated[str, typer.Argument(help="starts, clients, servers, models, tasks, partitions, ...")] = "",
) -> None:
    """List what study files can name, with parameters, defaults and papers."""
    from headstart.cli.listing import print_registry, say_faults
    from headstart.errors import nearest

    registries = _registries()
    if kind and kind not in registries:
        raise HeadstartError(f"unknown kind {kind!r}{nearest(kind, registries)}")
    chosen = [kind] if kind else list(registries)
    for name in chosen:
        print_registry(name, registries[name])
    say_faults(registries[name] for name in chosen)


def _registries() -> dict[str, "Registry[Any]"]:
    from headstart.clients.base import CLIENTS
    from headstart.engine.devices import DEVICES
    from headstart.engine.executors.base import EXECUTORS
    from headstart.engine.rate_by_round import RATES_BY_ROUND
    from headstart.models.network import MODELS
    from headstart.probes.base import PROBES
    from headstart.servers.base import SERVERS
    from headstart.starts.base import STARTS
    from headstart.tasks.base import PARTITIONS, TASKS
    from headstart.tasks.tokens.base import TOKENS

    return {
        "starts": STARTS, "clients": CLIENTS, "servers": SERVERS, "models": MODELS, "tasks": TASKS,
        "tokens": TOKENS, "partitions": PARTITIONS, "devices": DEVICES, "executors": EXECUTORS, "probes": PROBES,
        "rates-by-round": RATES_BY_ROUND,
    }  # fmt: skip


def _run(
    study: "Study", out: Path, jobs: int | None, checkpoint_seconds: float, track: list[str] | None = None
) -> None:
    from headstart.cli.progress import watching
    from headstart.report.pages.study_page import refuse_changed, write
    from headstart.study.folder import failed
    from headstart.study.runner import on_stderr, run_study
    from headstart.study.tuning.search import searches
    from headstart.trackers.following import following

    began, jobs = time.perf_counter(), jobs or os.cpu_count() or 1
    refuse_changed(out)
    try:
        with (
            watching(len(study.runs) + len(searches(study))) as shown,
            following(track, study, out, shown, on_stderr) as watch,
        ):
            run_study(study, out, jobs, checkpoint_seconds, watch, on_stderr)
    except KeyboardInterrupt:
        say(f"interrupted; what is done is in {out}; run the same command again to go on", to=sys.stderr)
        raise typer.Exit(130) from None
    page = write(out, jobs)
    say(f"{len(study.runs)} runs in {_duration(time.perf_counter() - began)}")
    say(f"report: {page}")
    if failed.are_in(out):
        raise typer.Exit(1)


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def main() -> None:
    """Entry point: an error of the user's is one line on standard error and exit status 2."""
    warnings.showwarning = _one_line  # type: ignore[assignment]
    with lenient():
        try:
            status = app(standalone_mode=False)
        except (KeyboardInterrupt, typer.Abort):
            sys.exit(130)
        except USAGE as error:
            if text := error.format_message().rstrip(" ."):
                command = error.ctx.command_path if error.ctx else "headstart"
                line = f"{text[0].lower()}{text[1:]}; `{command} --help` shows what there is"
                say(f"error: {' '.join(line.split())}", to=sys.stderr)
            sys.exit(2)  # without a text it has shown the help
        except Exception as error:
            if os.environ.get(SHOWS_TRACEBACKS):
                raise
            known = error if isinstance(error, HeadstartError | OSError) else as_memory(error)
            line = " ".join(str(known or _unexpected(error)).split())
            say(f"error: {line if len(line) <= LONGEST else line[:LONGEST] + '…'}", to=sys.stderr)
            sys.exit(2 if known is not None else 1)
        if isinstance(status, int) and status:
            sys.exit(status)


def _one_line(message: Warning | str, *_: object) -> None:
    """Say a warning of Python's as a note, without the line of code that gave it."""
    say(f"note: {' '.join(str(message).split())}", to=sys.stderr)


def _unexpected(error: Exception) -> str:
    """What is said of an error that nobody foresaw: a fault of Headstart's own."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "headstart" in Path(frame.filename).parts]
    place = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return (
        f"this should not happen, and is a fault of Headstart: {type(error).__name__}{place} ({error}); "
        f"{SHOWS_TRACEBACKS}=1 in the environment shows more, to report it"
    )
