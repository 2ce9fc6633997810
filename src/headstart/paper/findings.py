"""The nine findings of Nguyen et al. (arXiv 2206.15387), each told once, for the studies and for
the page.

From the poster and the main text. Where no figure stands, the paper shows the finding as a picture
only. A finding's slug is its name everywhere: `headstart paper SLUG`, the panel's anchor on the
page, and its files `figures/SLUG.svg` and `tables/SLUG.csv`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Says = Literal["yes", "no", "no difference", "undecided"]
"""What a study answers to a panel's question; `no difference`: none that matters, at the finding's
margin.
"""

Judges = Literal["accuracy", "training", "first weights"]
"""What a finding is judged by: accuracies, what else happens in training, or the weights before the
first round.
"""

Unit = Literal["points", "% of the rounds", "%", "of the cosine", "of the loss"]
"""Of a margin: points of accuracy, a share of the study's rounds, of an eigenvalue, or as it is."""

Grid = Mapping[str, str]
"""Keys of a study file and their values, as text."""


@dataclass(frozen=True)
class Margin:
    """A difference that is smaller, either way, does not matter.

    Args:
        amount: where the study file states none; None: the study's own `margin`.
        unit: of the amount.
        why: the reason, as a sentence.
        is_claimed: whether the finding itself is that a difference is no larger.
    """

    amount: float | None
    unit: Unit
    why: str
    is_claimed: bool = False


@dataclass(frozen=True)
class Finding:
    """What the paper found, how a study asks for it, and when its claim holds.

    Args:
        number: of the poster's panel, 1 to 9.
        slug: the name in commands, on the page and of files.
        claim: the finding, as a clause.
        question: what the study asks.
        shown: what the study varies or measures to answer it, as a clause.
        grids: the axes that the study varies beside the task's own; the first is the main grid.
        judges: what the answer is taken from.
        probes: what the study measures.
        alone: keys of the study file that hold only where the finding is asked alone.
        published: the figures that the paper published, in a sentence.
        when: the answer for which the finding holds.
        otherwise: what is said where it does not.
        margin: how large a difference can be and not matter; None where no such answer is given.
    """

    number: int
    slug: str
    claim: str
    question: str
    shown: str
    grids: tuple[Grid, ...]
    judges: Judges = "accuracy"
    probes: tuple[str, ...] = ("evaluation",)
    alone: Grid = field(default_factory=dict)
    published: str = ""
    when: Says = "yes"
    otherwise: str = "does not hold"
    margin: Margin | None = None

    @property
    def needs_training(self) -> bool:
        """Whether a start that learned nothing leaves the finding without an answer."""
        return self.judges != "first weights"

    def judgement(self, says: Says | None) -> str:
        """Return the answer's meaning for the finding, for a cell of a matrix.

        >>> FINDINGS["initial-loss"].judgement("no")
        'holds'
        """
        if says in (None, "undecided"):
            return says or "one start"
        if says == "no difference":
            return NO_DIFFERENCE
        return "holds" if says == self.when else self.otherwise

    def held(self, says: Says | None) -> str:
        """Return the answer's meaning for the finding, for a sentence.

        >>> FINDINGS["speedup"].held("no")
        'does not hold here'
        """
        if says is None:
            return "cannot be judged with one start"
        if says == "no difference":
            return "is not seen here: there is no difference that matters"
        return f"{'is ' if says == 'undecided' else ''}{self.judgement(says)} here"


NO_DIFFERENCE = "no difference that matters"

AS_FOR_THE_VERDICT = Margin(
    None,
    "points",
    "Who would not choose another start for so much accuracy need not care what a step costs.",
)
"""Of differences of accuracies: half a point, where the study file says nothing."""

CLIENTS, SERVERS = "[sgd, proximal, mimelite]", "[sgd, momentum, adam]"
WITH_NOVA = {"clients": "[sgd, proximal, mimelite, nova]", "servers": SERVERS}
ADAM = {"clients": "sgd", "servers": "adam"}
UNEVEN = "uneven-epochs(share=0.3, low=1, high=5)"

