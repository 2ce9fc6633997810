"""How evenly accuracy is shared out: that of each client, its worst, its tenth percentile and its
spread.

Fair resource allocation in federated learning asks for a more uniform distribution of accuracy over
clients (Li et al., arXiv 1905.10497, Definition 1), and reports its mean, its variance and its
worst tenth. Every client counts the same here, however many rows it has. On which rows each is
measured is told in `headstart.probes.predictions.client_accuracy`.

Shape suffixes: K clients.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.probes.predictions.client_accuracy import accuracy_of_clients
from headstart.probes.predictions.rows import Floats, correct_of_rows


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
    found = accuracy_of_clients(federation.clients, task, "fairness")

    def measure(moment: Moment) -> Metrics:
        rows = correct_of_rows(network, moment.state.x, task, task.test, batch)
        accuracy_K = found.of_clients(*rows)
        return spread(accuracy_K[np.isfinite(accuracy_K)])

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
