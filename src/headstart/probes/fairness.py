"""How evenly accuracy is shared out: that of each client, its worst, its tenth percentile and its
spread.

Fair resource allocation in federated learning asks for a more uniform distribution of accuracy over
clients (Li et al., arXiv 1905.10497, Definition 1), and reports its mean, its variance and its
worst tenth. Every client counts the same here, however many rows it has.

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
from typing import Annotated

import numpy as np
from pydantic import Field

from headstart.engine.plan import Population
from headstart.engine.rounds import Federation
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.probes.rows import Floats, Ints, correct_of_rows, refuse_no_classes
from headstart.tasks.base import Task

OfClients = Callable[[Floats, Floats], Floats]
"""(right predictions [N], predictions [N]) -> the accuracy of each client [K]."""


@PROBES.register(
    "fairness", source="Li et al., arXiv 1905.10497, Definition 1; label shift: arXiv 1802.03916"
)
def fairness(
    federation: Federation,
    *,
    batch: Annotated[
        int, Field(ge=1, description="predictions evaluated at once: a row, or a token of text")
    ] = 1024,
) -> Probe:
    """client_accuracy_mean, client_accuracy_worst, client_accuracy_p10, client_accuracy_std.

    Over clients: on each client's own test rows where the task says whose they are, else on test
    rows in the client's mix of labels.

    Raises:
        HeadstartError: clients are those of the task's source, and it does not say whose its test
            rows are; or there is no mix of labels, as targets are not one class a row.
    """
    task, network = federation.task, federation.network
    clients = federation.clients
    of_clients = _own_rows(task) if _are_natural(clients, task) else _own_mix(clients, task)

    def measure(moment: Moment) -> Metrics:
        rows = correct_of_rows(network, moment.state.x, task, task.test, batch)
        return spread(of_clients(*rows))

    return Probe(measure)


def spread(accuracy_K: Floats) -> Metrics:
    """The mean, the smallest, the tenth percentile (linear between clients) and the standard
    deviation over clients.

    >>> spread(np.array([0.5, 1.0]))["client_accuracy_p10"]
    0.55
    """
    return {
        "client_accuracy_mean": float(accuracy_K.mean()),
        "client_accuracy_worst": float(accuracy_K.min()),
        "client_accuracy_p10": float(np.quantile(accuracy_K, 0.1)),
        "client_accuracy_std": float(accuracy_K.std()),
    }


def _are_natural(clients: Population, task: Task) -> bool:
    """Whether every client has the rows of one owner."""
    if task.owners is None:
        return False
    natural = Population(task.natural_clients)
    sizes_are = np.array_equal(clients.sizes_N, natural.sizes_N)
    return bool(sizes_are and np.array_equal(clients.rows, natural.rows))


def _own_rows(task: Task) -> OfClients:
    if task.test_owners is None:
        raise HeadstartError(
            f"probes: fairness needs to know whose the test rows of task {task.name!r} are, and it "
            "does not say; give a list of pairs as test of own_task, a table split by row, or a "
            "partition that deals rows"
        )
    owners_N = np.unique(task.test_owners, return_inverse=True)[1]

    def of_clients(correct_N: Floats, count_N: Floats) -> Floats:
        correct_K, count_K = (np.bincount(owners_N, values) for values in (correct_N, count_N))
        accuracy_K: Floats = correct_K[count_K > 0] / count_K[count_K > 0]
        return accuracy_K

    return of_clients


def _own_mix(clients: Population, task: Task) -> OfClients:
    refuse_no_classes(task, "fairness")
    labels_N = task.test.targets.cpu().numpy()
    tested_C = np.bincount(labels_N, minlength=task.outputs)
    mix_KC = _counts(clients, task) * (tested_C > 0)
    mix_KC = mix_KC[mix_KC.sum(1) > 0]
    if not len(mix_KC):
        raise HeadstartError("probes: fairness found no client with a label that a test row has")
    mix_KC = mix_KC / mix_KC.sum(1, keepdims=True)

    def of_clients(correct_N: Floats, count_N: Floats) -> Floats:
        correct_C = np.bincount(labels_N, correct_N, minlength=task.outputs)
        accuracy_C: Floats = correct_C / np.maximum(tested_C, 1)
        accuracy_K: Floats = mix_KC @ accuracy_C
        return accuracy_K

    return of_clients


def _counts(clients: Population, task: Task) -> Ints:
    """How many training rows of each label every client has [K, C]."""
    labels = task.train.targets.cpu().numpy()[clients.rows]
    client = np.repeat(np.arange(len(clients)), clients.sizes_N)
    flat = np.bincount(client * task.outputs + labels, minlength=len(clients) * task.outputs)
    return flat.reshape(len(clients), task.outputs)
