"""What every model keeps, as a network in float64.

Shape suffixes: K clients, B rows of a batch.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from headstart import trees
from headstart.models.network import Network
from headstart.tasks.base import classification
from headstart.testing.trees import row, stacked
from headstart.trees import Tree

OUTPUTS = 5
CLIENTS = 3
Batch = tuple[Tensor, Tensor]
"""Inputs [K, B, ...] and labels of each."""


def batch(shape: tuple[int, ...], rows: int = 4) -> Batch:
    """Draw images or, of fewer than three axes, tokens, with a label each."""
    generator = torch.Generator().manual_seed(0)
    if len(shape) < 3:
        inputs = torch.randint(OUTPUTS, (CLIENTS, rows, *shape), generator=generator)
        labels = torch.randint(OUTPUTS, (CLIENTS, rows, shape[0]), generator=generator)
        return inputs, labels
    inputs = torch.randn(CLIENTS, rows, *shape, generator=generator, dtype=torch.float64)
    return inputs, torch.randint(OUTPUTS, (CLIENTS, rows), generator=generator)


def passes_the_check(network: Network, cohort: Batch) -> None:
    """`Network.check` finds nothing that could not be simulated."""
    network.check(cohort[0][0], OUTPUTS)


def has_gradients_of_each_client(network: Network, cohort: Batch) -> None:
    """Under vmap clients have the gradients that each has alone, and no parameter has none."""
    inputs_KB, labels_KB = cohort
    keys_K = torch.tensor([1, 2, 3], dtype=torch.int32)
    weights = [network.initial(seed) for seed in range(CLIENTS)]

    def loss(params: Tree, inputs_B: Tensor, labels_B: Tensor, key: Tensor) -> Tensor:
        return classification(network(params, inputs_B, key), labels_B).loss_B.mean()

    gradient: Callable[..., Tree] = torch.func.grad(loss)
    together = torch.func.vmap(gradient)(stacked(weights), inputs_KB, labels_KB, keys_K)
    for k, params in enumerate(weights):
        alone = gradient(params, inputs_KB[k], labels_KB[k], keys_K[k])
        for name, leaf in row(together, k).items():
            torch.testing.assert_close(leaf, alone[name], rtol=1e-12, atol=1e-12)
            assert alone[name].abs().max() > 0, f"{name} takes no part"


def begins_from_the_seed(network: Network, cohort: Batch) -> None:
    """Initial weights are a function of the seed, and torch's generator stays as it was."""
    before = torch.get_rng_state()
    one, same, other = network.initial(1), network.initial(1), network.initial(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert trees.digest(one) == trees.digest(same)
    assert trees.digest(one) != trees.digest(other)


def treats_each_row_alone(network: Network, cohort: Batch) -> None:
    """What a row gives does not depend on the rows beside it."""
    params, inputs_B = network.initial(0), cohort[0][0]
    alone = torch.cat([network(params, inputs[None]) for inputs in inputs_B])
    torch.testing.assert_close(network(params, inputs_B), alone, rtol=1e-12, atol=1e-12)


CONTRACT = (
    passes_the_check,
    has_gradients_of_each_client,
    begins_from_the_seed,
    treats_each_row_alone,
)
