"""What the probes cost: runs of the demo with and without them, in turn. Prints JSON.

python benchmarks/probes.py [repetitions]
"""

import json
import statistics
import sys
import time
from dataclasses import replace
from importlib import resources
from pathlib import Path

from headstart.engine.rounds import begin
from headstart.probes.base import PROBES
from headstart.study.federations import federation_of, one_thread
from headstart.study.run import Progress, carry_out
from headstart.study.spec import RunSpec, Study


def seconds(run: RunSpec) -> float:
    """The wall time of a run in memory, from its start weights to its last round."""
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    progress = Progress(begin(federation, federation.network.initial(run.seed)))
    began = time.perf_counter()
    carry_out(federation, progress, run.rounds, run.every, probes)
    return time.perf_counter() - began


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with resources.as_file(resources.files("headstart") / "studies" / "demo.yaml") as path:
        run = Study.load(Path(path)).runs[0]
    bare = replace(run, probes=())
    with one_thread():
        seconds(run)
        pairs = [(seconds(run), seconds(bare)) for _ in range(repetitions)]
    ratios = sorted(probed / without for probed, without in pairs)
    print(
        json.dumps(
            {
                "run": str(run),
                "seconds_with_probes": statistics.median(probed for probed, _ in pairs),
                "seconds_without": statistics.median(without for _, without in pairs),
                "ratio_median": statistics.median(ratios),
                "ratio_quartiles": [ratios[len(ratios) // 4], ratios[3 * len(ratios) // 4]],
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
