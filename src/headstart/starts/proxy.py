"""Weights pre-trained by the server on data of its own: a proxy task with the same kind of inputs.

The paper's second recommendation (Nguyen et al., arXiv 2206.15387, section 6): ask whether proxy
data for pre-training exists before fighting heterogeneity.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.models.network import Network
from headstart.parts.parameters import AddedLater
from headstart.parts.written import PartText
from headstart.starts.augmentation import Augmentation, refuse_other_than_images
from headstart.starts.base import STARTS, Artefact, Build, Start
from headstart.starts.heads import Head, HeadChoice, HeadLayer, misfit
from headstart.starts.pretraining import Pretraining
from headstart.starts.weights import Meaning, Weights
from headstart.tasks.base import TASKS, Task
from headstart.trees import Tree


@STARTS.register(
    "proxy", source="Nguyen et al., arXiv 2206.15387, section 6 (proxy data on the server)"
)
def proxy(
    *,
    task: Annotated[
        PartText, Field(description="the task to pre-train on, with parameters in brackets")
    ] = "rendered-digits",
    epochs: Annotated[int, Field(ge=1, description="passes over the proxy's training rows")] = 10,
    batch_size: Annotated[
        int, Field(ge=1, description="rows a step; a last, smaller batch is used too")
    ] = 64,
    rate: Annotated[float, Field(gt=0, description="Adam's rate at its peak")] = 0.002,
    seed: Annotated[
        int,
        Field(ge=0, description="of the first weights, the order of rows, dropout and augment"),
    ] = 0,
    head: Annotated[Head, AddedLater()] = "auto",
    head_layer: Annotated[HeadLayer, AddedLater()] = None,
    augment: Annotated[
        Augmentation,
        AddedLater(),
        Field(
            description="of images, each time anew: 'crop' moves them by up to an eighth of a side "
            "(4 of 32 pixels), 'flip' mirrors half of them, 'crop-and-flip' does both"
        ),
    ] = "none",
) -> Start:
    """Pre-train centrally on another task: other data of the same classes, or other classes and a
    new head.

    Adam as torch.optim has it (betas .9 and .999, epsilon 1e-8, no weight decay), with a rate that
    falls to zero along half a cosine (arXiv 1608.03983, Eq. 5). Only the training split of the
    proxy is used, and nothing of the task itself; the proxy's test split tells how well the weights
    do, which runs and reports repeat. What is pre-trained is the same for every seed of a run: one
    artefact that a team has in hand. A new head is drawn from the run's seed, and is the one that
    the start `random` has with that seed.
    """
    source = TASKS.component(task, "start proxy.task")
    choice = HeadChoice(head, head_layer, "proxy")
    training = Pretraining(epochs, batch_size, rate, seed, augment)

    def make(build: Build, target: Task) -> Weights:
        data = TASKS.build(source)
        network = untrained(build, data, target)
        # Refused before it is trained.
        fitted(Weights.of(network.state(0), network, data), build(target), data, target, 0)
        with torch_threads(1):  # one artefact, whatever the machine's cores
            return training.of(network, data)

    def untrained(build: Build, data: Task, target: Task) -> Network:
        _refuse_other_tokens(data, target)
        refuse_other_than_images(augment, data)
        try:
            Meaning.of(data).held_to(target)
        except HeadstartError as error:
            raise HeadstartError(f"the proxy task {data.name!r}: {error}") from None
        return _network(build, data, target)

    def check(network: Network, target: Task, build: Build) -> Sequence[str]:
        data = TASKS.build(source)
        source_network = untrained(build, data, target)
        drawn = Weights.of(source_network.state(0), source_network, data)
        became = fitted(drawn, network, data, target, 0)[1]
        return [said for said in (became, Meaning.of(data).held_to(target)) if said]

    def fitted(
        pretrained: Weights, network: Network, data: Task | None, target: Task, run_seed: int
    ) -> tuple[Tree, str]:
        drawn = network.state(run_seed)
        sized = _resized(pretrained.state, drawn, network)
        saved, became = choice.applied(
            sized, network, drawn, pretrained.meaning, Meaning.of(target)
        )
        if differs := misfit(saved, drawn):
            _refuse_other_inputs(data, target)
            raise HeadstartError(
                f"the model pre-trained on {str(source)!r} does not fit task {target.name!r}: "
                f"{differs}; let the head be new, or name its layer (head_layer)"
            )
        return {name: saved[name] for name in drawn}, became

    def weights(artefact: Weights, network: Network, target: Task, run_seed: int) -> Tree:
        return fitted(artefact, network, None, target, run_seed)[0]

    made_of = repr(
        ("proxy", source, epochs, batch_size, rate, seed, *([] if augment == "none" else [augment]))
    )
    return Start(weights, Artefact(repr(made_of), make, (source,)), check=check)


def _resized(pretrained: Tree, drawn: Tree, network: Network) -> Tree:
    """What was pre-trained, with buffers of the model's own where inputs of another size made them
    of another shape.
    """
    other = [
        name
        for name in network.buffers
        if name in pretrained and pretrained[name].shape != drawn[name].shape
    ]
    return {**pretrained, **{name: drawn[name] for name in other}}


def _refuse_other_tokens(data: Task, target: Task) -> None:
    """Equal sizes are not enough: the same number has to be the same word."""
    if data.tokens != target.tokens:
        raise HeadstartError(
            f"the proxy task {data.name!r} has other tokens than task {target.name!r}; make it "
            "like that one: wikitext-2(like='...') or table(..., like='...') with the study's "
            "task there"
        )


def _network(build: Build, data: Task, target: Task) -> Network:
    """The model for the proxy, whose inputs it may not take."""
    try:
        return build(data)
    except HeadstartError as error:
        raise HeadstartError(
            f"the proxy task {data.name!r} of task {target.name!r}: {error}"
        ) from error


def _refuse_other_inputs(data: Task | None, target: Task) -> None:
    if data is not None and data.input_shape != target.input_shape:
        raise HeadstartError(
            f"the proxy task {data.name!r} has inputs of shape {list(data.input_shape)}, but task "
            f"{target.name!r} has {list(target.input_shape)}; choose a proxy with the same inputs"
        )
