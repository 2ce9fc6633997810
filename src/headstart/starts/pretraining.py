"""Central training of a network on the server's own data, and what came of it.

Adam with a rate that falls to zero along half a cosine (arXiv 1608.03983, Eq. 5).
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from headstart import rng, trees
from headstart.models.network import Network
from headstart.starts.augmentation import Augmentation, augmented
from headstart.starts.weights import Weights
from headstart.tasks.base import Task
from headstart.trees import Tree
from headstart.wording.phrases import count


@dataclass(frozen=True)
class Pretraining:
    """Central training: passes over the rows, rows of a step, Adam's rate at its peak, the seed of
    first weights, order, dropout and augmentation, and how images are augmented.
    """

    epochs: int
    batch_size: int
    rate: float
    seed: int
    augment: Augmentation = "none"

    def of(self, network: Network, data: Task) -> Weights:
        """Return the weights of the network trained on a task, and a line on how well it does."""
        began = time.perf_counter()
        state = self._trained(network, data)
        seconds = time.perf_counter() - began
        came = self._score(network, state, data)
        origin = f"pre-trained for {count(self.epochs, 'epoch')} in {seconds:,.0f} s: {came}"
        return Weights.of(state, network, data)._replace(origin=origin)

    def _trained(self, network: Network, data: Task) -> Tree:
        state = network.state(rng.key(self.seed, "proxy"))
        network = network.holding({name: state[name] for name in network.buffers})
        params = trees.map_tree(torch.Tensor.requires_grad_, network.parameters_of(state))
        steps = self.epochs * -(-len(data.train) // self.batch_size)
        optimizer = torch.optim.Adam(params.values(), lr=self.rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
        key = torch.tensor(rng.key(self.seed, "proxy", "dropout"), dtype=torch.int32)
        for step, rows in enumerate(self._batches(len(data.train))):
            draws = rng.generator(self.seed, "proxy", "augment", step)
            inputs = augmented(data.train.inputs[rows], self.augment, draws)
            outputs = network(params, inputs, rng.step_key(key, step))
            scores = data.objective(outputs, data.train.targets[rows])
            optimizer.zero_grad()
            loss = scores.loss_B.sum() / scores.count_B.sum().clamp(min=1)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        return state | {name: leaf.detach() for name, leaf in params.items()}

    def _batches(self, rows: int) -> Iterator[Tensor]:
        for epoch in range(self.epochs):
            draws = rng.generator(self.seed, "proxy", "order", epoch)
            order = torch.from_numpy(draws.permutation(rows))
            for first in range(0, rows, self.batch_size):
                yield order[first : first + self.batch_size]

    def _score(self, network: Network, state: Tree, data: Task) -> str:
        """What share of the task's test rows, which training never sees, it predicts right."""
        correct = predictions = 0.0
        inputs, targets = data.test.inputs, data.test.targets
        with torch.no_grad():
            for first in range(0, len(targets), self.batch_size):
                rows = slice(first, first + self.batch_size)
                scores = data.objective(network(state, inputs[rows]), targets[rows])
                correct += float(scores.correct_B.sum())
                predictions += float(scores.count_B.sum())
        share = correct / max(predictions, 1.0)
        return f"accuracy {share:.1%} on the {len(targets):,} test rows of {data.name!r}"
