"""Label skew by client: each has a mix of classes of its own, all have as many rows.

Shape suffixes: N rows, K clients, C classes that occur.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from headstart import rng
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task
from headstart.tasks.partitions.dealing import class_labels, log_gamma_variates, refuse_too_many


@PARTITIONS.register("dirichlet", source="Hsu et al., arXiv 1909.06335, section 3.1")
def dirichlet(
    *,
    alpha: Annotated[
        float,
        Field(ge=1e-6, description="concentration: towards 0 one class a client, large is iid"),
    ] = 1.0,
) -> Partition:
    """Label skew: each client draws its mix of classes q ~ Dirichlet(alpha * p), where p is the mix
    of all rows.

    Clients have equal sizes (to within one). Each in turn draws its rows one by one without
    replacement: a class by q, then one of the rows of it that are left. When a class runs out, q is
    renormalised over the classes that are left. For a small alpha all but one entry of q are too
    small for a floating-point number, so q is kept in logarithms: however small, its entries are
    positive, there is always a next class, and neither alpha nor q needs a fallback. What late
    clients get is bound by what is left.

    As in the paper the entries of alpha * p sum to alpha; libraries that give every one of C
    classes the concentration alpha mean alpha * C here.
    """

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        refuse_too_many(population, len(task.train))
        labels_N = class_labels(task, "dirichlet")
        generator = rng.generator(seed, "partition", "dirichlet")
        left_C = np.bincount(labels_N)
        logits_KC = log_gamma_variates(alpha * left_C / len(labels_N), population, generator)
        sizes_K = _even_sizes(len(labels_N), population)

        # Rows by class, each class in random order; `next_C` is the first row of each that nobody
        # has.
        shuffled_N = generator.permutation(len(labels_N))
        pools_N = shuffled_N[np.argsort(labels_N[shuffled_N], kind="stable")]
        next_C = np.cumsum(left_C) - left_C
        clients = []
        for size, logits_C in zip(sizes_K, logits_KC, strict=True):
            taken_C = class_counts(int(size), logits_C, left_C, generator)
            slices = [
                pools_N[first : first + n] for first, n in zip(next_C, taken_C, strict=True) if n
            ]
            clients.append(np.sort(np.concatenate(slices)))
            next_C, left_C = next_C + taken_C, left_C - taken_C
        return clients

    return partition


def class_counts(
    size: int,
    logits_C: npt.NDArray[np.float64],
    left_C: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """How many rows of each class a client gets: as if drawn one by one, in one multinomial a class
    that runs out.

    Drawing from q renormalised over the classes left is the same as drawing from q and drawing
    again whatever falls on a class that ran out; how many are drawn again depends on the counts
    only, not on their order.
    """
    taken_C = np.zeros_like(left_C)
    while (missing := size - int(taken_C.sum())) > 0:
        open_C = np.where(taken_C < left_C, logits_C, -np.inf)
        mix_C = np.exp(open_C - open_C.max())
        taken_C = np.minimum(taken_C + generator.multinomial(missing, mix_C / mix_C.sum()), left_C)
    return taken_C


def _even_sizes(rows: int, population: int) -> npt.NDArray[np.int64]:
    return rows // population + (np.arange(population) < rows % population)
