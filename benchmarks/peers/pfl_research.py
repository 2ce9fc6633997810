"""pfl-research (PyPI `pfl`): FederatedAveraging on a SimulatedBackend, users' data as tensors in
memory.

With --processes P the cohort is sharded over P processes with one torch thread each, the way its
guide "Fast distributed simulations" describes (PFL_WORKER_ADDRESSES, PFL_WORKER_RANK).
"""

import os
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from itertools import pairwise

from jobs import JOBS, Clients, Job
from measure import WARM_UP, parser, peak_rss_mib, report


def main() -> None:
    arguments = parser(__doc__, devices=True)
    arguments.add_argument("--processes", type=int, default=1)
    options = arguments.parse_args()
    if options.processes > 1 and "PFL_WORKER_RANK" not in os.environ:
        sys.exit(_distribute(options.processes))
    seconds, samples, memory = run(
        JOBS[options.job], options.rounds, options.processes, options.device
    )
    if int(os.environ.get("PFL_WORKER_RANK", "0")) == 0:
        more = {"processes": options.processes, "peak_rss_mib": round(memory, 1)}
        report("pfl-research", version("pfl"), options.job, seconds, samples, **more)


def _distribute(processes: int) -> int:
    """Run this command as `processes` workers; returns the first exit status that is not 0."""
    ports = [socket.create_server(("localhost", 0)) for _ in range(processes)]
    addresses = ",".join(f"localhost:{port.getsockname()[1]}" for port in ports)
    for port in ports:
        port.close()
    workers = []
    for rank in range(processes):
        settings = {
            "PFL_WORKER_ADDRESSES": addresses,
            "PFL_WORKER_RANK": str(rank),
            "OMP_NUM_THREADS": "1",
        }
        workers.append(
            subprocess.Popen([sys.executable, *sys.argv], env={**os.environ, **settings})
        )
    return next((status for status in [worker.wait() for worker in workers] if status), 0)


def run(job: Job, rounds: int, processes: int, device: str) -> tuple[list[float], list[int], float]:
    """Seconds and samples of each measured round, and the peak memory of all processes together
    (MiB).
    """
    import numpy as np
    import torch
    from pfl.aggregate.simulate import SimulatedBackend
    from pfl.aggregate.weighting import WeightByDatapoints
    from pfl.algorithm.base import NNAlgorithmParams
    from pfl.algorithm.federated_averaging import FederatedAveraging
    from pfl.callback.base import TrainingProcessCallback
    from pfl.data.dataset import Dataset
    from pfl.data.federated_dataset import FederatedDataset
    from pfl.data.sampling import get_user_sampler
    from pfl.hyperparam import NNTrainHyperParams
    from pfl.internal.ops.pytorch_ops import get_default_device
    from pfl.metrics import Metrics, Weighted
    from pfl.model.pytorch import PyTorchModel
    from torch import Tensor
    from torch_models import build
    from torch_models import loss as mean_loss

    class Network(torch.nn.Module):
        """What pfl asks of a module: `loss` and `metrics` of a user's batch."""

        def __init__(self) -> None:
            super().__init__()
            self.network = build(job)
            self.samples = 0

        def loss(self, inputs: Tensor, labels: Tensor) -> Tensor:
            self.samples += len(labels)
            return mean_loss(self.network(inputs), labels)

        def metrics(self, inputs: Tensor, labels: Tensor) -> dict[str, Weighted]:
            """pfl evaluates users in round 0, whatever the frequency;
            that round belongs to the warm-up.
            """
            return {
                "loss": Weighted(
                    float(mean_loss(self.network(inputs), labels)) * len(labels), len(labels)
                )
            }

    class Clock(TrainingProcessCallback):
        """The time and the samples so far after each round."""

        def __init__(self) -> None:
            self.ticks: list[tuple[float, int]] = []

        def after_central_iteration(
            self, aggregate_metrics: Metrics, model: PyTorchModel, *, central_iteration: int
        ) -> tuple[bool, Metrics]:
            if device != "cpu":
                torch.accelerator.synchronize()
            self.ticks.append((time.perf_counter(), model.pytorch_model.samples))
            return False, Metrics()

    # pfl draws its cohorts and seeds from numpy's global generator.
    np.random.seed(0)  # noqa: NPY002
    torch.manual_seed(0)
    if get_default_device().type != device:
        sys.exit(
            f"pfl chooses the device {get_default_device().type} on this machine, not {device}"
        )
    clients = Clients(job)
    users = {
        user: Dataset(
            tuple(torch.from_numpy(part).to(device) for part in clients[user]), user_id=str(user)
        )
        for user in range(len(clients))
    }
    network = Network().to(device).train()
    model = PyTorchModel(
        model=network,
        local_optimizer_create=torch.optim.SGD,
        central_optimizer=torch.optim.SGD(network.parameters(), lr=1.0),
    )
    data = FederatedDataset(users.__getitem__, get_user_sampler("random", list(users)))
    backend = SimulatedBackend(
        training_data=data, val_data=data, postprocessors=[WeightByDatapoints()]
    )
    iterations = WARM_UP + rounds
    clock = Clock()

    FederatedAveraging().run(
        backend=backend,
        model=model,
        algorithm_params=NNAlgorithmParams(
            central_num_iterations=iterations,
            evaluation_frequency=iterations + 1,
            train_cohort_size=job.cohort,
            val_cohort_size=0,
        ),
        model_train_params=NNTrainHyperParams(
            local_num_epochs=1, local_learning_rate=job.client_rate, local_batch_size=job.batch_size
        ),
        callbacks=[clock],
        send_metrics_to_platform=False,
    )
    ticks = clock.ticks[WARM_UP - 1 :]
    seconds = [after[0] - before[0] for before, after in pairwise(ticks)]
    counts = [after[1] - before[1] for before, after in pairwise(ticks)]
    totals = torch.tensor([*counts, peak_rss_mib()], dtype=torch.float64)
    if processes > 1:
        torch.distributed.all_reduce(totals)
        # pfl leaves its process group open; gloo's threads then abort some processes at their exit.
        torch.distributed.destroy_process_group()
    *samples, memory = totals.tolist()
    return seconds, [int(count) for count in samples], memory


if __name__ == "__main__":
    main()
