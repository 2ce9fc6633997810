"""Devices: how many local steps each client of a cohort does, and how long the round takes.

Every draw is a function of (seed, client) or (seed, round, client) alone, so adding a client
changes no other's.
"""

from collections.abc import Callable
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import Field
from scipy.special import ndtri

from headstart import rng
from headstart.errors import HeadstartError
from headstart.parts.registry import Registry

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


class Work(NamedTuple):
    """Local steps of each client (0: it does not report), and simulated seconds of the round."""

    steps_K: Ints
    seconds: float


Devices = Callable[[int, int, Ints, Ints, float], Work]
"""(seed, round, clients [K], steps of one local epoch [K], local epochs) -> Work."""

DEVICES: Registry[Devices] = Registry("device setting", "headstart.engine")

Share = Annotated[float, Field(ge=0, le=1)]
Speed = Annotated[float, Field(gt=0, description="local steps a second of a typical device")]


def steps_of(local_epochs: float, epoch_K: Ints) -> Ints:
    """Local steps in so many epochs, rounded up: half an epoch of five steps is three.

    >>> steps_of(0.5, np.array([1, 4, 5])).tolist(), steps_of(2, np.array([5])).tolist()
    ([1, 2, 3], [10])
    >>> steps_of(0.7, np.array([10])).tolist()  # 7.000000000000001 in floating-point numbers
    [7]
    >>> steps_of(1e-12, np.array([10])).tolist()  # as little as there is
    [1]
    """
    steps_K: Ints = np.ceil(local_epochs * epoch_K - 1e-9).astype(np.int64)
    return np.maximum(steps_K, 1)


def _slowest(steps_K: Ints, speed: float) -> float:
    return float(steps_K.max(initial=0)) / speed


@DEVICES.register("equal", source="arXiv 2003.00295, Algorithm 1")
def equal(*, speed: Speed = 10.0) -> Devices:
    """Every client runs all local epochs; the round lasts as long as its largest client."""

    def work(seed: int, round_: int, clients_K: Ints, epoch_K: Ints, local_epochs: float) -> Work:
        steps_K = steps_of(local_epochs, epoch_K)
        return Work(steps_K, _slowest(steps_K, speed))

    return work


@DEVICES.register("uneven-epochs", source="arXiv 2206.15387, section on system heterogeneity")
def uneven_epochs(
    *,
    share: Annotated[
        Share, Field(description="probability that a client of the cohort is one of the uneven")
    ] = 0.3,
    low: Annotated[int, Field(ge=1, description="fewest local epochs of an uneven client")] = 1,
    high: Annotated[int, Field(ge=1, description="most local epochs of an uneven client")] = 5,
    speed: Speed = 10.0,
) -> Devices:
    """A share of clients runs E_i ~ U{low..high} whole local epochs, the others the usual number.

    Each client of a cohort is uneven with probability `share`, drawn anew every round, so that its
    draw depends on no other client; the expected share is that of the paper. Where the usual number
    is a part of an epoch, the others run that part.
    """
    if low > high:
        raise HeadstartError(f"uneven-epochs: expected low <= high, got low={low}, high={high}")

    def work(seed: int, round_: int, clients_K: Ints, epoch_K: Ints, local_epochs: float) -> Work:
        uneven_K = rng.uniform(seed, "uneven", at=(round_, clients_K)) < share
        drawn_K = low + (
            rng.uniform(seed, "epochs", at=(round_, clients_K)) * (high - low + 1)
        ).astype(np.int64)
        steps_K = np.where(uneven_K, drawn_K * epoch_K, steps_of(local_epochs, epoch_K))
        return Work(steps_K, _slowest(steps_K, speed))

    return work


@DEVICES.register("dropped", source="arXiv 1902.01046, section 2: devices that do not report")
def dropped(
    *,
    share: Annotated[
        Share, Field(description="probability that a client of the cohort does not report")
    ] = 0.1,
    speed: Speed = 10.0,
) -> Devices:
    """Clients drop out of a round with the same probability; means are over those that report."""

    def work(seed: int, round_: int, clients_K: Ints, epoch_K: Ints, local_epochs: float) -> Work:
        reports_K = rng.uniform(seed, "dropped", at=(round_, clients_K)) >= share
        steps_K = np.where(reports_K, steps_of(local_epochs, epoch_K), 0)
        return Work(steps_K, _slowest(steps_K, speed))

    return work


@DEVICES.register(
    "budget", source="arXiv 1812.06127, section 5.2: as many local steps as a device can in time"
)
def budget(
    *,
    seconds: Annotated[float, Field(gt=0, description="seconds that the server waits")] = 1.0,
    speed: Speed = 10.0,
    spread: Annotated[
        float, Field(ge=0, description="standard deviation of the log of the clients' speeds")
    ] = 0.5,
) -> Devices:
    """Each client has a log-normal speed of its own and does the steps that fit into the server's
    time.
    """

    def work(seed: int, round_: int, clients_K: Ints, epoch_K: Ints, local_epochs: float) -> Work:
        speed_K = speed * np.exp(spread * ndtri(rng.uniform(seed, "speed", at=(clients_K,))))
        whole_K = steps_of(local_epochs, epoch_K)
        steps_K = np.minimum(whole_K, np.floor(seconds * speed_K).astype(np.int64))
        needed = float((steps_K / speed_K).max(initial=0.0))
        late = bool((steps_K < whole_K).any())
        return Work(steps_K, seconds if late else needed)

    return work
