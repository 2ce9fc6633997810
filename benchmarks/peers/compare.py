"""Headstart against its peers, side by side: alternating processes, medians, ratios with their
spread.

    python benchmarks/peers/compare.py [JOB ...] --repetitions 5 --rounds 5 --out results --into
    docs/performance.md

On a card: --device cuda, after `CUDA=1 setup.sh`; the peers that are set up for the CPU alone are
then left out.

Each repetition runs every contender once, in turn (A B C A B C ...), so that a change of the
machine's load meets all of them; a ratio is taken within a repetition and its spread is the least
and the largest. Writes OUT.json and OUT.md, prints the Markdown, and puts it into a page between
its marks. A contender that is not installed or fails is left out of the table and named below it.
Standard library and numpy only; run `setup.sh` first.
"""

import argparse
import datetime
import json
import os
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import textwrap
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from jobs import JOBS

HERE = Path(__file__).resolve().parent
VENVS = Path(os.environ.get("VENVS", HERE / ".venvs")).absolute()
"""Where `setup.sh` was told to put the peers."""
US = "Headstart"
OURS = {"digits-mlp": "stacked(compiled=True)", "femnist-cnn": "threads(compiled=True)"}
"""The executor for each job; of the others `processes(compiled=True)`."""
MORE_ROUNDS = {"digits-mlp": 40}
"""So many times the rounds asked for: one takes milliseconds."""
MARKS = "<!-- begin compare.py -->", "<!-- end compare.py -->"
BASELINE = "bare torch loop"
WHOLE_WORDS: Any = {"break_long_words": False, "break_on_hyphens": False}


@dataclass(frozen=True)
class Contender:
    """A column of the table, and one of the commands that may fill it;
    the job follows the command's second word.
    """

    column: str
    command: tuple[str, ...]
    on_a_card: bool = True
    """Whether it takes --device."""

    @property
    def name(self) -> str:
        """The column and the options that set this command apart."""
        return " ".join(
            [self.column, *(word for word in self.command[2:] if not word.startswith("/"))]
        )


PEERS = [
    Contender(BASELINE, (str(VENVS / "pfl/bin/python"), str(HERE / "bare_torch.py"))),
    Contender("pfl-research", (str(VENVS / "pfl/bin/python"), str(HERE / "pfl_research.py"))),
    Contender(
        "pfl-research",
        (str(VENVS / "pfl/bin/python"), str(HERE / "pfl_research.py"), "--processes", "2"),
    ),
    Contender(
        "FedJAX", (str(VENVS / "fedjax/bin/python"), str(HERE / "fedjax_peer.py")), on_a_card=False
    ),
    Contender(
        "Flower", (str(VENVS / "flower/bin/python"), str(HERE / "flower_sim.py")), on_a_card=False
    ),
]


def main() -> None:
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument(
        "jobs", nargs="*", metavar="JOB", help=f"of {', '.join(JOBS)} (default: all)"
    )
    arguments.add_argument("--repetitions", type=int, default=5)
    arguments.add_argument("--rounds", type=int, default=5, help="measured rounds of each process")
    arguments.add_argument("--headstart", default=_default_headstart(), help="the command")
    arguments.add_argument(
        "--executor",
        action="append",
        help="of Headstart, may be repeated (default: the fastest known for the job)",
    )
    arguments.add_argument(
        "--precision", action="append", help="of Headstart, may be repeated (default: fp32)"
    )
    arguments.add_argument("--device", default="cpu", help="of those that take one (default: cpu)")
    arguments.add_argument(
        "--without", action="append", default=[], metavar="PEER", help="may be repeated"
    )
    arguments.add_argument(
        "--timeout", type=float, default=900.0, help="seconds that a process may take"
    )
    arguments.add_argument("--out", type=Path, help="writes OUT.json and OUT.md")
    arguments.add_argument(
        "--into", type=Path, help=f"a page; what stands between {MARKS[0]} and the end mark goes"
    )
    options = arguments.parse_args()
    unknown = [job for job in options.jobs if job not in JOBS]
    if unknown:
        arguments.error(f"unknown job {unknown[0]!r}; there are {', '.join(JOBS)}")
    result = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "command": shlex.join([".venv/bin/python", "benchmarks/peers/compare.py", *sys.argv[1:]]),
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "python": platform.python_version()},
        "device": options.device,
        "load_before": os.getloadavg()[0],
        "repetitions": options.repetitions,
        "rounds": options.rounds,
        "jobs": {job: _compare(job, options) for job in options.jobs or JOBS},
    }
    text = markdown(result)
    if options.out:
        options.out.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(text)
    if options.into:
        before, begin, rest = options.into.read_text().partition(MARKS[0])
        _, end, after = rest.partition(MARKS[1])
        if not begin or not end:
            arguments.error(f"{options.into} has no {MARKS[0]} ... {MARKS[1]}")
        options.into.write_text(f"{before}{begin}\n{text}{end}{after}")
    print(text)


