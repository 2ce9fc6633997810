"""The command line that all peers share, and the JSON line that each prints.
Standard library only.
"""

import argparse
import json
import os
import resource
import statistics
from pathlib import Path

from jobs import JOBS

WARM_UP = 3
"""Rounds that are not counted: compilation, allocation and worker start-up happen in them (at least
2).
"""


def parser(doc: str | None, devices: bool = False) -> argparse.ArgumentParser:
    """JOB, --rounds, and --device where the peer runs on `devices`;
    a script may add what it needs.
    """
    arguments = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("job", choices=JOBS)
    arguments.add_argument(
        "--rounds", type=int, default=5, help="rounds that are measured, after the warm-up"
    )
    if devices:
        arguments.add_argument("--device", default="cpu", help="cpu or cuda")
    return arguments


def report(
    peer: str, version: str, job: str, seconds: list[float], samples: list[int], **more: object
) -> None:
    """Print one JSON line.

    Args:
        peer, version, job: what was measured.
        seconds: wall time of each measured round.
        samples: rows that went through a gradient in each of these rounds.
        more: further fields (settings of the peer).

    Speeds are means over the rounds, as in `headstart bench`.
    """
    line = {
        "peer": peer,
        "version": version,
        "job": job,
        "samples_per_second": round(sum(samples) / sum(seconds), 1),
        "seconds_per_round": round(statistics.mean(seconds), 6),
        "rounds": len(seconds),
        "peak_rss_mib": round(peak_rss_mib(), 1),
        "samples_per_round": round(statistics.mean(samples), 1),
        **more,
    }
    print(json.dumps(line), flush=True)


def peak_rss_mib() -> float:
    """Peak resident memory of this process and its living descendants, MiB: the sum of their own
    peaks.

    Pages that processes share are counted in each. Outside Linux: of this process only.
    """
    try:
        return sum(_high_water_kib(process) for process in _family(os.getpid())) / 1024
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _family(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it ended meanwhile
                continue
            children.setdefault(parent, []).append(int(entry.name))
    family = [root]
    for process in family:
        family.extend(children.get(process, []))
    return family


def _high_water_kib(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:  # it ended meanwhile
        return 0
    return next(
        (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0
    )