_ALL = (
    Finding(
        number=1,
        slug="ranking",
        claim="pre-training changes the ranking of the optimizers",
        question="Does the start change the ranking of the optimizers?",
        shown="nine pairs of client and server optimizers from both starts",
        grids=({"clients": CLIENTS, "servers": SERVERS},),
        published="In the paper, read off its chart for Stack Overflow (± 0.05): "
        "FedAdam-Proximal leads from pre-trained weights (24.92%), FedAvg-SGD from random ones "
        "(19.86%), and FedAdam-SGD, second from pre-trained weights (24.89%), is fifth from "
        "random ones (18.68%). Three seeds, no intervals.",
    ),
    Finding(
        number=2,
        slug="iid-gap",
        claim="pre-training closes the gap between non-IID and IID clients",
        question="Does the start close the gap between non-IID and IID clients?",
        shown="FedAdam on both kinds of clients",
        grids=(ADAM, {**ADAM, "partitions": "iid"}),
        margin=AS_FOR_THE_VERDICT,
    ),
    Finding(
        number=3,
        slug="local-epochs",
        claim="with pre-training, more local epochs harm less",
        question="Do more local epochs lower the final accuracy?",
        shown="accuracy over the number of local epochs",
        grids=(ADAM, {**ADAM, "local_epochs": "[5, 10, 20]"}),
        published="In the paper they do not lower the final accuracy at all from pre-trained "
        "weights (CIFAR-10, ResNet-18).",
        margin=AS_FOR_THE_VERDICT,
    ),
    Finding(
        number=4,
        slug="devices",
        claim="with pre-training, accuracies lie closer together when devices are uneven",
        question="Does the start reduce what uneven devices cost?",
        shown="each round 30 % of the clients run 1 to 5 local epochs, the others 1",
        grids=(WITH_NOVA, {**WITH_NOVA, "devices": UNEVEN}),
        margin=AS_FOR_THE_VERDICT,
    ),
    Finding(
        number=5,
        slug="curvature",
        claim="the loss surface is easier where training begins",
        question="Is the loss surface easier at the start?",
        shown="top eigenvalue of the Hessian",
        grids=(ADAM,),
        judges="first weights",
        probes=("evaluation", "curvature"),
        published="Top eigenvalue in the paper, pre-trained / random: CIFAR-10 661.99 / 4843.13, "
        "FEMNIST 26.29 / 355.51, Stack Overflow 151.05 / 185.02, Reddit 647.19 / 1309.68.",
        margin=Margin(
            10,
            "%",
            "The smallest ratio in the paper is 1.2; half of that step tells nobody where "
            "to begin.",
        ),
    ),
    Finding(
        number=6,
        slug="alignment",
        claim="client updates align better from pre-trained weights",
        question="Do client updates align?",
        shown="FedAdam's updates over the rounds",
        grids=(ADAM,),
        judges="training",
        probes=("evaluation", "alignment", "distance"),
        published="Contrary evidence: Chen et al. (arXiv 2206.11488) find that local drift is "
        "not reduced, but aggregation is more stable.",
        margin=Margin(
            0.02,
            "of the cosine",
            "Of ten updates with a cosine of .1 between any two, it changes "
            "the length of the mean by a twentieth.",
        ),
    ),
    Finding(
        number=7,
        slug="speedup",
        claim="pre-training needs fewer rounds",
        question="How many rounds to a target accuracy?",
        shown="accuracy over the rounds",
        grids=(ADAM,),
        published="In the paper: up to 40 points of accuracy at equal rounds.",
        margin=Margin(
            5,
            "% of the rounds",
            "Rates that were tuned anew move the rounds to a target by more.",
        ),
    ),
    Finding(
        number=8,
        slug="initial-loss",
        claim="the initial loss is not always lower from pre-trained weights",
        question="Is the loss lower before the first round?",
        shown="the loss of both starts",
        grids=(ADAM,),
        judges="first weights",
        alone={"rounds": "1", "every": "1"},
        published="Initial loss in the paper, pre-trained / random: CIFAR-10 SqueezeNet 2.71 / "
        "1.90, ResNet-18 1.07 / 1.11; FEMNIST 3.99 / 4.31 and 6.58 / 4.17; Stack Overflow CharLM "
        "6.78 / 7.71, DistilGPT2 4.93 / 9.82; Reddit 5.15 / 8.61 and 6.34 / 9.99.",
        when="no",
        otherwise="does not show",  # one task with a lower loss refutes no "not always"
        margin=Margin(
            0.02,
            "of the loss",
            "Half of the smallest difference in the paper (ResNet-18, 0.04).",
        ),
    ),
    Finding(
        number=9,
        slug="gd-vs-sgd",
        claim="with pre-training, FedAdam with full-batch GD clients is about as good as with "
        "SGD clients",
        question="Are full-batch GD clients about as good as SGD clients?",
        shown="both with the Adam server",
        grids=({"clients": "[sgd, gd]", "servers": "adam"},),
        margin=Margin(
            1,
            "points",
            "About as good: at most so much lower. The paper gives no margin.",
            is_claimed=True,
        ),
    ),
)

FINDINGS: Mapping[str, Finding] = {finding.slug: finding for finding in _ALL}
"""The findings by slug, in the paper's order."""
