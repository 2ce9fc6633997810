"""What several partitions do: refuse what cannot be dealt, draw shares from a Dirichlet, cut rows
by them.

Shape suffixes: N rows, K clients, C groups of rows (classes).
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from headstart.errors import HeadstartError
from headstart.tasks.base import ClientRows, Rows, Task

Short = Literal["redraw", "top-up"]
TABLES, DRAWS = 100, 10**8
"""How many tables of shares are drawn at most, and how many shares in all of them (at least 3
tables are drawn).
"""


def refuse_too_many(population: int, rows: int, each: int = 1) -> None:
    """Refuse a number of clients for which there are too few rows."""
    if not 1 <= population <= rows // each:
        raise HeadstartError(
            f"{rows} training rows cannot be dealt to {population} clients so that each has "
            f"{_counted(each)}; ask for 1 to {rows // each} clients"
        )


def class_labels(task: Task, partition: str) -> Rows:
    """The class of each training row [N], numbered 0 to C - 1 over the classes that occur.

    Raises:
        HeadstartError: the targets are not one class a row.
    """
    targets = task.train.targets
    if targets.ndim != 1 or targets.is_floating_point():
        raise HeadstartError(
            f"the partition {partition!r} needs one class label a row, but the targets of task "
            f"{task.name!r} are {targets.dtype} of shape {list(targets.shape)}; use 'iid', "
            "'quantity-skew' or 'natural'"
        )
    return np.asarray(np.unique(targets.numpy(), return_inverse=True)[1])


def log_gamma_variates(
    concentration_C: npt.NDArray[np.float64], draws: int, generator: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Logarithms [draws, C] of Gamma(a) variates, whose shares of their sum over C are a Dirichlet
    draw.

    A Gamma(a) variate is a Gamma(a + 1) variate times U^(1/a) (Marsaglia & Tsang, ACM TOMS 26(3),
    2000, section 6), which in logarithms does not underflow.
    """
    shape = (draws, len(concentration_C))
    boost_KC = np.log1p(-generator.random(shape)) / concentration_C
    return np.asarray(np.log(generator.standard_gamma(concentration_C + 1, shape)) + boost_KC)


def dealt_by_shares(
    groups_N: Rows,
    population: int,
    *,
    beta: float,
    minimum: int,
    short: Short,
    capped: bool,
    partition: str,
    generator: np.random.Generator,
) -> ClientRows:
    """Deal the rows of each group over clients by shares p ~ Dirichlet(beta, ..., beta).

    Shares are drawn anew for each group. A client gets floor(n p) or ceil(n p) of the n rows of a
    group, n p in expectation: the rows, in random order, are cut at floor(n P_k + u), P_k the sum
    of the first k shares and u uniform in [0, 1) (systematic sampling).

    Args:
        groups_N: the group of each row.
        population: K, the number of clients.
        beta: of the Dirichlet distribution; small values deal unevenly.
        minimum: rows that each client has at least.
        short: "redraw" draws the table of all groups again until nobody has fewer, which is the
            distribution given that nobody has, and gives up with an error. "top-up" keeps the first
            table and gives to each who has fewer what is missing, chosen uniformly among the rows
            that others have above the minimum.
        capped: whether a client that has N / K rows or more gets nothing of the groups that follow,
            where the others' shares are renormalised.
        partition: the name that an error message gives.
        generator: of all draws.

    Raises:
        HeadstartError: fewer rows than `minimum` a client, or nothing but tables with clients below
            it.
    """
    refuse_too_many(population, len(groups_N), minimum)
    rows_C = np.bincount(groups_N)
    allowed = 1 if short == "top-up" else max(3, min(TABLES, DRAWS // (len(rows_C) * population)))
    fewest_short = population
    for _ in range(allowed):
        counts_CK = drawn_counts(rows_C, population, beta, capped, generator)
        fewest_short = min(fewest_short, int((counts_CK.sum(0) < minimum).sum()))
        if not fewest_short:
            break
    if fewest_short and short == "redraw":
        raise HeadstartError(
            f"the partition {partition!r} was drawn {allowed} times for {population} clients, and "
            f"each time at least {fewest_short} clients had fewer rows than {minimum}; ask "
            "for fewer clients or a larger beta, or write short='top-up', which gives them rows "
            "of others"
        )
    shuffled_N = generator.permutation(len(groups_N))
    by_group_N = shuffled_N[np.argsort(groups_N[shuffled_N], kind="stable")]
    owners_N = np.empty(len(groups_N), dtype=np.int64)
    owners_N[by_group_N] = np.repeat(np.tile(np.arange(population), len(rows_C)), counts_CK.ravel())
    if fewest_short:
        top_up(owners_N, population, minimum, generator)
    return ClientRows.of_owners(owners_N, population)


def drawn_counts(
    rows_C: Rows, population: int, beta: float, capped: bool, generator: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Draw how many rows of each group each client gets, [C, K].

    Args:
        rows_C: the rows of each group.
        population: the number of clients K.
        beta: the concentration of the Dirichlet distribution of each group over clients.
        capped: whether a client that has its share of all rows gets none of the groups that follow.
        generator: draws the shares.
    """
    logits_CK = log_gamma_variates(np.full(population, beta), len(rows_C), generator)
    offset_C = generator.random(len(rows_C))
    sizes_K, counts_CK = (
        np.zeros(population, dtype=np.int64),
        np.empty(logits_CK.shape, dtype=np.int64),
    )
    for logits_K, offset, rows, counts_K in zip(
        logits_CK, offset_C, rows_C, counts_CK, strict=True
    ):
        if capped:
            logits_K[sizes_K >= rows_C.sum() / population] = -np.inf
        summed_K = np.cumsum(np.exp(logits_K - logits_K.max()))
        cuts_K = np.floor(summed_K / summed_K[-1] * rows + offset).astype(np.int64)
        counts_K[:] = np.diff(cuts_K, prepend=0)
        sizes_K += counts_K
    return counts_CK


def top_up(owners_N: Rows, population: int, minimum: int, generator: np.random.Generator) -> None:
    """Change, in place, who owns rows that are chosen at random among those that a client has above
    the minimum.
    """
    shuffled_N = generator.permutation(len(owners_N))
    sorted_N = shuffled_N[np.argsort(owners_N[shuffled_N], kind="stable")]
    sizes_K = np.bincount(owners_N, minlength=population)
    rank_N = np.arange(len(owners_N)) - np.repeat(np.cumsum(sizes_K) - sizes_K, sizes_K)
    spare = sorted_N[rank_N >= minimum]
    takers = np.repeat(np.arange(population), np.maximum(minimum - sizes_K, 0))
    owners_N[generator.choice(spare, len(takers), replace=False)] = takers


def _counted(rows: int) -> str:
    return "one" if rows == 1 else f"{rows} rows"
