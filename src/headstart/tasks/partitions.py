"""How the training rows of a task are dealt to clients: evenly, with skewed labels, or as their owners hold them.

Shape suffixes: N rows, K clients, C classes that occur.
"""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from headstart import rng
from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, Partition, Rows, Task


@PARTITIONS.register("iid", source="McMahan et al., arXiv 1602.05629, section 3")
def iid() -> Partition:
    """Rows dealt at random; the sizes of clients differ by at most one."""

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        _refuse_too_many(population, len(task.train))
        order_N = rng.generator(seed, "partition", "iid").permutation(len(task.train))
        return [np.sort(rows) for rows in np.array_split(order_N, population)]

    return partition


@PARTITIONS.register("dirichlet", source="Hsu et al., arXiv 1909.06335, section 3.1")
def dirichlet(
    *,
    alpha: Annotated[float, Field(ge=1e-6, description="concentration: towards 0 one class a client, large is iid")] = (
        1.0
    ),
) -> Partition:
    """Label skew: each client draws its mix of classes q ~ Dirichlet(alpha * p), where p is the mix of all rows.

    Clients have equal sizes (to within one). Each in turn draws its rows one by one without replacement: a class
    by q, then one of the rows of it that are left. When a class runs out, q is renormalised over the classes that
    are left. For a small alpha all but one entry of q are too small for a floating-point number, so q is kept in
    logarithms: however small, its entries are positive, there is always a next class, and neither alpha nor q
    needs a fallback. What late clients get is bound by what is left.

    As in the paper the entries of alpha * p sum to alpha; libraries that give every one of C classes the
    concentration alpha mean alpha * C here.
    """

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        _refuse_too_many(population, len(task.train))
        if task.train.targets.ndim != 1 or task.train.targets.is_floating_point():
            raise HeadstartError(
                f"the partition 'dirichlet' needs one class label a row, but the targets of task {task.name!r} are "
                f"{task.train.targets.dtype} of shape {list(task.train.targets.shape)}; use 'iid' or 'natural'"
            )
        labels_N = np.unique(task.train.targets.numpy(), return_inverse=True)[1]
        generator = rng.generator(seed, "partition", "dirichlet")
        left_C = np.bincount(labels_N)
        logits_KC = _log_gamma_variates(alpha * left_C / len(labels_N), population, generator)
        sizes_K = _even_sizes(len(labels_N), population)

        # Rows by class, each class in random order; `next_C` is the first row of each that nobody has.
        shuffled_N = generator.permutation(len(labels_N))
        pools_N = shuffled_N[np.argsort(labels_N[shuffled_N], kind="stable")]
        next_C = np.cumsum(left_C) - left_C
        clients = []
        for size, logits_C in zip(sizes_K, logits_KC, strict=True):
            taken_C = _draw(int(size), logits_C, left_C, generator)
            slices = [pools_N[first : first + n] for first, n in zip(next_C, taken_C, strict=True) if n]
            clients.append(np.sort(np.concatenate(slices)))
            next_C, left_C = next_C + taken_C, left_C - taken_C
        return clients

    return partition


@PARTITIONS.register("natural", source="the owners that a task's source names")
def natural() -> Partition:
    """Every owner in the source is one client, so the number of clients must be that of the owners."""

    def partition(task: Task, population: int, seed: int) -> Sequence[Rows]:
        if task.owners is None:
            raise HeadstartError(
                f"the partition 'natural' needs to know whose each row is, but task {task.name!r} has no owners; "
                "use 'iid' or 'dirichlet'"
            )
        owners, sizes = np.unique(task.owners, return_counts=True)
        if population != len(owners):
            raise HeadstartError(
                f"the partition 'natural' of task {task.name!r} has {len(owners)} clients, one an owner, "
                f"but {population} were asked for; ask for {len(owners)}"
            )
        return np.split(np.argsort(task.owners, kind="stable"), np.cumsum(sizes)[:-1])

    return partition


def _draw(
    size: int,
    logits_C: npt.NDArray[np.float64],
    left_C: npt.NDArray[np.int64],
    generator: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """How many rows of each class a client gets: as if drawn one by one, in one multinomial a class that runs out.

    Drawing from q renormalised over the classes left is the same as drawing from q and drawing again whatever falls
    on a class that ran out; how many are drawn again depends on the counts only, not on their order.
    """
    taken_C = np.zeros_like(left_C)
    while (missing := size - int(taken_C.sum())) > 0:
        open_C = np.where(taken_C < left_C, logits_C, -np.inf)
        mix_C = np.exp(open_C - open_C.max())
        taken_C = np.minimum(taken_C + generator.multinomial(missing, mix_C / mix_C.sum()), left_C)
    return taken_C


def _log_gamma_variates(
    concentration_C: npt.NDArray[np.float64], population: int, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Logarithms [K, C] of Gamma(a) variates, whose shares of their sum over C are a Dirichlet draw.

    A Gamma(a) variate is a Gamma(a + 1) variate times U^(1/a) (Marsaglia & Tsang, ACM TOMS 26(3), 2000, section 6),
    which in logarithms does not underflow.
    """
    shape = (population, len(concentration_C))
    boost_KC = np.log1p(-generator.random(shape)) / concentration_C
    return np.asarray(np.log(generator.standard_gamma(concentration_C + 1, shape)) + boost_KC)


def _even_sizes(rows: int, population: int) -> npt.NDArray[np.int64]:
    return rows // population + (np.arange(population) < rows % population)


def _refuse_too_many(population: int, rows: int) -> None:
    if not 1 <= population <= rows:
        raise HeadstartError(
            f"{rows} training rows cannot be dealt to {population} clients so that each has one; "
            f"ask for 1 to {rows} clients"
        )
