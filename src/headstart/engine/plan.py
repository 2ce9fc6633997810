"""A round as data: who takes part, on which rows in which order, how many steps each does, with which weight.

`plan` is a pure function of the seed, the round and the clients. So executors are deterministic arithmetic, a
resumed run needs no generator, and runs that differ in one thing (start, optimizer, rate, number of local epochs)
see the same clients, batches and order.

Shape suffixes: K clients of the cohort, S local steps, B rows of a batch, M rows of the largest client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from headstart import rng
from headstart.engine.devices import Devices, Floats, Ints

PAD = -1


@dataclass(frozen=True)
class Schedule:
    """What the rounds of a run have in common. `batch_size` is not used where `batching` is "full"."""

    cohort: int
    local_epochs: int
    batch_size: int
    batching: Literal["minibatch", "full"]
    weighting: Literal["samples", "uniform"]
    devices: Devices


@dataclass(frozen=True)
class RoundPlan:
    """Everything random about one round.

    rows_KSB: training rows of each step, `PAD` (-1) where there is none; steps_K: local steps, 0 for a client that
    does not report; weights_K: p_i, zero for those, else summing to 1; keys_K: dropout keys;
    all_rows_KM: all rows of each client, padded; seconds: how long the round takes on the simulated devices.
    """

    round: int
    clients_K: Ints
    rows_KSB: Ints
    steps_K: Ints
    weights_K: Floats
    keys_K: Ints
    all_rows_KM: Ints
    seconds: float

    @property
    def reporting_clients(self) -> list[int]:
        """The places in the cohort of the clients that report."""
        return [int(k) for k in np.flatnonzero(self.steps_K)]

    @property
    def reporting(self) -> int:
        """How many clients report."""
        return int(np.count_nonzero(self.steps_K))


def plan(seed: int, round_: int, clients: Sequence[Ints], schedule: Schedule) -> RoundPlan:
    """Draw round `round_` (counted from 1). `clients[i]` holds the training rows of client i, at least one each."""
    clients_K = np.sort(rng.generator(seed, "cohort", round_).choice(len(clients), schedule.cohort, replace=False))
    sizes_K = np.array([len(clients[i]) for i in clients_K])
    widest = max(len(rows) for rows in clients)
    batch = widest if schedule.batching == "full" else min(schedule.batch_size, widest)
    epoch_K = -(-sizes_K // batch)
    steps_K, seconds = schedule.devices(seed, round_, clients_K, epoch_K, schedule.local_epochs)

    rows_KSB = np.full((schedule.cohort, max(1, int(steps_K.max())), batch), PAD)
    all_rows_KM = np.full((schedule.cohort, widest), PAD)
    for k, client in enumerate(clients_K):
        rows, slots = clients[client], rows_KSB[k].reshape(-1)
        all_rows_KM[k, : len(rows)] = rows
        draw = rng.generator(seed, "batches", round_, int(client))
        for step in range(0, int(steps_K[k]), int(epoch_K[k])):
            epoch = draw.permutation(rows)[: (steps_K[k] - step) * batch]
            slots[step * batch : step * batch + len(epoch)] = epoch

    mass_K = np.where(steps_K > 0, sizes_K if schedule.weighting == "samples" else 1.0, 0.0)
    return RoundPlan(
        round=round_,
        clients_K=clients_K,
        rows_KSB=rows_KSB,
        steps_K=steps_K,
        weights_K=mass_K / max(mass_K.sum(), 1.0),
        keys_K=np.array([rng.key(seed, "dropout", round_, int(client)) for client in clients_K]),
        all_rows_KM=all_rows_KM,
        seconds=seconds,
    )
