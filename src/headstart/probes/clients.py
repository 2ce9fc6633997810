"""The accuracy of every client after the last round, so that two starts can be compared client by
client: whom one of them helps, and whom it makes worse off.

On which rows each client is measured is told in `headstart.probes.predictions.client_accuracy`.
"""

from typing import Annotated

import numpy as np
from pydantic import Field

from headstart.engine.federation import Federation
from headstart.probes.base import PROBES, Metrics, Moment, Probe
from headstart.probes.predictions.client_accuracy import accuracy_of_clients
from headstart.probes.predictions.rows import correct_of_rows
from headstart.tables import OF_CLIENT, ON_OWN_ROWS


@PROBES.register("clients", source="Li et al., arXiv 1905.10497; label shift: arXiv 1802.03916")
def clients(
    federation: Federation,
    *,
    batch: Annotated[
        int, Field(ge=1, description="predictions evaluated at once: a row, or a token of text")
    ] = 1024,
) -> Probe:
    """client_accuracy/0, client_accuracy/1, ...: that of each client after the last round.

    clients_on_own_rows is 1 where it is that on each client's own test rows, 0 where on test rows
    in the client's mix of labels.

    Raises:
        HeadstartError: clients are those of the task's source, and it does not say whose its test
            rows are; or there is no mix of labels, as targets are not one class a row.
    """
    task, network = federation.task, federation.network
    found = accuracy_of_clients(federation.clients, task, "clients")
    names = [f"{OF_CLIENT}{number}" for number in found.numbers_K.tolist()]

    def measure(moment: Moment) -> Metrics:
        if not moment.last:
            return {}
        rows = correct_of_rows(network, moment.state.x, task, task.test, batch)
        accuracy_K = found.of_clients(*rows)
        metrics = {ON_OWN_ROWS: float(found.own_rows)}
        for k in np.flatnonzero(np.isfinite(accuracy_K)).tolist():
            metrics[names[k]] = float(accuracy_K[k])
        return metrics

    return Probe(measure, ends_only=True)
