"""What the probes cost: runs of the demo with and without them, in turn, one by one and at once.
Prints JSON.

python benchmarks/probes.py [repetitions]
"""

import json
import statistics
import sys
import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

from headstart.engine.federation import begin
from headstart.kernels.threads import torch_threads
from headstart.probes.base import PROBES
from headstart.study.federations import federation_of
from headstart.study.groups import Group, groups_of
from headstart.study.rounds import Progress, rounds_of
from headstart.study.spec import Study


def seconds(group: Group) -> float:
    """The CPU time of runs in memory, from their start weights to their last round."""
    federations = [federation_of(run) for run in group]
    probes = [
        [PROBES.build(probe, fed) for probe in run.probes]
        for run, fed in zip(group, federations, strict=True)
    ]
    under_way = {}
    for i, federation in enumerate(federations):
        under_way[i] = Progress(begin(federation, federation.network.initial(federation.seed)))
    began = time.process_time()
    for _ in rounds_of(federations, under_way, group[0].rounds, group[0].every, probes):
        pass
    return time.process_time() - began


def compared(group: Group, repetitions: int) -> dict[str, object]:
    """The group with its probes over the group without any."""
    bare = tuple(replace(run, probes=()) for run in group)
    seconds(group)
    pairs = [(seconds(group), seconds(bare)) for _ in range(repetitions)]
    ratios = sorted(probed / without for probed, without in pairs)
    return {
        "runs_at_once": len(group),
        "seconds_with_probes": statistics.median(probed for probed, _ in pairs),
        "seconds_without": statistics.median(without for _, without in pairs),
        "ratio_median": statistics.median(ratios),
        "ratio_quartiles": [ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]],
    }


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with resources.as_file(resources.files("headstart") / "studies" / "demo.yaml") as path:
        group = max(groups_of(Study.load(Path(path)).runs), key=len)
    with torch_threads(1):
        print(json.dumps([compared(some, repetitions) for some in (group[:1], group)], indent=1))


if __name__ == "__main__":
    main()
