"""What stands below the panels: what differed between starts, how it was run, what diverged, what is missing."""

import platform
from collections import Counter
from importlib import metadata
from typing import Any

import headstart
from headstart.report.appendix import tuning as trials
from headstart.report.appendix.tuning import at_an_end
from headstart.report.measures.learning import hardly
from headstart.report.runs.cells import ALL
from headstart.report.runs.grid import Study
from headstart.report.words.numbers import count, listed
from headstart.report.words.table import Table

PLAIN = (
    "name", "task", "model", "starts", "population", "cohort", "batch_size", "rounds", "weighting", "target_accuracy",
    "seeds", "evaluate_on", "executor",
)  # fmt: skip


def settings(study: Study) -> list[tuple[str, str]]:
    """The study's plain settings, then what the runs add up to."""
    given = study.results.settings
    rows = [(key.replace("_", " "), _text(given[key])) for key in PLAIN if given.get(key) is not None]
    runs = study.results.runs
    rows += [("data", data) for data in sorted({run.data for run in runs if run.data})]
    begun = {run.start: run.begun_with for run in runs if run.begun_with}
    rows += [("start", f"{start}: {said}") for start, said in begun.items()]
    rows.append(("base setting", str(study.base)))
    diverged = sum(not run.finished for run in runs)
    rows.append(("runs", f"{len(runs)}, of which {diverged} diverged"))
    failed = list(study.results.failed.values())
    for why in sorted(set(failed)):
        rows.append(("runs that failed", f"{failed.count(why)}, and are not in the numbers: {why}"))
    for name, attribute in (("time of computing", "seconds"), ("simulated time", "simulated_seconds")):
        total = sum(getattr(run, attribute) or 0 for run in runs)
        rows.append((name, f"{total:,.0f} s, added up over all runs (several are computed at the same time)"))
    days = sorted({run.ended[:10] for run in runs if run.ended})
    rows.append(("run on", ", ".join(sorted({run.machine for run in runs if run.machine})) or "not recorded"))
    rows.append(("with torch", ", ".join(sorted({run.torch for run in runs if run.torch})) or "not recorded"))
    rows.append(("runs ended", " to ".join(dict.fromkeys((days[0], days[-1]))) if days else "not recorded"))
    executors = sorted({run.executor for run in runs if run.executor})
    sizes = sorted({run.parameters for run in runs if run.parameters})
    rows.append(("executors used", ", ".join(executors) or "not recorded"))
    by_loop = [run.executor_fallback for run in runs if run.executor_fallback]
    for why in sorted(set(by_loop)):
        rows.append(("computed by loop instead", f"{by_loop.count(why)} of {len(runs)} runs: {why}"))
    rows.append(("parameters", ", ".join(f"{size:,}" for size in sizes) or "not recorded"))
    versions = [f"headstart {headstart.__version__}", f"Python {platform.python_version()}"]
    versions += [f"{name} {metadata.version(name)}" for name in ("numpy", "scipy", "pyarrow", "matplotlib")]
    return [*rows, ("report written with", ", ".join(versions))]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{k}: {_text(v)}" for k, v in value.items())
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else str(value)


def differed(study: Study) -> tuple[Table | None, int]:
    """Rates and parameters by start where they are not the same, and how many pair x setting rows are the same."""
    columns: dict[str, list[Any]] = {"pair": [], "setting": []} | {start: [] for start in study.starts}
    same = 0
    for pair, setting in dict.fromkeys((pair, setting) for _, pair, setting in study.cells):
        used = {}
        for start in study.starts:
            cell = study.cells.get((start, pair, setting))
            if cell:
                run = cell.runs[0]
                used[start] = f"client {run.client_rate:g}, server {run.server_rate:g}"
                used[start] += "".join(f", {name}" for name in (run.client, run.server) if name not in pair)
        if len(used) > 1 and len(set(used.values())) == 1:
            same += 1
        elif len(used) > 1:
            row = (str(pair), str(setting), *(used.get(start, "not run") for start in study.starts))
            for column, item in zip(columns.values(), row, strict=True):
                column.append(item)
    table = Table("differed", "Rates that differ between starts", columns) if columns["pair"] else None
    return table, same


def trained(study: Study) -> str:
    """Which weights were trained from which start, where it was not all of them from every start; else empty."""
    parts = {
        start: listed(dict.fromkeys(r.trainable for r in study.results.runs if r.start == start))
        for start in study.starts
    }
    if set(parts.values()) == {ALL}:
        return ""
    if len(set(parts.values())) == 1:
        return f"From every start the same weights were trained: {parts[study.starts[0]]}."
    each = "; ".join(f"{names} from {start}" for start, names in parts.items())
    return f"Starts differ in which weights were trained: {each}. They are compared only where it was the same."


