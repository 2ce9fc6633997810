"""How a study was run: its plain settings, what its runs add up to, and what wrote the report."""

import platform
from collections import Counter
from importlib import metadata
from typing import Any

import headstart
from headstart.report.runs.grid import Grid
from headstart.report.runs.records import Records

PLAIN = (
    "name", "task", "model", "starts", "population", "cohort", "batch_size", "rounds", "weighting",
    "target_accuracy", "seeds", "evaluate_on", "executor",
)  # fmt: skip
UNKNOWN = "not recorded"


def settings(grid: Grid) -> list[tuple[str, str]]:
    """The study's plain settings, then what the runs add up to, each with its name."""
    records, runs = grid.records, grid.records.runs
    rows = []
    for key in PLAIN:
        if records.settings.get(key) is not None:
            rows.append((key.replace("_", " "), _text(records.settings[key])))
    if records.names.meanings:
        rows.append(("names", "; ".join(records.names.meanings)))
    rows += [("data", data) for data in records.distinct("data")]
    rows += _begun(records)
    rows.append(("base setting", str(grid.base)))
    rows.append(("runs", f"{len(runs)}, of which {records.diverged} diverged"))
    for why, n in sorted(Counter(records.failed.values()).items()):
        rows.append(("runs that failed", f"{n}, and are not in the numbers: {why}"))
    rows.append(("time of computing", _added(records, "seconds")))
    rows.append(("simulated time", _added(records, "simulated_seconds")))
    rows.append(("run on", _values_of(records, "machine")))
    rows.append(("with torch", _values_of(records, "torch")))
    ended = records.distinct("ended")
    days = dict.fromkeys(text[:10] for text in ended[:1] + ended[-1:])
    rows.append(("runs ended", " to ".join(days) or UNKNOWN))
    rows.append(("executors used", _values_of(records, "executor")))
    for why, n in _by_loop(records):
        rows.append(("computed by loop instead", f"{n} of {len(runs)} runs: {why}"))
    sizes = map("{:,}".format, records.distinct("parameters"))
    rows.append(("parameters", ", ".join(sizes) or UNKNOWN))
    return [*rows, ("report written with", _versions())]


def _begun(records: Records) -> list[tuple[str, str]]:
    """What is told of the weights of each start, where something is."""
    said = {}
    for run in records.runs:
        if run.begun_with:
            said[run.start] = "start", f"{run.start}: {run.begun_with}"
    return list(said.values())


def _added(records: Records, column: str) -> str:
    """The seconds of a column of the runs, added up."""
    total = sum(getattr(run, column) or 0 for run in records.runs)
    return f"{total:,.0f} s, added up over all runs (several are computed at the same time)"


def _by_loop(records: Records) -> list[tuple[str, int]]:
    """Why runs were computed by the loop, and how many."""
    why = Counter(run.executor_fallback for run in records.runs)
    return sorted((text, n) for text, n in why.items() if text)


def _values_of(records: Records, column: str) -> str:
    return ", ".join(records.distinct(column)) or UNKNOWN


def _versions() -> str:
    versions = [f"headstart {headstart.__version__}", f"Python {platform.python_version()}"]
    for name in ("numpy", "scipy", "pyarrow", "matplotlib"):
        versions.append(f"{name} {metadata.version(name)}")
    return ", ".join(versions)


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_text(item)}" for key, item in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)
