"""What every start keeps, for a task and a model of it: small ones, unless others are given."""

import torch
from torch import nn

from headstart import trees
from headstart.models.network import Network
from headstart.starts.base import Build, Start
from headstart.starts.weights import NOTHING, Weights
from headstart.tasks.base import Examples, Task
from headstart.testing.trees import assert_untouched, copied, layout
from headstart.trees import Tree

CLASSES, ROWS, SIDE = 3, 30, 8


def task_of_images() -> Task:
    """A task of grey images of 8 x 8 pixels in three classes."""
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(ROWS, 1, SIDE, SIDE, generator=generator)
    rows = Examples(images, torch.arange(ROWS) % CLASSES)
    return Task("images in three classes", rows, rows, rows, CLASSES)


def linear_model(task: Task) -> Network:
    """A linear model of a task, in float64."""
    inputs = task.train.inputs[0].numel()
    layers = lambda: nn.Sequential(nn.Flatten(), nn.Linear(inputs, task.outputs))  # noqa: E731
    return Network(layers, torch.float64, prepare=task.prepare)


def artefact_of(start: Start, task: Task, build: Build) -> Weights:
    """What is made once for the runs of all seeds."""
    return NOTHING if start.artefact is None else start.artefact.make(build, task)


def weights_of(start: Start, task: Task, build: Build, seed: int) -> Tree:
    """The weights that a run with this seed begins from."""
    return start.weights(artefact_of(start, task, build), build(task), task, seed)


def has_the_weights_of_the_model(start: Start, task: Task, build: Build) -> None:
    """Names, shapes and types are those of the model's own weights, and all numbers are finite."""
    made = weights_of(start, task, build, seed=0)
    assert layout(made) == layout(build(task).state(0))
    assert trees.is_finite(made)


def is_a_function_of_the_seed(start: Start, task: Task, build: Build) -> None:
    """The same seed gives the same weights, artefact and all; torch's generator stays as it was."""
    before = torch.get_rng_state()
    first, again = (trees.digest(weights_of(start, task, build, seed=3)) for _ in range(2))
    assert first == again
    assert torch.equal(torch.get_rng_state(), before), "it draws from torch's global generator"


def leaves_its_artefact_as_it_is(start: Start, task: Task, build: Build) -> None:
    """What is made once serves every seed: no seed changes it, nor gets it to change."""
    artefact = artefact_of(start, task, build)
    copies = copied(artefact.state)
    for leaf in start.weights(artefact, build(task), task, 0).values():
        leaf.add_(1)
    assert_untouched([artefact.state], [copies])


def is_checked_without_being_made(start: Start, task: Task, build: Build) -> None:
    """What is to be known of it is told in lines of text, also where nothing is to be said."""
    lines = start.check(build(task), task, build)
    assert not isinstance(lines, str), "expected lines, got one text"
    assert all(isinstance(line, str) and line for line in lines)
    assert start.artefact is None or start.artefact.made_of, "it does not say what it is made of"


CONTRACT = (
    has_the_weights_of_the_model,
    is_a_function_of_the_seed,
    leaves_its_artefact_as_it_is,
    is_checked_without_being_made,
)