def _compare(job: str, options: argparse.Namespace) -> dict[str, Any]:
    contenders = [
        *_ours(job, options),
        *(peer for peer in PEERS if peer.column not in options.without),
    ]
    lines: dict[str, list[dict[str, Any]]] = {contender.name: [] for contender in contenders}
    on_cpu = options.device == "cpu"
    failures = {
        c.name: "is set up for the CPU alone" for c in contenders if not on_cpu and not c.on_a_card
    }
    for repetition in range(options.repetitions):
        for contender in contenders:
            if contender.name in failures:
                continue
            line = _run(contender, job, options)
            if isinstance(line, str):
                failures[contender.name] = line
            else:
                lines[contender.name].append(line)
                speed = line["samples_per_second"]
                print(
                    f"{job} {repetition + 1}/{options.repetitions} {contender.name}: {speed:,.0f}",
                    file=sys.stderr,
                )
    whole = {name: runs for name, runs in lines.items() if name not in failures}
    summary = {name: _summary(runs) for name, runs in whole.items()}
    columns = {contender.name: contender.column for contender in contenders}
    return {
        "job": asdict(JOBS[job]),
        "contenders": {
            name: {"column": columns[name], **values} for name, values in summary.items()
        },
        "failures": failures,
        "ratios": {
            ours: {
                theirs: _ratio(whole[ours], whole[theirs])
                for theirs in whole
                if not columns[theirs].startswith(US)
            }
            for ours in whole
            if columns[ours].startswith(US)
        },
    }


def _ours(job: str, options: argparse.Namespace) -> list[Contender]:
    contenders = []
    for precision in options.precision or [None]:
        for executor in options.executor or [OURS.get(job, "processes(compiled=True)")]:
            command = [options.headstart, "bench", "--executor", executor]
            command += ["--precision", precision] if precision else []
            contenders.append(Contender(f"{US} {precision}" if precision else US, tuple(command)))
    return contenders


def _run(contender: Contender, job: str, options: argparse.Namespace) -> dict[str, Any] | str:
    """The JSON line of one process, or what went wrong."""
    ours = contender.column.startswith(US)
    program, script, *more = contender.command
    command = [
        program,
        script,
        job,
        *more,
        "--rounds",
        str(_rounds(job, options)),
        *(["--json"] if ours else []),
    ]
    command += ["--device", options.device] if contender.on_a_card else []
    # Everybody chooses their own threads, and femnist-cnn has log-normal client sizes on both
    # sides: what the caller's shell sets for tests would change some contenders and not others.
    unset = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "HEADSTART_DATA")
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    try:
        # A session of its own, so that the workers of a simulator that takes too long end with it.
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
    except FileNotFoundError:
        return f"{Path(program).name} is not installed"
    try:
        printed, errors = process.communicate(timeout=options.timeout)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"not done in {options.timeout:g} s"
    if process.returncode:
        return (errors.strip().splitlines() or [f"exit status {process.returncode}"])[-1]
    try:
        return json.loads(printed.strip().splitlines()[-1])
    except (ValueError, IndexError):
        return f"printed no JSON: {printed.strip()[-200:]!r}"


def _rounds(job: str, options: argparse.Namespace) -> int:
    return options.rounds * MORE_ROUNDS.get(job, 1)


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    speeds = [run["samples_per_second"] for run in runs]
    return {
        "version": runs[0].get("version") or f"{runs[0].get('executor', 'unknown')} executor",
        "samples_per_second": {
            "median": statistics.median(speeds),
            "min": min(speeds),
            "max": max(speeds),
        },
        "seconds_per_round": statistics.median(run["seconds_per_round"] for run in runs),
        "peak_rss_mib": statistics.median(run["peak_rss_mib"] for run in runs),
        "runs": runs,
    }


