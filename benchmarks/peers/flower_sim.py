"""Flower (PyPI `flwr[simulation]`): FedAvg in its simulation runtime on Ray,
one actor with one torch thread a core.
"""

import os
import time
from importlib.metadata import version
from itertools import pairwise

os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import logging

import torch
from flower_client import app as client_app
from flwr.app import ArrayRecord, ConfigRecord, Context, Message, MetricRecord
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation
from jobs import JOBS
from measure import WARM_UP, parser, peak_rss_mib, report
from torch_models import build


class CountingFedAvg(FedAvg):
    """FedAvg that also notes how many samples the clients of each round report."""

    def __init__(self, fraction_train: float) -> None:
        super().__init__(fraction_train=fraction_train, fraction_evaluate=0.0)
        self.samples: list[int] = []

    def aggregate_train(
        self, server_round: int, replies: list[Message]
    ) -> tuple[ArrayRecord | None, MetricRecord | None]:
        replies = list(replies)
        failed = [reply.error.reason for reply in replies if reply.has_error()]
        if failed:
            raise RuntimeError(f"{len(failed)} clients failed, the first: {failed[0]}")
        self.samples.append(sum(int(reply.content["metrics"]["num-examples"]) for reply in replies))
        return super().aggregate_train(server_round, replies)


def main() -> None:
    options = parser(__doc__).parse_args()
    job = JOBS[options.job]
    logging.getLogger("flwr").setLevel(logging.WARNING)
    torch.manual_seed(0)
    clients = len(job.sizes())
    # FedAvg truncates clients * fraction: half a client keeps rounding from losing one.
    strategy = CountingFedAvg((job.cohort + 0.5) / clients)
    ticks: list[float] = []
    memory = 0.0

    def tick(server_round: int, arrays: ArrayRecord) -> None:
        """Stands where a central evaluation would: called before the first and after each round."""
        nonlocal memory
        if server_round == WARM_UP + options.rounds:
            # While the actors live; it takes milliseconds, and less than a round's jitter.
            memory = peak_rss_mib()
        ticks.append(time.perf_counter())

    server_app = ServerApp()

    @server_app.main()
    def serve(grid: Grid, context: Context) -> None:
        strategy.start(
            grid=grid,
            initial_arrays=ArrayRecord(build(job).state_dict()),
            num_rounds=WARM_UP + options.rounds,
            train_config=ConfigRecord({"job": options.job}),
            evaluate_fn=tick,
        )

    run_simulation(
        server_app=server_app,
        client_app=client_app,
        num_supernodes=clients,
        backend_config={
            "init_args": {
                "num_cpus": os.cpu_count(),
                "include_dashboard": False,
                "log_to_driver": False,
            },
            "client_resources": {"num_cpus": 1, "num_gpus": 0.0},
        },
    )
    seconds = [after - before for before, after in pairwise(ticks)]
    versions = f"{version('flwr')}, ray {version('ray')}"
    report(
        "Flower",
        versions,
        options.job,
        seconds[WARM_UP:],
        strategy.samples[WARM_UP:],
        actors=os.cpu_count(),
        peak_rss_mib=round(memory, 1),
    )


if __name__ == "__main__":
    main()
