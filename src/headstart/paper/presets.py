"""The studies of "Where to Begin?" (Nguyen et al., arXiv 2206.15387) as study files: finding x task
x scale -> text.

`full` is the paper's protocol: its rounds, clients, cohorts and three seeds. The paper does not
publish what it tuned over: ranges and numbers of trials are ours. `cpu` is meant for an hour on two
cores, all findings of a task together, `toy` for a quick check; both are ours. `headstart check`
estimates how long any of them takes. A task is one row of `TASKS`, another network of a task one
row of its `others`, a finding one row of `FINDINGS`.
"""

import itertools
import textwrap
from collections.abc import Collection, Mapping, Sequence

from headstart.errors import HeadstartError, nearest
from headstart.paper.findings import FINDINGS
from headstart.paper.tasks import SCALES, TASKS, PaperTask, Size

ALL = "all"
WIDTH = 100
TUNING_SEED = 1_000_000
"""What is tuned on where three seeds take too long; none is judged."""


def study_text(finding: str, task: str, scale: str, model: str | None = None) -> str:
    """The study file of a finding, with comments, ready to be edited.

    Args:
        finding: the slug of a finding, or `all`.
        task: the name of one of the paper's tasks.
        scale: `toy`, `cpu` or `full`.
        model: another network than the task's first.

    Raises:
        HeadstartError: unknown finding, task, scale or model.
    """
    _refuse_unknown(finding, [*FINDINGS, ALL], "finding")
    _refuse_unknown(task, TASKS, "task")
    _refuse_unknown(scale, SCALES, "scale")
    asked = list(FINDINGS) if finding == ALL else [finding]
    chosen, size = TASKS[task], TASKS[task].sizes[scale]
    parts = chosen.parts(scale, model)
    main, *others = _grids(asked)
    alone = {} if finding == ALL else FINDINGS[finding].alone
    option = f" --model {model}" if model else ""
    what = "The findings" if finding == ALL else finding
    cut = f"Cut, to fit an hour on two cores: {chosen.cut}"
    lines = [
        *_comment(
            f"Written by `headstart paper {finding} --task {task} --scale {scale}{option}`, after "
            "arXiv 2206.15387. It asks:"
        ),
        *itertools.chain.from_iterable(map(_question, asked)),
        *_comment(chosen.note),
        *(_comment(cut) if scale == "cpu" and chosen.cut else []),
        *_comment("Edit it and run it into a new folder with `headstart run`."),
        f"name: {'-'.join(filter(None, (finding, task, model, scale)))}",
        f'title: "{what} on {task}, {scale} scale"',
        f"preset: paper {finding}, scale {scale}",
        *_of_task(chosen, parts, main, others),
        "",
        *_amounts(chosen, size, alone),
        *([f"executor: {parts['executor']}"] if "executor" in parts else []),
        f"probes: [{', '.join(_probes(asked, parts))}]",
        "",
        *_tuning(chosen, size, finding, scale, main),
    ]
    return "\n".join(lines) + "\n"


def _refuse_unknown(name: str, known: Collection[str], what: str) -> None:
    if name not in known:
        raise HeadstartError(f"unknown {what} {name!r}{nearest(name, known)}")


def _question(name: str) -> list[str]:
    finding = FINDINGS[name]
    return _comment(f"{finding.question} Shown by {finding.shown}.", indent="  ")


def _comment(text: str, indent: str = "") -> list[str]:
    """The lines of a comment; `indent` is between its mark and each line."""
    mark = f"# {indent}"
    return textwrap.wrap(text, WIDTH, initial_indent=mark, subsequent_indent=mark)


def _of_task(
    task: PaperTask,
    parts: Mapping[str, str],
    main: Mapping[str, str],
    others: Sequence[Mapping[str, str]],
) -> list[str]:
    """The task, the model, the starts, and the grids of pairs and settings."""
    lines = [
        f"task: {parts['task']}",
        f"model: {parts['model']}",
        "",
        *_comment("Where to begin: random weights, or pre-trained ones."),
        "starts:",
        "  - random",
        f"  - {parts['pretrained']}",
        f"partitions: {task.partition}",
        *_keys(main),
    ]
    if others:
        lines.append("also:")
    for grid in others:
        on_task = {axis: parts.get(axis, values) for axis, values in grid.items()}
        lines.append(f"  - {{{_flow(on_task)}}}")
    return lines


