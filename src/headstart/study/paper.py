"""The studies of "Where to Begin?" (Nguyen et al., arXiv 2206.15387) as study files: finding x task x scale -> text.

`full` is the paper's protocol: its rounds, clients, cohorts and three seeds. The paper does not publish what it tuned
over: ranges and numbers of trials are ours. `cpu` is meant for an hour on two cores, all findings of a task together,
`toy` for a quick check; both are ours. `headstart check` estimates how long any of them takes.
A task is one row of `TASKS`, another network of a task one row of its `others`, a finding one row of `FINDINGS`.
"""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
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


Smaller = Mapping[str, str]
"""What differs from the task's row: `task`, `model`, `pretrained`, `executor`, or a probe's parameters by its name."""


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
    toy: Smaller = field(default_factory=dict)
    cpu: Smaller = field(default_factory=dict)
    cut: str = ""  # what cpu scale leaves out of the paper's protocol, in words
    rates: tuple[float, float] | None = None  # the client's and Adam's, where nothing is tuned, and of the first trial
    others: Mapping[str, Mapping[str, Smaller]] = field(default_factory=dict)  # other networks: name -> scale -> parts

    def parts(self, scale: str, model: str | None) -> dict[str, str]:
        """The task, the network, its pre-trained start and the probes' parameters, at a scale.

        Raises:
            HeadstartError: the task has no such network.
        """
        own = self.model.split("(")[0].split("@")[0]
        row = {"task": self.task, "model": self.model, "pretrained": self.pretrained}
        row |= {"toy": self.toy, "cpu": self.cpu}.get(scale, {})
        if model in (None, own):
            return row
        if model not in self.others:
            raise HeadstartError(f"unknown model {model!r}{nearest(str(model), [own, *self.others])}")
        return row | dict(self.others[model][scale])


FEW_PRODUCTS = "rows=4, trace_vectors=2, products=5"
SAMPLED = {"evaluation": "test_rows=500", "curvature": "at='start', rows=256"}
"""Of probes, where testing would cost more than training."""

ONE_BY_ONE = {**SAMPLED, "executor": "loop"}
"""Recurrent networks on a CPU: clients one after another took 0.6 of the time of a stacked cohort, by row."""


def _text(task: str, model: str, epochs: int, **others: str) -> dict[str, str]:
    """A task of text and its network, pre-trained on WikiText-2 in the tokens of that very task."""
    return {"task": task, "model": model, "pretrained": _wikitext(task, epochs), **others}


def _wikitext(task: str, epochs: int) -> str:
    return f'proxy:\n      task: wikitext-2(like="{task}")\n      epochs: {epochs}'


def _charlm(task: str) -> dict[str, Smaller]:
    """CharLM on a task of words: by scale."""
    spelled = {
        "toy": f"{task}(tokens='words(size=50, spelled=8)', length=5, most_rows=2)",
        "cpu": f"{task}(tokens='words(size=2000, spelled=12)', length=20, most_rows=20)",
        "full": f"{task}(tokens='words(spelled=20)')",
    }
    sizes = {"toy": "charlm(embedding=2, filters=[2], highways=0, hidden=4, layers=1)", "cpu": "charlm(hidden=64)"}
    return {scale: _text(spelled[scale], sizes.get(scale, "charlm"), 1 if scale == "toy" else 3) for scale in SCALES}


def _toy_words(task: str) -> dict[str, str]:
    small = "lstm(embedding=4, hidden=4, layers=1)"
    rows = f"{task}(tokens='words(size=50)', length=5, most_rows=2)"
    return _text(rows, small, 1, curvature=FEW_PRODUCTS)


def _cpu_words(task: str) -> dict[str, str]:
    small = "lstm(embedding=48, hidden=96, layers=1, projection=48)"
    rows = f"{task}(tokens='words(size=2000)', length=20, most_rows=20)"
    return _text(rows, small, 3, **ONE_BY_ONE)


