"""How a study divides over processes: the demo with one and with several, in turn. Prints JSON.

    python benchmarks/jobs.py [repetitions] [processes]

`ratio` is of the seconds that the whole command takes: start-up, pre-training, the runs and the page.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    processes = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    took = [(seconds(1), seconds(processes)) for _ in range(repetitions)]
    ratios = [one / several for one, several in took]
    print(
        json.dumps(
            {
                "processes": processes,
                "seconds_with_one": statistics.median(one for one, _ in took),
                "seconds_with_several": statistics.median(several for _, several in took),
                "ratio": statistics.median(ratios),
                "ratio_least_and_largest": [min(ratios), max(ratios)],
            },
            indent=1,
        )
    )


def seconds(processes: int) -> float:
    """What `headstart demo` takes in a folder of its own."""
    headstart = Path(sys.executable).parent / "headstart"
    with tempfile.TemporaryDirectory() as folder:
        command = [headstart, "demo", "--out", Path(folder) / "demo", "--jobs", str(processes)]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return time.perf_counter() - began


if __name__ == "__main__":
    main()
