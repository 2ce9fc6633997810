"""The studies of "Where to Begin?" (Nguyen et al., arXiv 2206.15387) as study files: finding x task x scale -> text.

`full` is the paper's protocol: its rounds, clients, cohorts and three seeds. The paper does not publish what it tuned
over: ranges and numbers of trials are ours. `cpu` is meant for an hour on two cores, all findings of a task together,
`toy` for a quick check; both are ours. `headstart check` estimates how long any of them takes.
A task is one row of `TASKS`, another network of a task one row of its `others`, a finding one row of `FINDINGS`.
"""

import textwrap
from collections.abc import Mapping
from functools import partial

from headstart.errors import HeadstartError, nearest
from headstart.paper.findings import FINDINGS
from headstart.paper.tasks import SCALES, TASKS, PaperTask, Size

ALL = "all"


def study_text(finding: str, task: str, scale: str, model: str | None = None) -> str:
    """The study file of a finding, with comments, ready to be edited; `model`: another network than the task's first.

    Raises:
        HeadstartError: unknown finding, task, scale or model.
    """
    for name, known, what in ((finding, [*FINDINGS, ALL], "finding"), (task, TASKS, "task"), (scale, SCALES, "scale")):
        if name not in known:
            raise HeadstartError(f"unknown {what} {name!r}{nearest(name, known)}")
    chosen, size = TASKS[task], TASKS[task].sizes[scale]
    asked = list(FINDINGS) if finding == ALL else [finding]
    main, *others = _grids(asked)
    alone = FINDINGS[finding].alone if finding != ALL else {}
    parts = chosen.parts(scale, model)
    others = [{axis: parts.get(axis, values) for axis, values in grid.items()} for grid in others]
    wrapped = partial(textwrap.wrap, width=118, initial_indent="# ", subsequent_indent="# ")
    rounds, every = (alone.get(key, str(getattr(size, key))) for key in ("rounds", "every"))
    option = f" --model {model}" if model else ""
    about = [f"#   {FINDINGS[name].question} Shown by {FINDINGS[name].shown}." for name in asked]
    lines = [
        f"# Written by `headstart paper {finding} --task {task} --scale {scale}{option}`,",
        "# after arXiv 2206.15387. It asks:",
        *about,
        *wrapped(chosen.note),
        *wrapped(f"Cut, to fit an hour on two cores: {chosen.cut}" if scale == "cpu" and chosen.cut else ""),
        "# Edit it and run it into a new folder with `headstart run`.",
        f"name: {'-'.join(filter(None, (finding, task, model, scale)))}",
        f'title: "{"The findings" if finding == ALL else finding} on {task}, {scale} scale"',
        f"task: {parts['task']}",
        f"model: {parts['model']}",
        "",
        "# Where to begin: random weights, or pre-trained ones.",
        "starts:",
        "  - random",
        f"  - {parts['pretrained']}",
        f"partitions: {chosen.partition}",
        *(f"{axis}: {values}" for axis, values in main.items()),
        *(["also:", *(f"  - {{{_flow(grid)}}}" for grid in others)] if others else []),
        "",
        f"population: {size.population}",
        f"cohort: {size.cohort}",
        f"batch_size: {chosen.batch_size}",
        f"rounds: {rounds}",
        f"every: {every}",
        f"seeds: {list(range(size.seeds))}",
        f"target_accuracy: {size.target:g}",
        *([f"executor: {parts['executor']}"] if "executor" in parts else []),
        f"probes: [{', '.join(_probes(asked, parts))}]",
        "",
        *_tuning(chosen, size, finding, scale, main),
    ]
    return "\n".join(lines) + "\n"


def _grids(asked: list[str]) -> list[dict[str, str]]:
    """The grids of all findings asked, each once; a grid that differs from the main one in its optimizers alone and
    that the main one holds already is left out."""
    grids = list({tuple(grid.items()): dict(grid) for name in asked for grid in FINDINGS[name].grids}.values())
    main = grids[0]
    return [main, *(grid for grid in grids[1:] if not _held(grid, main))]


def _held(grid: Mapping[str, str], main: Mapping[str, str]) -> bool:
    return grid.keys() == main.keys() and all(_names(grid[axis]) <= _names(main[axis]) for axis in grid)


def _names(values: str) -> set[str]:
    return {name.strip() for name in values.strip("[]").split(",")}


def _flow(grid: Mapping[str, str]) -> str:
    quoted = {axis: f'"{v}"' if "(" in v else v for axis, v in grid.items()}
    return ", ".join(f"{axis}: {values}" for axis, values in quoted.items())


def _probes(asked: list[str], parts: Mapping[str, str]) -> list[str]:
    """What the findings need, in the order of the findings."""
    names = dict.fromkeys(probe for name in asked for probe in FINDINGS[name].probes)
    return [f'"{name}({parts[name]})"' if name in parts else name for name in names]


def _tuning(task: PaperTask, size: Size, finding: str, scale: str, main: Mapping[str, str]) -> list[str]:
    if finding == "initial-loss":
        return ["# No tuning: the loss before the first round does not depend on the rates."]
    if not size.trials:
        return [
            f"# No tuning at {scale} scale, which has no time for it: the same rates for every start and server of a",
            "# kind. They are ours; tune them (`tuning: {trials: 20}`) where a machine allows it.",
            *_rates(task, main),
        ]
    client, server = (f"[{low:g}, {high:g}]" for low, high in (task.client_rate, task.server_rate))
    return [
        *(["# The first trial; ours.", *_rates(task, main)] if task.rates else []),
        "# The same number of trials for every start and pair, on the validation part. The paper does not publish what",
        "# it tuned over: ranges and trials are ours.",
        f"tuning: {{trials: {size.trials}, rounds: {min(size.tuning_rounds, size.rounds)}, client_rate: {client}, "
        f"server_rate: {server}}}",
    ]


def _rates(task: PaperTask, main: Mapping[str, str]) -> list[str]:
    """Momentum of 0.9 adds up to ten steps, so that its server has a tenth of the rate."""
    client, adam = task.rates or (0.1, 0.01)
    return [
        f"client_rates: {client:g}",
        "server_rates: 1.0",
        "rates:",
        f"  - {{server: adam, client_rate: {client:g}, server_rate: {adam:g}}}",
        *(
            [f"  - {{server: momentum, client_rate: {client:g}, server_rate: 0.1}}"]
            if "momentum" in main["servers"]
            else []
        ),
    ]