def _ratio(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> dict[str, float]:
    """Our speed over theirs: the median of the repetitions' ratios, the least and the largest."""
    ratios = [
        a["samples_per_second"] / b["samples_per_second"] for a, b in zip(ours, theirs, strict=True)
    ]
    return {"median": statistics.median(ratios), "min": min(ratios), "max": max(ratios)}


def markdown(result: dict[str, Any]) -> str:
    """The tables for docs/performance.md: speeds, then ratios of us to each peer's fastest
    command.
    """
    jobs = result["jobs"]
    columns = list(
        dict.fromkeys(c["column"] for job in jobs.values() for c in job["contenders"].values())
    )
    best = {name: {column: _best(job, column) for column in columns} for name, job in jobs.items()}
    machine = result["machine"]
    text = [
        f"Measured {result['date']} on {machine['cpu']}, {machine['cores']} cores, device "
        f"{result['device']}, Python {machine['python']}: the median of {result['repetitions']} "
        f"alternating processes, load average before {result['load_before']:.1f}. The command that "
        "repeats it:",
        "",
        "```",
        " \\\n    ".join(textwrap.wrap(result["command"], 94, **WHOLE_WORDS)),
        "```",
        "",
        *(
            f"Of {name} {MORE_ROUNDS[name]} times as many rounds: one takes milliseconds.\n"
            for name in jobs
            if name in MORE_ROUNDS
        ),
        "Samples trained per second:",
        "",
        *_table(
            ["job", *columns],
            [
                [name, *(_speed(job, best[name][column]) for column in columns)]
                for name, job in jobs.items()
            ],
        ),
    ]
    for ours in [column for column in columns if column.startswith(US)]:
        theirs = [column for column in columns if not column.startswith(US)]
        rows = []
        for name, job in jobs.items():
            ratios = job["ratios"].get(best[name][ours], {})
            rows.append([name, *(_ratio_text(ratios.get(best[name][column])) for column in theirs)])
        text += [
            "",
            f"{ours} over each, as ratios within a repetition (least to largest):",
            "",
            *_table(["job", *theirs], rows),
        ]
    text += [
        "",
        "Peak memory of all processes of each, MiB, in brackets over the bare loop's:",
        "",
        *_table(
            ["job", *columns],
            [
                [name, *(_memory(job, best[name][c], best[name].get(BASELINE)) for c in columns)]
                for name, job in jobs.items()
            ],
        ),
    ]
    versions = sorted(
        {
            f"{c['column']} {c['version']}"
            for job in jobs.values()
            for c in job["contenders"].values()
            if c["version"]
        }
    )
    text += [
        "",
        f"Versions: {'; '.join(versions)}.",
        "Each column has the fastest of its commands:",
        "",
    ]
    for name, job in jobs.items():
        text.append(f"- {name}: {'; '.join(winner for winner in best[name].values() if winner)}")
        text += [
            f"  - {contender} did not run: {reason}"
            for contender, reason in job["failures"].items()
        ]
    return "\n".join(text) + "\n"


def _best(job: dict[str, Any], column: str) -> str | None:
    speeds = {
        n: c["samples_per_second"]["median"]
        for n, c in job["contenders"].items()
        if c["column"] == column
    }
    return max(speeds, key=speeds.__getitem__, default=None)


def _speed(job: dict[str, Any], name: str | None) -> str:
    return f"{job['contenders'][name]['samples_per_second']['median']:,.0f}" if name else "-"


def _memory(job: dict[str, Any], name: str | None, baseline: str | None) -> str:
    if not name:
        return "-"
    memory = job["contenders"][name]["peak_rss_mib"]
    if not baseline or name == baseline:
        return f"{memory:,.0f}"
    return f"{memory:,.0f} ({memory / job['contenders'][baseline]['peak_rss_mib']:.2f})"


def _ratio_text(ratio: dict[str, float] | None) -> str:
    return f"{ratio['median']:.2f} ({ratio['min']:.2f} to {ratio['max']:.2f})" if ratio else "-"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in [head, ["---", *["---:"] * (len(head) - 1)], *rows]]


def _default_headstart() -> str:
    installed = Path(sys.executable).parent / "headstart"
    return str(installed) if installed.is_file() else "headstart"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


if __name__ == "__main__":
    main()
