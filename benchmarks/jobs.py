"""How a study divides over processes: the demo, with more seeds, by one process and by several, in
turn. Prints JSON.

    python benchmarks/jobs.py [repetitions] [processes] [seeds]

`study` is the whole command's time with one over that with several: start-up, pre-training, runs
and page. `machine` is the same for small matrix products that share nothing: what the cores give at
most, where they share a clock or a cache.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

import yaml

PRODUCTS = (
    "import torch; torch.set_num_threads(1); x = torch.ones(64, 64); [x @ x for _ in range({})]"
)
TOTAL = 400_000


def main() -> None:
    repetitions, processes, seeds = (
        int(given) for given in [*sys.argv[1:], *("3", "2", "9")[len(sys.argv) - 1 :]]
    )
    ratios: dict[str, list[float]] = {"study": [], "machine": []}
    for _ in range(repetitions):
        ratios["machine"].append(products(1) / products(processes))
        ratios["study"].append(study(1, seeds) / study(processes, seeds))
    found = {
        name: {"median": statistics.median(r), "least": min(r), "largest": max(r)}
        for name, r in ratios.items()
    }
    print(
        json.dumps(
            {"processes": processes, "seeds": seeds, "repetitions": repetitions, **found}, indent=1
        )
    )


def study(processes: int, seeds: int) -> float:
    """Seconds of the demo with so many seeds, in a folder of its own."""
    keys = yaml.safe_load(
        (resources.files("headstart") / "studies" / "demo.yaml").read_text(encoding="utf-8")
    )
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "study.yaml"
        file.write_text(yaml.safe_dump({**keys, "seeds": list(range(seeds))}))
        headstart = Path(sys.executable).parent / "headstart"
        return seconds(
            [[headstart, "run", file, "--out", Path(folder) / "out", "--jobs", str(processes)]]
        )


def products(processes: int) -> float:
    """Seconds of the same number of products, shared out."""
    return seconds([[sys.executable, "-c", PRODUCTS.format(TOTAL // processes)]] * processes)


def seconds(commands: list[list[object]]) -> float:
    """Until all of them have ended."""
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for command in commands
    ]
    if any(process.wait() for process in running):
        sys.exit(f"failed: {commands[0]}")
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
