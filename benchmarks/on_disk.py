"""What clients on disk cost: makes data sets of two numbers of clients in a temporary folder and
prints JSON figures.

    python benchmarks/on_disk.py --clients 340000 --rows 10000000

Opens each in a process of its own. `open_seconds` is until the clients of the partition `natural`
are known, with files in the cache of the system; `resident_mib` is what that and the rounds take
beyond torch and Headstart as imported; a round is its plan and all of its batches, gathered; `cpu`
leaves out waiting for a core.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

WIDTH, CLASSES, COHORT, BATCH, ROUNDS = 16, 10, 10, 16, 200


def main() -> None:
    """Make, open, measure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--clients", type=int, default=340_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--folder", help="where the temporary folder is made")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measured(arguments.measure, arguments.clients)))
        return
    from headstart.tasks.own.on_disk import pack

    for factor in (100, 1):
        sizes = client_sizes(arguments.clients // factor, arguments.rows // factor)
        with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
            draw = np.random.Generator(np.random.Philox(key=1))
            test = (
                draw.standard_normal((1000, WIDTH), dtype=np.float32),
                draw.integers(0, CLASSES, 1000),
            )
            began = time.perf_counter()
            folder = pack(Path(place) / "data", rows_of(sizes, draw), test=test, outputs=CLASSES)
            pack_seconds = round(time.perf_counter() - began, 1)
            command = [
                sys.executable,
                __file__,
                "--measure",
                str(folder),
                "--clients",
                str(len(sizes)),
            ]
            figures = json.loads(
                subprocess.run(command, capture_output=True, text=True, check=True).stdout
            )
            rows = {
                "rows": int(sizes.sum()),
                "largest": int(sizes.max()),
                "pack_seconds": pack_seconds,
            }
            print(json.dumps({"clients": len(sizes), **rows, **figures}))


def client_sizes(clients: int, rows: int) -> np.ndarray:
    """Log-normal sizes (sigma 1, at most 1,000 before rounding up) that sum to `rows`."""
    draw = np.random.Generator(np.random.Philox(key=0))
    weights = np.minimum(draw.lognormal(0, 1, clients), 30)
    sizes = 1 + np.floor(weights / weights.sum() * (rows - clients)).astype(np.int64)
    return sizes + np.bincount(draw.integers(0, clients, rows - sizes.sum()), minlength=clients)


def rows_of(
    sizes: np.ndarray, draw: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Random rows of each client."""
    for size in sizes:
        yield draw.standard_normal((size, WIDTH), dtype=np.float32), draw.integers(0, CLASSES, size)


def measured(folder: str, clients: int) -> dict[str, float]:
    """Open the folder and go through the plans and batches of some rounds."""
    import torch

    from headstart.engine.devices import DEVICES
    from headstart.engine.plan import PAD, Schedule, plan
    from headstart.study.data import task_of
    from headstart.study.federations import clients_of
    from headstart.tasks.base import PARTITIONS, TASKS

    written = TASKS.component({"on-disk": {"path": folder}})
    natural = PARTITIONS.component("natural")  # imports what it names
    schedule = Schedule(
        COHORT, 1, BATCH, "minibatch", "samples", DEVICES.build(DEVICES.component("equal"))
    )
    torch.ones(2).sum()
    before, began = resident_mib(), time.perf_counter()
    task, population = task_of(written), clients_of(written, natural, clients, 0)
    opened = time.perf_counter() - began
    seconds, computing = [], []
    for round_ in range(1, ROUNDS + 1):
        began, busy = time.perf_counter(), time.process_time()
        rows_KSB = torch.as_tensor(plan(0, round_, population, schedule).rows_KSB)
        for rows_KB in rows_KSB.unbind(1):
            rows_KB = rows_KB.where(rows_KB != PAD, 0)
            _ = task.train.inputs[rows_KB], task.train.targets[rows_KB]
        seconds.append(time.perf_counter() - began)
        computing.append(time.process_time() - busy)
    return {
        "open_seconds": round(opened, 3),
        "resident_mib": round(resident_mib() - before, 1),
        "round_ms_median": round(1e3 * float(np.median(seconds)), 2),
        "round_ms_95": round(1e3 * float(np.quantile(seconds, 0.95)), 2),
        "round_cpu_ms_95": round(1e3 * float(np.quantile(computing, 0.95)), 2),
        "round_cpu_ms_max": round(1e3 * max(computing), 2),
        "round_ms_first": round(1e3 * seconds[0], 2),
    }


def resident_mib() -> float:
    """The memory of this process that is in use now, pages of mapped files among them."""
    line = next(
        line
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
