"""The studies of "Where to Begin?" (Nguyen et al., arXiv 2206.15387) as study files: finding x task x scale -> text.

`full` is the paper's protocol: its rounds, clients, cohorts and three seeds. The paper does not publish what it tuned
over: ranges and numbers of trials are ours. `cpu` is meant for an hour on two cores, `toy` for a quick check; both are
ours, and only those of `digits` have been timed (`headstart check` estimates any of them).
A task is one row of `TASKS`, a finding one row of `FINDINGS`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headstart.errors import HeadstartError, nearest
from headstart.probes.base import PROBES

SCALES = ("toy", "cpu", "full")


@dataclass(frozen=True)
class Size:
    """How large a study is. `trials` and `tuning_rounds` of the tuning; no trials: rates are not tuned."""

    population: int | Literal["natural"]
    cohort: int
    rounds: int
    every: int
    seeds: int
    target: float
    trials: int
    tuning_rounds: int


@dataclass(frozen=True)
class PaperTask:
    """What stands for a task of the paper: its data, its model, its two starts, and how its clients are dealt."""

    task: str
    model: str
    pretrained: str
    partition: str
    batch_size: int
    sizes: Mapping[str, Size]
    note: str
    client_rate: tuple[float, float] = (0.003, 3.0)
    server_rate: tuple[float, float] = (0.001, 10.0)
    toy: Mapping[str, str] = field(default_factory=dict)  # what is smaller at toy scale than a size can say


TASKS = {
    "digits": PaperTask(
        task="digits",
        model="mlp",
        pretrained="proxy",
        partition="dirichlet(alpha=0.1)",
        batch_size=8,
        sizes={
            "toy": Size(20, 4, 4, 2, 2, 0.3, 2, 2),
            "cpu": Size(100, 10, 200, 10, 10, 0.85, 20, 100),
            "full": Size(100, 10, 1000, 20, 3, 0.9, 40, 1000),
        },
        note="Real handwritten digits; pre-trained on digits rendered from fonts. Not a task of the paper.",
    ),
    "mnist-writers": PaperTask(
        task="mnist-writers",
        model="small-cnn",
        pretrained="proxy(task='emnist-letters', epochs=3)",
        partition="natural",
        batch_size=10,
        sizes={
            "toy": Size("natural", 2, 2, 1, 2, 0.3, 2, 1),
            "cpu": Size("natural", 5, 60, 5, 3, 0.85, 6, 30),
            "full": Size("natural", 5, 1082, 20, 3, 0.95, 40, 1082),
        },
        note="Digits by their writers, for the paper's FEMNIST: its cohort of 5, batches of 10, 1082 rounds.",
        toy={"pretrained": "proxy(task='emnist-letters', epochs=1, batch_size=2048)", "model": "small-cnn(width=2)"},
    ),
    "cifar10": PaperTask(
        task="cifar10@imagenet",
        model="squeezenet1_0",
        pretrained="checkpoint(path='$HEADSTART_DATA/squeezenet1_0/squeezenet1_0_imagenet.safetensors')",
        partition="dirichlet(alpha=0.1)",
        batch_size=32,
        sizes={
            "toy": Size(5000, 2, 1, 1, 2, 0.1, 0, 1),
            "cpu": Size(1000, 4, 20, 10, 2, 0.3, 0, 10),
            "full": Size(100, 10, 1000, 20, 3, 0.7, 40, 1000),
        },
        note="SqueezeNet 1.0 from ImageNet weights with a new head, as random; 100 clients, Dirichlet(0.1).",
        client_rate=(0.001, 0.3),
    ),
}


@dataclass(frozen=True)
class Finding:
    """`grids` are the axes that a finding varies beside the task's own; the first is the main grid."""

    question: str
    shown: str
    grids: tuple[Mapping[str, str], ...]
    probes: tuple[str, ...] = ("evaluation",)
    alone: Mapping[str, str] = field(default_factory=dict)  # keys that hold only where the finding is asked alone


CLIENTS, SERVERS = "[sgd, proximal, mimelite]", "[sgd, momentum, adam]"
ADAM = {"clients": "sgd", "servers": "adam"}
UNEVEN = "uneven-epochs(share=0.3, low=1, high=5)"
ALIGNMENT = ("evaluation", "alignment", "distance")

