"""What stands for each task of "Where to Begin?" (Nguyen et al., arXiv 2206.15387), at three
scales: one row a task.

`full` is the paper's protocol: its rounds, clients, cohorts and three seeds. `cpu` is meant for an
hour on two cores, `toy` for a quick check; both are ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from headstart.errors import HeadstartError, nearest

SCALES = ("toy", "cpu", "full")


@dataclass(frozen=True)
class Size:
    """How large a study is. `trials` and `tuning_rounds` of the tuning; no trials: rates are not
    tuned.
    """

    population: int | Literal["natural"]
    cohort: int
    rounds: int
    every: int
    seeds: int
    target: float
    trials: int
    tuning_rounds: int


Smaller = Mapping[str, str]
"""What differs from the task's row: `task`, `model`, `pretrained`, `executor`, a probe's parameters
by its name, or the values of `local_epochs`.
"""


@dataclass(frozen=True)
class PaperTask:
    """What stands for a task of the paper: its data, its model, its two starts, and how its clients
    are dealt.
    """

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
    # The client's rate and Adam's, where nothing is tuned, and in the first trial.
    rates: tuple[float, float] | None = None
    # Other networks: name -> scale -> parts.
    others: Mapping[str, Mapping[str, Smaller]] = field(default_factory=dict)

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
            raise HeadstartError(
                f"unknown model {model!r}{nearest(str(model), [own, *self.others])}"
            )
        return row | dict(self.others[model][scale])


FEW_PRODUCTS = "rows=4, trace_vectors=2, products=5"
SAMPLED = {"evaluation": "test_rows=500", "curvature": "at='start', rows=256"}
"""Of probes, where testing would cost more than training."""

ONE_BY_ONE = {**SAMPLED, "executor": "loop"}
"""Recurrent networks on a CPU: clients one after another took 0.6 of the time of a stacked cohort,
by row.
"""


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
    sizes = {
        "toy": "charlm(embedding=2, filters=[2], highways=0, hidden=4, layers=1)",
        "cpu": "charlm(hidden=64)",
    }
    return {
        scale: _text(spelled[scale], sizes.get(scale, "charlm"), 1 if scale == "toy" else 3)
        for scale in SCALES
    }


def _words(task: str, *, rounds: int, owner: str, note: str) -> PaperTask:
    """A task of words whose clients are `owner`s, with the LSTM of Reddi et al. or CharLM."""
    toy, small = (
        f"{task}(tokens='words(size=50)', length=5, most_rows=2)",
        "lstm(embedding=4, hidden=4, layers=1)",
    )
    cpu = f"{task}(tokens='words(size=2000)', length=20, most_rows=20)"
    smaller = "lstm(embedding=48, hidden=96, layers=1, projection=48)"
    return PaperTask(
        task=task,
        model="lstm@stackoverflow",
        pretrained=_wikitext(task, 3),
        partition="natural",
        batch_size=16,
        sizes={
            "toy": Size("natural", 2, 2, 2, 2, 0.05, 2, 2),
            "cpu": Size("natural", 10, 40, 10, 3, 0.1, 4, 20),
            "full": Size("natural", 10, rounds, 20, 3, 0.2, 40, rounds),
        },
        note=note,
        rates=(0.3, 0.01),
        toy=_text(toy, small, 1, curvature=FEW_PRODUCTS),
        cpu=_text(cpu, smaller, 3, **ONE_BY_ONE),
        cut=f"rows of 20 words, 2,000 words, at most 20 rows a {owner}, a smaller network, 40 "
        "rounds, 4 trials.",
        others={"charlm": _charlm(task)},
    )


SQUEEZENET = "$HEADSTART_DATA/squeezenet1_0/squeezenet1_0_imagenet.safetensors"
RESNET18 = "hub(repo='timm/resnet18.tv_in1k')"
"""torchvision's weights from ImageNet, on the hub. They were made with BatchNorm; scales and shifts
are taken over.
"""

PHOTOGRAPHS = (
    "table(path='$HEADSTART_DATA/tinyimagenet_32.parquet', image='image', label='label', "
    "split='split', mean=[0.485, 0.456, 0.406], deviation=[0.229, 0.224, 0.225])"
)
"""Tiny ImageNet at 32 pixels, scaled as `cifar10@imagenet` is."""


def _from_photographs(model: str) -> dict[str, Smaller]:
    """A network for 32 pixels, pre-trained by the server on photographs of 200 other classes."""
    parts: dict[str, Smaller] = {}
    for scale, epochs in (("toy", 1), ("cpu", 8), ("full", 30)):
        proxy = (
            f'proxy:\n      task: "{PHOTOGRAPHS}"\n      epochs: {epochs}\n'
            "      batch_size: 128\n      augment: crop-and-flip"
        )
        parts[scale] = {"model": model, "pretrained": proxy}
    return parts


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
        note="Real handwritten digits; pre-trained on digits rendered from fonts. Not a task of "
        "the paper.",
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
            "cpu": Size("natural", 5, 60, 5, 5, 0.85, 6, 30),
            "full": Size("natural", 5, 1082, 20, 3, 0.95, 40, 1082),
        },
        note="Digits by their writers, for the paper's FEMNIST: its cohort of 5, batches of 10, "
        "1082 rounds.",
        toy={
            "pretrained": "proxy(task='emnist-letters', epochs=1, batch_size=2048)",
            "model": "small-cnn(width=2)",
            "curvature": "rows=32",
        },
        cpu={**SAMPLED, "model": "small-cnn(width=8)", "evaluation": "batch=256, test_rows=500"},
        cut="60 rounds, a network half as wide, 6 trials.",
    ),
    "cifar10": PaperTask(
        task="cifar10@imagenet",
        model="squeezenet1_0",
        pretrained=f"checkpoint(path='{SQUEEZENET}')",
        partition="dirichlet(alpha=0.1)",
        batch_size=32,
        sizes={
            "toy": Size(5000, 2, 1, 1, 2, 0.1, 0, 1),
            "cpu": Size(1000, 10, 32, 8, 3, 0.3, 0, 10),
            "full": Size(100, 10, 1000, 20, 3, 0.7, 40, 1000),
        },
        note="ImageNet weights with a new head, as random; Dirichlet(0.1), at full scale over "
        "100 clients.",
        client_rate=(0.001, 0.3),
        rates=(0.03, 0.003),
        toy={"curvature": "rows=32"},
        cpu={
            "evaluation": "batch=256, test_rows=1000",
            "curvature": "at='start', rows=512",
            "executor": "threads(workers=1)",
            "local_epochs": "[5, 10]",
        },
        cut="1,000 clients of 45 images, 32 rounds, at most 10 local epochs, rates that are not "
        "tuned.",
        others={
            "resnet18": {scale: {"model": "resnet18", "pretrained": RESNET18} for scale in SCALES},
            "resnet8": _from_photographs("resnet8"),
            "resnet20": _from_photographs("resnet20"),
        },
    ),
    "shakespeare": PaperTask(
        task="shakespeare",
        model="lstm",
        pretrained=_wikitext("shakespeare", 3),
        partition="natural",
        batch_size=4,
        sizes={
            "toy": Size("natural", 2, 2, 2, 2, 0.05, 2, 2),
            "cpu": Size("natural", 10, 40, 10, 3, 0.25, 4, 20),
            "full": Size("natural", 10, 1200, 20, 3, 0.5, 40, 1200),
        },
        note="Characters, each client a role; pre-trained on WikiText-2. Not a task of the "
        "paper: rounds, cohort and batches are those of Reddi et al. (arXiv 2003.00295).",
        rates=(1.0, 0.01),
        toy=_text(
            "shakespeare(length=5, most_rows=2)",
            "lstm(embedding=2, hidden=4, layers=1)",
            1,
            curvature=FEW_PRODUCTS,
        ),
        cpu=_text(
            "shakespeare(length=40, most_rows=20)", "lstm(hidden=96, layers=1)", 2, **ONE_BY_ONE
        ),
        cut="rows of 40 characters and at most 20 a role, a network a fifth as large, 40 rounds, "
        "4 trials.",
    ),
    "stackoverflow": _words(
        "stackoverflow",
        rounds=1050,
        owner="user",
        note="Words, each client a user of Stack Exchange; pre-trained on WikiText-2, where the "
        "paper has WikiText-103 and CharLM (`--model charlm`).",
    ),
    "reddit": _words(
        "reddit",
        rounds=1050,
        owner="subreddit",
        note="Words, each client a subreddit; pre-trained on WikiText-2. Rounds, cohort and "
        "batches as Stack Overflow: the paper's for Reddit were not to be had.",
    ),
}
