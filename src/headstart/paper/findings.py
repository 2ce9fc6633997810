"""The nine findings of Nguyen et al. (arXiv 2206.15387), each told once, for the studies and for
the page.

From the poster and the main text. Where no figure stands, the paper shows the finding as a picture
only. A finding's slug is its name everywhere: `headstart paper SLUG`, the panel's anchor on the
page, and its files `figures/SLUG.svg` and `tables/SLUG.csv`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Says = Literal["yes", "no", "undecided"]
"""What a study answers to a panel's question."""

Judges = Literal["accuracy", "training", "first weights"]
"""What a finding is judged by: accuracies, what else happens in training, or the weights before the
first round.
"""

Grid = Mapping[str, str]
"""Keys of a study file and their values, as text."""


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
        return "holds" if says == self.when else self.otherwise

    def held(self, says: Says | None) -> str:
        """Return the answer's meaning for the finding, for a sentence.

        >>> FINDINGS["speedup"].held("no")
        'does not hold here'
        """
        if says is None:
            return "cannot be judged with one start"
        return f"{'is ' if says == 'undecided' else ''}{self.judgement(says)} here"


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
    ),
    Finding(
        number=4,
        slug="devices",
        claim="with pre-training, accuracies lie closer together when devices are uneven",
        question="Does the start reduce what uneven devices cost?",
        shown="each round 30 % of the clients run 1 to 5 local epochs, the others 1",
        grids=(WITH_NOVA, {**WITH_NOVA, "devices": UNEVEN}),
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
    ),
    Finding(
        number=7,
        slug="speedup",
        claim="pre-training needs fewer rounds",
        question="How many rounds to a target accuracy?",
        shown="accuracy over the rounds",
        grids=(ADAM,),
        published="In the paper: up to 40 points of accuracy at equal rounds.",
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
    ),
    Finding(
        number=9,
        slug="gd-vs-sgd",
        claim="with pre-training, FedAdam with full-batch GD clients is about as good as with "
        "SGD clients",
        question="Are full-batch GD clients about as good as SGD clients?",
        shown="both with the Adam server",
        grids=({"clients": "[sgd, gd]", "servers": "adam"},),
    ),
)

FINDINGS: Mapping[str, Finding] = {finding.slug: finding for finding in _ALL}
"""The findings by slug, in the paper's order."""
