"""What a Ray cluster costs and gives, on nodes of one core each of this machine. Prints JSON.

    python benchmarks/cluster.py overhead|nodes|memory|event [number]

overhead: milliseconds of the processor that each of so many runs costs more on a node than here.
nodes: how many times as fast two nodes are as one, with so many runs.
memory: MiB of driver and workers after each fifth of so many tiny runs.
event: milliseconds of the driver for each of so many events, with nothing computed.

The clock begins with the first run that ends: the start of Ray and of its workers is not counted.
`load` is that of the machine before and after: where others compute, ratios are less than the
cluster gives.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from headstart.child_processes import IsStopping
from headstart.study.events import Event, Tried
from headstart.study.groups import Group
from headstart.study.places.opening import THIS_MACHINE, On, opened
from headstart.study.places.pace import Advance
from headstart.study.runner import run_study
from headstart.study.spec import Study


def main() -> None:
    asked, *rest = sys.argv[1:]
    number = int(rest[0]) if rest else None
    before = os.getloadavg()[0]
    found = {"overhead": overhead, "nodes": nodes, "memory": memory, "event": event}[asked](number)
    print(json.dumps({asked: found, "load": [before, os.getloadavg()[0]]}, indent=1))


def overhead(runs: int | None) -> dict[str, float]:
    """Of runs of one round, which cost little but what every run costs, one after the other."""
    study = study_of(runs or 100, rounds=1)
    here = processor_time(study, THIS_MACHINE)
    with cluster(1) as address:
        there = processor_time(study, On("ray", address))
    return {"here": 1000 * here, "ray": 1000 * there, "more": 1000 * (there - here)}


def processor_time(study: Study, on: On) -> float:
    """Seconds of the processor a run, of this process and of all of Ray's,
    after the first tenth.
    """
    spent: list[float] = []

    def watch(told: object) -> None:
        if isinstance(told, Advance):
            spent.append(time.process_time() + sum(map(seconds_of, processes())))

    with tempfile.TemporaryDirectory() as out:
        run_study(study, Path(out) / "out", 1, watch=watch, on=on)
    first = len(spent) // 10
    return (spent[-1] - spent[first]) / (len(spent) - 1 - first)


def nodes(runs: int | None) -> dict[str, float]:
    study, found = study_of(runs or 12, rounds=150), []
    for count in (1, 2):
        with cluster(count) as address:
            found.append(statistics.mean(between_ends(study, On("ray", address), count)))
    return {"one": found[0], "two": found[1], "times_as_fast": found[0] / found[1]}


def memory(runs: int | None) -> list[dict[str, float]]:
    study, found, ended = study_of(runs or 2000, rounds=1), [], 0

    def watch(told: object) -> None:
        nonlocal ended
        if isinstance(told, Advance):
            ended += 1
            if ended % (len(study.runs) // 5) == 0:
                found.append(
                    {
                        "runs": ended,
                        "driver": resident("self"),
                        "workers": sum(map(resident, processes(b"ray::"))),
                    }
                )

    with cluster(2) as address, tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        run_study(study, Path(out) / "out", 2, watch=watch, on=On("ray", address))
    return [*found, {"seconds": time.perf_counter() - began}]


def event(events: int | None) -> dict[str, float]:
    """Of trials without any content, each of which is a message of its own;
    rows go several together.
    """
    study, count = study_of(1, rounds=1), events or 2000
    item = tuple(study.runs)
    with (
        cluster(1) as address,
        tempfile.TemporaryDirectory() as out,
        opened(On("ray", address), study, 1, print) as place,
    ):
        stream = place.events([item], partial(tried, count), Path(out), lambda event: None, item)
        next(stream)
        began = time.process_time()
        told = sum(1 for _ in stream)
    return {"milliseconds": 1000 * (time.process_time() - began) / told}


def tried(count: int, out: Path, group: Group, is_stopping: IsStopping) -> Iterator[Event]:
    for i in range(count):
        yield Tried("search", i, {})


def study_of(runs: int, rounds: int) -> Study:
    keys: dict[str, Any] = {
        "task": "digits",
        "model": "mlp(hidden=[16])",
        "population": 10,
        "cohort": 3,
    }
    return Study(
        **keys, rounds=rounds, every=rounds, seeds=list(range(runs)), probes=["evaluation"]
    )


def between_ends(study: Study, on: On, jobs: int) -> list[float]:
    """Seconds between the ends of runs, but for the first of each worker, which imports torch."""
    ends: list[float] = []

    def watch(told: object) -> None:
        if isinstance(told, Advance):
            ends.append(time.perf_counter())

    with tempfile.TemporaryDirectory() as out:
        run_study(study, Path(out) / "out", jobs, watch=watch, on=on)
    return [after - before for before, after in pairwise(ends[jobs - 1 :])]


@contextmanager
def cluster(count: int) -> Iterator[str]:
    """The address of a cluster of so many nodes of one core."""
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 100 * 2**20}
    found = Cluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False, **small}
    )
    try:
        for _ in range(count):
            found.add_node(num_cpus=1, **small)
        yield found.address
    finally:
        found.shutdown()


def resident(process: str) -> float:
    """MiB that a process has in memory."""
    return (
        int(Path(f"/proc/{process}/statm").read_text().split()[1])
        * os.sysconf("SC_PAGE_SIZE")
        / 2**20
    )


def seconds_of(process: str) -> float:
    """Of the processor, that a process has spent."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def processes(begins: bytes = b"ray::|raylet|gcs_server") -> list[str]:
    """The processes of Ray: workers, and what runs on each node."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().partition(b"\0")[0]
        except OSError:
            continue
        if any(
            name in command.rpartition(b"/")[2] or command.startswith(name)
            for name in begins.split(b"|")
        ):
            found.append(path.parent.name)
    return found


if __name__ == "__main__":
    main()