RESNET18 = "hub(repo='timm/resnet18.tv_in1k')"
"""torchvision's weights from ImageNet, on the hub. They were made with BatchNorm; scales and shifts are taken over."""

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
        toy={"curvature": "rows=32"},
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
        toy={
            "pretrained": "proxy(task='emnist-letters', epochs=1, batch_size=2048)",
            "model": "small-cnn(width=2)",
            "curvature": "rows=32",
        },
    ),
    "cifar10": PaperTask(
        task="cifar10@imagenet",
        model="squeezenet1_0",
        pretrained="checkpoint(path='$HEADSTART_DATA/squeezenet1_0/squeezenet1_0_imagenet.safetensors')",
        partition="dirichlet(alpha=0.1)",
        batch_size=32,
        sizes={
            "toy": Size(5000, 2, 1, 1, 2, 0.1, 0, 1),
            "cpu": Size(1000, 4, 24, 8, 3, 0.3, 0, 10),
            "full": Size(100, 10, 1000, 20, 3, 0.7, 40, 1000),
        },
        note="ImageNet weights with a new head, as random; Dirichlet(0.1), at full scale over 100 clients.",
        client_rate=(0.001, 0.3),
        rates=(0.01, 0.003),
        toy={"curvature": "rows=32"},
        cpu=SAMPLED,
        cut="1,000 clients of 45 images, cohorts of 4, 24 rounds, rates that are not tuned.",
        others={"resnet18": {scale: {"model": "resnet18", "pretrained": RESNET18} for scale in SCALES}},
    ),
    "shakespeare": PaperTask(
        task="shakespeare",
        model="lstm",
        pretrained=_wikitext("shakespeare", 3),
        partition="natural",
        batch_size=4,
        sizes={
            "toy": Size(967, 2, 2, 2, 2, 0.05, 2, 2),
            "cpu": Size(967, 10, 40, 10, 3, 0.25, 4, 20),
            "full": Size(967, 10, 1200, 20, 3, 0.5, 40, 1200),
        },
        note="Characters, each client a role; pre-trained on WikiText-2. Not a task of the paper: rounds, cohort and "
        "batches are those of Reddi et al. (arXiv 2003.00295).",
        rates=(1.0, 0.01),
        toy=_text(
            "shakespeare(length=5, most_rows=2)", "lstm(embedding=2, hidden=4, layers=1)", 1, curvature=FEW_PRODUCTS
        ),
        cpu=_text("shakespeare(length=40, most_rows=20)", "lstm(hidden=96, layers=1)", 2, **ONE_BY_ONE),
        cut="rows of 40 characters and at most 20 a role, a network a fifth as large, 40 rounds, 4 trials.",
    ),
    "stackoverflow": PaperTask(
        task="stackoverflow",
        model="lstm@stackoverflow",
        pretrained=_wikitext("stackoverflow", 3),
        partition="natural",
        batch_size=16,
        sizes={
            "toy": Size(1422, 2, 2, 2, 2, 0.05, 2, 2),
            "cpu": Size(1422, 10, 40, 10, 3, 0.1, 4, 20),
            "full": Size(1422, 10, 1050, 20, 3, 0.2, 40, 1050),
        },
        note="Words, each client a user of Stack Exchange; pre-trained on WikiText-2, where the paper has WikiText-103 "
        "and CharLM (`--model charlm`).",
        rates=(0.3, 0.01),
        toy=_toy_words("stackoverflow"),
        cpu=_cpu_words("stackoverflow"),
        cut="rows of 20 words, 2,000 words, at most 20 rows a user, a smaller network, 40 rounds, 4 trials.",
        others={"charlm": _charlm("stackoverflow")},
    ),
    "reddit": PaperTask(
        task="reddit",
        model="lstm@stackoverflow",
        pretrained=_wikitext("reddit", 3),
        partition="natural",
        batch_size=16,
        sizes={
            "toy": Size(280, 2, 2, 2, 2, 0.05, 2, 2),
            "cpu": Size(280, 10, 40, 10, 3, 0.1, 4, 20),
            "full": Size(280, 10, 1050, 20, 3, 0.2, 40, 1050),
        },
        note="Words, each client a subreddit; pre-trained on WikiText-2. Rounds, cohort and batches as Stack "
        "Overflow: the paper's for Reddit were not to be had.",
        rates=(0.3, 0.01),
        toy=_toy_words("reddit"),
        cpu=_cpu_words("reddit"),
        cut="rows of 20 words, 2,000 words, at most 20 rows a subreddit, a smaller network, 40 rounds, 4 trials.",
        others={"charlm": _charlm("reddit")},
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
    """What the findings need, in the order of the findings; `curvature` where this installation has such a probe."""
    known = {entry.name for entry in PROBES}
    names = dict.fromkeys(probe for name in asked for probe in FINDINGS[name].probes if probe in known)
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