FINDINGS = {
    "ranking": Finding(
        "Does the start change the ranking of the optimizers?",
        "nine pairs of client and server optimizers from both starts",
        ({"clients": CLIENTS, "servers": SERVERS},),
    ),
    "iid-gap": Finding(
        "Does the start close the gap between non-IID and IID clients?",
        "FedAdam on both kinds of clients",
        (ADAM, {**ADAM, "partitions": "iid"}),
    ),
    "local-epochs": Finding(
        "Do more local epochs lower the final accuracy?",
        "accuracy over the number of local epochs",
        (ADAM, {**ADAM, "local_epochs": "[5, 10, 20]"}),
    ),
    "devices": Finding(
        "Does the start reduce what uneven devices cost?",
        "each round 30 % of the clients run 1 to 5 local epochs, the others 1",
        (
            {"clients": "[sgd, proximal, mimelite, nova]", "servers": SERVERS},
            {"clients": "[sgd, proximal, mimelite, nova]", "servers": SERVERS, "devices": UNEVEN},
        ),
    ),
    "curvature": Finding(
        "Is the loss surface easier at the start?",
        "top eigenvalue of the Hessian",
        (ADAM,),
        ("evaluation", "curvature"),
    ),
    "alignment": Finding("Do client updates align?", "FedAdam's updates over the rounds", (ADAM,), ALIGNMENT),
    "speedup": Finding("How many rounds to a target accuracy?", "accuracy over the rounds", (ADAM,)),
    "initial-loss": Finding(
        "Is the loss lower before the first round?",
        "the loss of both starts",
        (ADAM,),
        alone={"rounds": "1", "every": "1"},
    ),
    "gd-vs-sgd": Finding(
        "Are full-batch GD clients about as good as SGD clients?",
        "both with the Adam server",
        ({"clients": "[sgd, gd]", "servers": "adam"},),
    ),
}  # fmt: skip
ALL = "all"


def study_text(finding: str, task: str, scale: str) -> str:
    """The study file of a finding, with comments, ready to be edited.

    Raises:
        HeadstartError: unknown finding, task or scale.
    """
    for name, known, what in ((finding, [*FINDINGS, ALL], "finding"), (task, TASKS, "task"), (scale, SCALES, "scale")):
        if name not in known:
            raise HeadstartError(f"unknown {what} {name!r}{nearest(name, known)}")
    chosen, size = TASKS[task], TASKS[task].sizes[scale]
    asked = list(FINDINGS) if finding == ALL else [finding]
    main, *others = _grids(asked)
    alone = FINDINGS[finding].alone if finding != ALL else {}
    small = chosen.toy if scale == "toy" else {}
    rounds, every = (alone.get(key, str(getattr(size, key))) for key in ("rounds", "every"))
    about = [f"#   {FINDINGS[name].question} Shown by {FINDINGS[name].shown}." for name in asked]
    lines = [
        f"# Written by `headstart paper {finding} --task {task} --scale {scale}`, after arXiv 2206.15387. It asks:",
        *about,
        f"# {chosen.note}",
        "# Edit it and run it into a new folder with `headstart run`.",
        f"name: {finding}-{task}-{scale}",
        f'title: "{"The findings" if finding == ALL else finding} on {task}, {scale} scale"',
        f"task: {chosen.task}",
        f"model: {small.get('model', chosen.model)}",
        "",
        "# Where to begin: random weights, or pre-trained ones.",
        "starts:",
        "  - random",
        f"  - {small.get('pretrained', chosen.pretrained)}",
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
        f"probes: [{', '.join(_probes(asked, scale))}]",
        "",
        *_tuning(chosen, size, finding, scale),
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


def _probes(asked: list[str], scale: str) -> list[str]:
    """What the findings need, in the order of the findings; `curvature` where this installation has such a probe."""
    known = {entry.name for entry in PROBES}
    names = dict.fromkeys(probe for name in asked for probe in FINDINGS[name].probes if probe in known)
    return [f'"{name}(rows=32)"' if name == "curvature" and scale == "toy" else name for name in names]


def _tuning(task: PaperTask, size: Size, finding: str, scale: str) -> list[str]:
    if finding == "initial-loss":
        return ["# No tuning: the loss before the first round does not depend on the rates."]
    if not size.trials:
        return [
            f"# No tuning at {scale} scale, which has no time for it: the same rates for every start and server of a",
            "# kind. They are ours; tune them (`tuning: {trials: 20}`) where a machine allows it.",
            "client_rates: 0.01",
            "server_rates: 1.0",
            *(["rates:", "  - {server: adam, client_rate: 0.01, server_rate: 0.003}"]),
        ]
    client, server = (f"[{low:g}, {high:g}]" for low, high in (task.client_rate, task.server_rate))
    return [
        "# The same number of trials for every start and pair, on the validation part. The paper does not publish what",
        "# it tuned over: ranges and trials are ours.",
        f"tuning: {{trials: {size.trials}, rounds: {min(size.tuning_rounds, size.rounds)}, client_rate: {client}, "
        f"server_rate: {server}}}",
    ]
