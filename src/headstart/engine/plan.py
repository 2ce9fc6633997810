"""A round as data: who takes part, on which rows in which order, how many steps each does, with
which weight.

`plan` is a pure function of the seed, the round and the clients. So executors are deterministic
arithmetic, a resumed run needs no generator, and runs that differ in one thing (start, optimizer,
rate, number of local epochs) see the same clients, batches and order.

Shape suffixes: K clients of the cohort, S local steps, B rows of a batch, M rows of the largest
client.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, overload

import numpy as np

from headstart import rng
from headstart.engine.devices import Devices, Floats, Ints
from headstart.tasks.base import ClientRows

PAD = -1
AHEAD, AHEAD_ROWS = 16, 2**15
"""The most rounds that are drawn at a time, and the most places for rows that they have together.
"""


class Population(Sequence[Ints]):
    """The training rows of every client, at least one each. `sizes_N`: how many; `widest`: the most
    that one has.

    From `ClientRows` it is made in one step, however many clients there are.
    """

    def __init__(self, clients: Sequence[Ints]) -> None:
        self._clients = clients
        self.sizes_N: Ints = (
            clients.sizes
            if isinstance(clients, ClientRows)
            else np.array([len(rows) for rows in clients])
        )
        self.widest = int(self.sizes_N.max())

    @property
    def rows(self) -> Ints:
        """The rows of client 0, then those of client 1, ..."""
        if not isinstance(self._clients, ClientRows):
            return np.concatenate([np.asarray(rows) for rows in self._clients])
        return (
            np.arange(self._clients.starts[-1])
            if self._clients.order is None
            else self._clients.order
        )

    @overload
    def __getitem__(self, index: int) -> Ints: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Ints]: ...
    def __getitem__(self, index: int | slice) -> Ints | Sequence[Ints]:
        return self._clients[index]

    def __len__(self) -> int:
        return len(self._clients)


@dataclass(frozen=True)
class Schedule:
    """What rounds of a run have in common. `batch_size` is not used where `batching` is "full"."""

    cohort: int
    local_epochs: float
    batch_size: int
    batching: Literal["minibatch", "full"]
    weighting: Literal["samples", "uniform"]
    devices: Devices


@dataclass(frozen=True)
class RoundPlan:
    """Everything random about one round.

    rows_KSB: training rows of each step, `PAD` (-1) where there is none; steps_K: local steps, 0
    for a client that does not report; weights_K: p_i, zero for those, else summing to 1; keys_K:
    dropout keys;
    all_rows_KM: all rows of each client, padded; seconds: how long the round takes on the simulated
    devices.
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


def plan(
    seed: int, round_: int, clients: Population, schedule: Schedule, widest: int = 0
) -> RoundPlan:
    """Draw a round.

    Args:
        seed: that of the run.
        round_: its number, counted from 1.
        clients: the rows of all clients.
        schedule: what rounds have in common.
        widest: it is padded as if the largest client had at least so many rows.
    """
    clients_K = cohort_of(seed, round_, len(clients), schedule.cohort)
    rows = [clients[client] for client in clients_K]
    return of_clients(seed, round_, clients_K, rows, schedule, max(clients.widest, widest))


def cohort_of(seed: int, round_: int, population: int, size: int) -> Ints:
    """Draw the clients of a round from a population, in order."""
    return np.sort(rng.generator(seed, "cohort", round_).choice(population, size, replace=False))


def of_clients(
    seed: int, round_: int, clients_K: Ints, rows: Sequence[Ints], schedule: Schedule, widest: int
) -> RoundPlan:
    """Draw what clients do in a round. It is drawn for each of them alone, so that a client which
    is planned by itself does the same as in a cohort.

    Args:
        seed: that of the run.
        round_: its number, counted from 1.
        clients_K: the clients, by their numbers.
        rows: those of each client.
        schedule: what rounds have in common.
        widest: the rows of the largest client, to which all are padded.
    """
    K, M = len(clients_K), widest
    sizes_K = np.array([len(one) for one in rows])
    batch = M if schedule.batching == "full" else min(schedule.batch_size, M)
    epoch_K = -(-sizes_K // batch)
    steps_K, seconds = schedule.devices(seed, round_, clients_K, epoch_K, schedule.local_epochs)
    all_rows_KM = np.full((K, M), PAD)
    for k, own in enumerate(rows):
        all_rows_KM[k, : sizes_K[k]] = own
    mass_K = np.where(steps_K > 0, sizes_K if schedule.weighting == "samples" else 1.0, 0.0)
    dropout_K = rng.bits(seed, "dropout", at=(round_, clients_K))
    return RoundPlan(
        round=round_,
        clients_K=clients_K,
        rows_KSB=_batches(seed, round_, clients_K, all_rows_KM, sizes_K, epoch_K, steps_K, batch),
        steps_K=steps_K,
        weights_K=mass_K / max(mass_K.sum(), 1.0),
        keys_K=(dropout_K >> np.uint64(33)).astype(np.int64),
        all_rows_KM=all_rows_KM,
        seconds=seconds,
    )


class Plans:
    """The plans of a run, drawn several rounds at a time where they are small.

    A plan takes half the time where its code is still in the processor's cache, from the plan
    before.
    """

    def __init__(self, seed: int, clients: Population, schedule: Schedule) -> None:
        self._of = seed, clients, schedule
        self._drawn: dict[tuple[int, int], RoundPlan] = {}

    def __call__(self, round_: int, widest: int = 0) -> RoundPlan:
        """As `plan`; several threads may ask."""
        drawn = self._drawn
        if (round_, widest) not in drawn:
            seed, clients, schedule = self._of
            first = plan(seed, round_, clients, schedule, widest)
            places = max(first.rows_KSB.size, first.all_rows_KM.size)
            later = range(round_ + 1, round_ + min(AHEAD, AHEAD_ROWS // places))
            drawn = {(round_, widest): first}
            for later_ in later:
                drawn[later_, widest] = plan(seed, later_, clients, schedule, widest)
            self._drawn = drawn
        return drawn[round_, widest]


def _batches(
    seed: int,
    round_: int,
    clients_K: Ints,
    all_rows_KM: Ints,
    sizes_K: Ints,
    epoch_K: Ints,
    steps_K: Ints,
    batch: int,
) -> Ints:
    """Rows in random order, anew for every epoch (E), cut into batches; the last batch of an epoch
    is padded.
    """
    (K, M), S = all_rows_KM.shape, max(1, int(steps_K.max()))
    epochs = int((-(-steps_K // epoch_K)).max())
    client_K11 = clients_K[:, None, None]
    epoch_E1, place_M = np.arange(epochs)[:, None], np.arange(M)
    order_KEM = rng.bits(seed, "batches", at=(round_, client_K11, epoch_E1, place_M))
    is_padding_KEM = np.broadcast_to(place_M >= sizes_K[:, None, None], order_KEM.shape)
    order_KEM[is_padding_KEM] = np.iinfo(np.uint64).max
    rows_KEM = np.take_along_axis(all_rows_KM[:, None], order_KEM.argsort(-1), -1)
    slot_KEM = epoch_E1 * (epoch_K * batch)[:, None, None] + place_M
    kept = (place_M < sizes_K[:, None, None]) & (slot_KEM < (steps_K * batch)[:, None, None])
    slots_KT = np.full((K, S * batch), PAD)
    slots_KT[np.nonzero(kept)[0], slot_KEM[kept]] = rows_KEM[kept]
    return slots_KT.reshape(K, S, batch)
