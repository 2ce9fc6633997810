"""Central training: augmentation is drawn from its seed, and the test rows tell how well it
went.
"""

import re
from dataclasses import replace

import torch
from torch import nn

from headstart import rng
from headstart.models.network import Network
from headstart.starts.augmentation import augmented
from headstart.starts.pretraining import Pretraining
from headstart.tasks.base import Examples
from headstart.tasks.digits import digits
from headstart.trees import Tree


def linear() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


def equal(a: Tree, b: Tree) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_augmented_training_is_training_on_images_augmented_by_its_seed() -> None:
    """One step on all rows, augmented, is one plain step on rows that were augmented before."""
    task, network = digits(), Network(linear, torch.float64)
    rows = len(task.train)
    order = torch.from_numpy(rng.generator(5, "proxy", "order", 0).permutation(rows))
    images = augmented(
        task.train.inputs[order], "crop-and-flip", rng.generator(5, "proxy", "augment", 0)
    )
    before = torch.empty_like(images)
    before[order] = images
    other = replace(task, train=Examples(before, task.train.targets))
    got = Pretraining(1, rows, 0.01, 5, "crop-and-flip").of(network, task)
    assert equal(got.state, Pretraining(1, rows, 0.01, 5).of(network, other).state)
    assert not equal(got.state, Pretraining(1, rows, 0.01, 5).of(network, task).state)


def test_the_line_on_its_origin_tells_the_share_of_test_rows_that_are_right() -> None:
    task, network = digits(), Network(linear)
    made = Pretraining(2, 64, 0.01, 0).of(network, task)
    right = network(made.state, task.test.inputs).argmax(-1) == task.test.targets
    found = re.fullmatch(
        r"pre-trained for 2 epochs in [\d,]+ s: accuracy (\S+)% on the (\d+) test rows of 'digits'",
        made.origin,
    )
    assert found is not None, made.origin
    assert found[1] == f"{100 * right.double().mean().item():.1f}"
    assert int(found[2]) == len(task.test)
