"""The commands beside a study: measure, inspect, begin, list."""

from pathlib import Path
from typing import Annotated

import typer

from headstart.cli.commands import Allow, absolute, app
from headstart.cli.listing import print_registry, registries, say_faults
from headstart.errors import HeadstartError
from headstart.terminal import say


@app.command()
def bench(
    job: Annotated[
        str,
        typer.Argument(
            help="digits-mlp, cifar-cnn, cifar-squeezenet, cifar-resnet8, cifar-resnet18, "
            "femnist-cnn, shakespeare-lstm or stackoverflow-gpt2"
        ),
    ],
    executor: Annotated[
        str, typer.Option(help="An executor, as `headstart list executors` names it.")
    ] = "stacked",
    precision: Annotated[str, typer.Option(help="fp32, or bf16 for the training passes.")] = "fp32",
    device: Annotated[str, typer.Option(help="cpu, cuda, or another device of torch.")] = "cpu",
    rounds: Annotated[int, typer.Option(min=1, help="Rounds that are timed.")] = 5,
    every: Annotated[
        int, typer.Option(min=0, help="Evaluate after each so many rounds; 0 for never.")
    ] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON.")] = False,
) -> None:
    """Measure how many samples a second a cohort trains on, on random data."""
    import json

    from headstart.tools.benchmark import measure

    if precision not in ("fp32", "bf16"):
        raise HeadstartError(f"--precision: expected one of fp32, bf16, got {precision!r}")
    result = measure(
        job, executor, "bf16" if precision == "bf16" else "fp32", device, rounds, every=every
    )
    say(
        json.dumps(result)
        if as_json
        else "\n".join(f"{name:<20} {value}" for name, value in result.items())
    )


@app.command()
def inspect(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="A study file: its task and partitions.")
    ] = None,
    task: Annotated[
        str, typer.Option(help="A task, as a study file writes it, in place of FILE.")
    ] = "",
    partition: Annotated[str, typer.Option(help="A partition, likewise.")] = "natural",
    population: Annotated[
        int | None,
        typer.Option(
            min=1, help="The number of clients; by default one an owner if natural, else 100."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="The seed that deals the rows.")] = 0,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE", callback=absolute, help="Draw it, as .svg or .png."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON a partition.")] = False,
    allow: Allow = None,
) -> None:
    """Measure partitions of training rows over clients: their sizes, the skew of their labels,
    clients of each label.
    """
    import json

    from headstart.parts.origin import Origin, within
    from headstart.study.spec import Study
    from headstart.tools.inspection import lines
    from headstart.tools.partitions import inspect_named, inspect_study

    if (file is None) == (not task):
        raise HeadstartError("expected a study file or --task, and not both")
    if file is None:
        with within(Origin(Path.cwd(), tuple(allow or ()))):
            found = iter([inspect_named(task, partition, population, seed)])
    else:
        found = inspect_study(Study.load(file, allow or ()))
    for i, inspected in enumerate(found):
        say(
            json.dumps(inspected.as_json())
            if as_json
            else "\n".join([*([""] if i else []), *lines(inspected)])
        )
        if picture is not None:
            from headstart.report.figures.partition_picture import write_picture

            path = picture.with_stem(f"{picture.stem}-{i + 1}") if i else picture
            write_picture(
                path,
                inspected.name,
                inspected.classes,
                inspected.sizes_K,
                inspected.counts_KC,
                inspected.variation_K,
                inspected.dealt_K,
            )


@app.command()
def init(
    table: Annotated[
        Path,
        typer.Argument(
            metavar="TABLE", help="A file .csv, .parquet or .jsonl, or a folder of such."
        ),
    ],
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="The study file to write.")
    ] = Path("study.yaml"),
    label: Annotated[
        str | None, typer.Option(help="The column of classes; guessed if left out.")
    ] = None,
    client: Annotated[
        str | None, typer.Option(help="The column that says whose a row is; likewise.")
    ] = None,
) -> None:
    """Write a first study file, with comments, for a table of your own: what its columns are is
    guessed, and said.
    """
    from headstart.tools.first_study import write_first_study

    made = write_first_study(table, out, label, client)
    for guess in made.guesses:
        say(f"  {guess}")
    say(f"study: {made.path}")
    say(f"next: headstart check {made.path}, then headstart run {made.path} --out out")


@app.command(name="list")
def list_(
    kind: Annotated[
        str, typer.Argument(help="starts, clients, servers, models, tasks, partitions, ...")
    ] = "",
) -> None:
    """List what study files can name, with parameters, defaults and papers."""
    from headstart.errors import nearest

    kinds = registries()
    if kind and kind not in kinds:
        raise HeadstartError(f"unknown kind {kind!r}{nearest(kind, kinds)}")
    chosen = [kind] if kind else list(kinds)
    for name in chosen:
        print_registry(name, kinds[name])
    say_faults(kinds[name] for name in chosen)
