"""What Nguyen et al. (arXiv 2206.15387) found, panel by panel, with the figures that they published.

From the poster and the main text. Where no figure stands, the paper shows the finding as a picture only.
"""

from dataclasses import dataclass

from headstart.report.answers import Says


@dataclass(frozen=True)
class Finding:
    """`when`: the panel's answer for which the finding holds; `figure`: what the paper published, in a sentence."""

    number: int
    claim: str
    figure: str = ""
    when: Says = "yes"
    otherwise: str = "does not hold"

    def judgement(self, says: Says | None) -> str:
        """In a cell of a matrix.

        >>> Finding(8, "the initial loss is not always lower", when="no").judgement("no")
        'holds'
        """
        if says in (None, "undecided"):
            return says or "one start"
        return "holds" if says == self.when else self.otherwise

    def held(self, says: Says | None) -> str:
        """In a sentence.

        >>> Finding(7, "pre-training needs fewer rounds").held("no")
        'does not hold here'
        """
        if says is None:
            return "cannot be judged with one start"
        return f"{'is ' if says == 'undecided' else ''}{self.judgement(says)} here"


FINDINGS = {
    "ranking": Finding(
        1,
        "pre-training changes the ranking of the optimizers",
        "In the paper, read off its chart for Stack Overflow (± 0.05): FedAdam-Proximal leads from pre-trained weights "
        "(24.92%), FedAvg-SGD from random ones (19.86%), and FedAdam-SGD, second from pre-trained weights (24.89%), is "
        "fifth from random ones (18.68%). Three seeds, no intervals.",
    ),
    "data_gap": Finding(2, "pre-training closes the gap between non-IID and IID clients"),
    "local_epochs": Finding(
        3,
        "with pre-training, more local epochs harm less",
        "In the paper they do not lower the final accuracy at all from pre-trained weights (CIFAR-10, ResNet-18).",
    ),
    "uneven_devices": Finding(4, "with pre-training, accuracies lie closer together when devices are uneven"),
    "curvature": Finding(
        5,
        "the loss surface is easier where training begins",
        "Top eigenvalue in the paper, pre-trained / random: CIFAR-10 661.99 / 4843.13, FEMNIST 26.29 / 355.51, "
        "Stack Overflow 151.05 / 185.02, Reddit 647.19 / 1309.68.",
    ),
    "alignment": Finding(
        6,
        "client updates align better from pre-trained weights",
        "Contrary evidence: Chen et al. (arXiv 2206.11488) find that local drift is not reduced, but aggregation is "
        "more stable.",
    ),
    "speed": Finding(
        7, "pre-training needs fewer rounds", "In the paper: up to 40 points of accuracy at equal rounds."
    ),
    "initial_loss": Finding(
        8,
        "the initial loss is not always lower from pre-trained weights",
        "Initial loss in the paper, pre-trained / random: CIFAR-10 SqueezeNet 2.71 / 1.90, ResNet-18 1.07 / 1.11; "
        "FEMNIST 3.99 / 4.31 and 6.58 / 4.17; Stack Overflow CharLM 6.78 / 7.71, DistilGPT2 4.93 / 9.82; "
        "Reddit 5.15 / 8.61 and 6.34 / 9.99.",
        when="no",
        otherwise="does not show",  # one task with a lower loss refutes no "not always"
    ),
    "full_batch": Finding(
        9, "with pre-training, FedAdam with full-batch GD clients is about as good as with SGD clients"
    ),
}