def rates(study: Study) -> Table | None:
    """Every rate that was tried, where a cell was run at several; the one that the panels use is marked."""
    names = ("start", "pair", "setting", "client rate", "server rate", "accuracy", "seeds", "diverged runs", "used")
    columns: dict[str, list[Any]] = {name: [] for name in names}
    for (start, pair, setting), cells in study.rates.items():
        for i, cell in enumerate(cells if len(cells) > 1 else ()):
            run = cell.runs[0]
            row = (
                start,
                str(pair),
                str(setting),
                run.client_rate,
                run.server_rate,
                cell.mean if cell.accuracy else None,
            )
            for column, item in zip(columns.values(), (*row, len(cell.runs), cell.diverged, i == 0), strict=True):
                column.append(item)
    return Table("rates", "All rates that were tried", columns, frozenset(("accuracy",))) if columns["pair"] else None


def edges(study: Study) -> list[str]:
    """A warning for each rate whose best value is the least or the largest that was tried, over the base setting."""
    found: dict[str, list[str]] = {"client rate": [], "server rate": []}
    for (start, pair, setting), cells in study.rates.items():
        for name, at in found.items() if setting == study.base else ():
            tried = [getattr(cell.runs[0], name.replace(" ", "_")) for cell in cells]
            if min(tried) < max(tried) and tried[0] in (min(tried), max(tried)):
                at.append(f"{pair} from {start}")
    return [at_an_end(name, at) for name, at in found.items() if at]


def lost(study: Study) -> dict[str, int]:
    """How many runs have no result, by what came of them: diverged, failed."""
    counts = Counter(run.status for run in study.results.runs if not run.finished)
    counts["failed"] += len(study.results.failed)
    return {status: counts[status] for status in sorted(counts) if counts[status]}


def failures(study: Study) -> str:
    """One line where runs failed, and why; empty where none did."""
    why = Counter(study.results.failed.values())
    told = listed(f"{count(n, 'run')} ({reason})" for reason, n in why.items())
    return f"Not in the numbers, as they failed: {told}." if told else ""


def diverged(study: Study) -> Table | None:
    """The runs that have a row and did not finish."""
    lost = [run for run in study.results.runs if not run.finished]
    fields = (
        "start", "trainable", "client", "server", "partition", "devices", "local_epochs", "client_rate", "server_rate",
        "seed", "status", "diverged_at",
    )  # fmt: skip
    columns = {name.replace("_", " "): [getattr(run, name) for run in lost] for name in fields}
    statuses = " or ".join(sorted({run.status for run in lost}))
    return Table("diverged", f"Runs that {statuses}", columns) if lost else None


def missing(study: Study) -> str:
    """One line where runs of the study have not ended, or where cells lack seeds or starts; empty where it is whole."""
    given = study.results.settings.get("seeds")
    seeds = set(given) if isinstance(given, list) and all(isinstance(s, int) for s in given) else set(study.seeds)
    short = sum(len(seeds - {run.seed for run in cell.runs}) for cell in study.cells.values())
    lone = len({(pair, s) for _, pair, s in study.cells}) * len(study.starts) - len(study.cells)
    ended, planned = len(study.results.runs), study.results.planned
    if planned is not None and ended < planned:
        parts = [f"{ended} of {count(planned, 'run')} have ended"]
    else:
        parts = [f"{count(short, 'run')} of other seeds {'is' if short == 1 else 'are'} missing"] if short else []
        parts += [f"{count(lone, 'combination')} of start, pair and setting without any run"] if lone else []
    said = "Not every start has all runs" if planned == ended else "This study is not complete"
    compared = "Pairs are compared where every start has them." + short_pairs(study)
    return f"{said}: {listed(parts)}. {compared}" if parts else ""


def short_pairs(study: Study) -> str:
    """The pairs of the base setting that are not ranked or averaged, for they lack seeds that others have."""
    kept = study.comparable()
    short = [
        f"{pair} ({count(len(study.common_seeds(pair, [study.base])), 'seed')})"
        for pair in study.pairs()
        if pair not in kept
    ]
    return f" Left out of ranks and means, for fewer seeds from every start: {listed(short)}." if short else ""


def unmeasured(study: Study) -> str:
    """One line where no run has an accuracy though none of them diverged."""
    return "" if study.measured else "Accuracy was not measured: add the probe evaluation to the study file."


def few_seeds(study: Study) -> str:
    """One line where there are too few seeds for an interval, or for one that is of use."""
    return {
        1: "One seed gives no interval, so nothing here is decided: run three or more.",
        2: "Two seeds give very wide intervals (one degree of freedom): run three or more.",
    }.get(len(study.seeds), "")


def unlearned(study: Study) -> list[str]:
    """A line for each start from which accuracy has hardly moved by the end: what the panels compare is then that."""
    found = [(start, hardly(study, start)) for start in study.starts]
    return [
        f"{said[:1].upper()}{said[1:]}. Comparisons with {start} say no more than that."
        for start, said in found
        if said
    ]


def cautions(study: Study) -> list[str]:
    """What stands beside a verdict outside its own page: nothing that limits it is dropped in silence."""
    tuned, runs = trials.tuning(study), count(len(study.results.runs), "run")
    diverged = lost(study).get("diverged", 0)
    fell = f"{diverged} of {runs} diverged" if diverged else ""
    fell += "; a pair with one has no mean and ranks last." if fell else ""
    said = [unmeasured(study), few_seeds(study), missing(study), *unlearned(study), fell, failures(study)]
    return [*filter(None, said), *(tuned.warnings if tuned else []), *edges(study)]
