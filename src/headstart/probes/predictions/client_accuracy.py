"""The accuracy of each client: on its own test rows where it has some, else in its mix of labels.

A client's accuracy is that on its own test rows, where clients are those of the task's source and
the source says whose each test row is. Clients that a partition deals have no test rows of their
own. What they differ in is the mix of labels, as rows of one label are dealt at random; so the
accuracy of client i is

    a_i = sum over labels c of p_i(c) a(c),

with p_i(c) the share of label c among its training rows and a(c) the accuracy on the test rows of
label c. That is what its accuracy would be on test rows of its own mix: test rows weighted by
p_i(c) / p(c), as under label shift (Saerens et al., Neural Computation 2002; Lipton et al., arXiv
1802.03916, section 2). Labels without a test row are left out of a client's mix, and clients of no
other labels are not counted.

Shape suffixes: K clients, C labels, N test rows.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from headstart.engine.plan import Population
from headstart.errors import HeadstartError
from headstart.probes.predictions.rows import Floats, Ints, refuse_no_classes
from headstart.tasks.base import Task


class ClientAccuracy(NamedTuple):
    """How the accuracy of each client is found.

    numbers_K: those of the clients. of_clients: (right predictions [N], predictions [N]) -> the
    accuracy of each of them [K], NaN where nothing was to predict. own_rows: whether on test rows
    of their own.
    """

    numbers_K: Ints
    of_clients: Callable[[Floats, Floats], Floats]
    own_rows: bool


def accuracy_of_clients(clients: Population, task: Task, probe: str) -> ClientAccuracy:
    """Return how the accuracy of each client is found.

    Args:
        clients: the training rows of each.
        task: the task, with its test rows and their owners.
        probe: who asks, for the error.

    Raises:
        HeadstartError: clients are those of the task's source, and it does not say whose its test
            rows are; or there is no mix of labels, as targets are not one class a row.
    """
    if _are_natural(clients, task):
        return _on_own_rows(task, probe)
    return _in_own_mix(clients, task, probe)


def _are_natural(clients: Population, task: Task) -> bool:
    """Whether every client has the rows of one owner."""
    if task.owners is None:
        return False
    natural = Population(task.natural_clients)
    sizes_are = np.array_equal(clients.sizes_N, natural.sizes_N)
    return bool(sizes_are and np.array_equal(clients.rows, natural.rows))


def _on_own_rows(task: Task, probe: str) -> ClientAccuracy:
    if task.test_owners is None:
        raise HeadstartError(
            f"probes: {probe} needs to know whose the test rows of task {task.name!r} are, and it "
            "does not say; give a list of pairs as test of own_task, a table split by row, or a "
            "partition that deals rows"
        )
    numbers_K, owners_N = np.unique(task.test_owners, return_inverse=True)

    def of_clients(correct_N: Floats, count_N: Floats) -> Floats:
        correct_K, count_K = (np.bincount(owners_N, values) for values in (correct_N, count_N))
        accuracy_K: Floats = np.where(count_K > 0, correct_K / np.maximum(count_K, 1), np.nan)
        return accuracy_K

    return ClientAccuracy(numbers_K, of_clients, own_rows=True)


def _in_own_mix(clients: Population, task: Task, probe: str) -> ClientAccuracy:
    refuse_no_classes(task, probe)
    labels_N = task.test.targets.cpu().numpy()
    tested_C = np.bincount(labels_N, minlength=task.outputs)
    mix_KC = _counts(clients, task) * (tested_C > 0)
    numbers_K = np.flatnonzero(mix_KC.sum(1))
    mix_KC = mix_KC[numbers_K]
    if not len(mix_KC):
        raise HeadstartError(f"probes: {probe} found no client with a label that a test row has")
    mix_KC = mix_KC / mix_KC.sum(1, keepdims=True)

    def of_clients(correct_N: Floats, count_N: Floats) -> Floats:
        correct_C = np.bincount(labels_N, correct_N, minlength=task.outputs)
        accuracy_C: Floats = correct_C / np.maximum(tested_C, 1)
        accuracy_K: Floats = mix_KC @ accuracy_C
        return accuracy_K

    return ClientAccuracy(numbers_K, of_clients, own_rows=False)


def _counts(clients: Population, task: Task) -> Ints:
    """How many training rows of each label every client has [K, C]."""
    labels = task.train.targets.cpu().numpy()[clients.rows]
    client = np.repeat(np.arange(len(clients)), clients.sizes_N)
    flat = np.bincount(client * task.outputs + labels, minlength=len(clients) * task.outputs)
    return flat.reshape(len(clients), task.outputs)