def _amounts(task: PaperTask, size: Size, alone: Mapping[str, str]) -> list[str]:
    """How many clients, rounds and seeds. `alone`: what a finding has otherwise than `all`."""
    return [
        f"population: {size.population}",
        f"cohort: {size.cohort}",
        f"batch_size: {task.batch_size}",
        f"rounds: {alone.get('rounds', size.rounds)}",
        f"every: {alone.get('every', size.every)}",
        f"seeds: {list(range(size.seeds))}",
        f"target_accuracy: {size.target:g}",
    ]


def _keys(grid: Mapping[str, str]) -> list[str]:
    return [f"{axis}: {values}" for axis, values in grid.items()]


def _grids(asked: list[str]) -> list[dict[str, str]]:
    """The grids of all findings asked, each once.

    A grid that differs from the main one in its optimizers alone and that the main one holds
    already is left out.
    """
    once: list[dict[str, str]] = []
    for name in asked:
        for grid in FINDINGS[name].grids:
            if dict(grid) not in once and not (once and _held(grid, once[0])):
                once.append(dict(grid))
    return once


def _held(grid: Mapping[str, str], main: Mapping[str, str]) -> bool:
    if grid.keys() != main.keys():
        return False
    return all(_names(grid[axis]) <= _names(main[axis]) for axis in grid)


def _names(values: str) -> set[str]:
    return set(map(str.strip, values.strip("[]").split(",")))


def _flow(grid: Mapping[str, str]) -> str:
    quoted = {axis: f'"{values}"' if "(" in values else values for axis, values in grid.items()}
    return ", ".join(_keys(quoted))


def _probes(asked: list[str], parts: Mapping[str, str]) -> list[str]:
    """What the findings need, in the order of the findings."""
    found: dict[str, str] = {}
    for name in asked:
        for probe in FINDINGS[name].probes:
            found[probe] = f'"{probe}({parts[probe]})"' if probe in parts else probe
    return list(found.values())


def _tuning(
    task: PaperTask, size: Size, finding: str, scale: str, main: Mapping[str, str]
) -> list[str]:
    """The lines of the rates, or of how they are tuned.

    Args:
        task: the paper's task.
        size: how large the study is.
        finding: what it asks.
        scale: the name of its size.
        main: its main grid.
    """
    if finding == "initial-loss":
        why = "the loss before the first round does not depend on the rates"
        return _comment(f"No tuning: {why}.")
    if not size.trials:
        return [
            *_comment(
                f"No tuning at {scale} scale, which has no time for it: the same rates for every "
                "start and server of a kind. They are ours; tune them (`tuning: {trials: 20}`) "
                "where a machine allows it."
            ),
            *_rates(task, main),
        ]
    ranges = f"client_rate: {_range(task.client_rate)}, server_rate: {_range(task.server_rate)}"
    rounds = min(size.tuning_rounds, size.rounds)
    one_seed = []
    if scale != "full":
        ranges += f", seeds: [{TUNING_SEED}]"
        one_seed = _comment(
            "On one seed, which is not judged: three would take three times as long."
        )
    return [
        *([*_comment("The first trial; ours."), *_rates(task, main)] if task.rates else []),
        *_comment(
            "The same number of trials for every start and pair, on the validation split. The "
            "paper does not publish what it tuned over: ranges and trials are ours."
        ),
        *one_seed,
        f"tuning: {{trials: {size.trials}, rounds: {rounds}, {ranges}}}",
    ]


def _range(ends: tuple[float, float]) -> str:
    low, high = ends
    return f"[{low:g}, {high:g}]"


def _rates(task: PaperTask, main: Mapping[str, str]) -> list[str]:
    """Momentum of 0.9 adds up to ten steps, so that its server has a tenth of the rate."""
    client, adam = task.rates or (0.1, 0.01)
    lines = [
        f"client_rates: {client:g}",
        "server_rates: 1.0",
        "rates:",
        f"  - {{server: adam, client_rate: {client:g}, server_rate: {adam:g}}}",
    ]
    if "momentum" in main["servers"]:
        lines.append(f"  - {{server: momentum, client_rate: {client:g}, server_rate: 0.1}}")
    return lines
