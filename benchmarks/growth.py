"""What grows with a study: its rounds, its seeds, its rates, and the runs that are done already.

    python benchmarks/growth.py [rounds] [seeds] [rates] [done]

Each is measured at several sizes, each in a process of its own, and printed as JSON: seconds of
processor time, the peak of memory in MiB, and the exponents with which the seconds grow from size
to size (1 where they grow with the work; below, as long as what is done once counts).
"""

import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import yaml

from headstart import parquet_files, tables
from headstart.engine.measurements import Measurements
from headstart.report.pages.study_page import write
from headstart.study.folder.store import ROUNDS_FILE, WEIGHTS, Folder
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tables import STUDY_FILE

SIZES = {
    "rounds": (2_500, 5_000, 10_000, 20_000),
    "seeds": (50, 100, 200, 400),
    "rates": (500, 1000, 2000, 4000),
    "done": (1250, 2500, 5000),
}

KEYS = {
    "name": "growth",
    "task": "digits",
    "model": "mlp(hidden=[8])",  # 610 weights
    "starts": ["random"],
    "clients": ["sgd"],
    "servers": ["sgd"],
    "population": 10,
    "cohort": 2,
    "batch_size": 64,
    "rounds": 2,
    "every": 1,
    "seeds": [0],
    "executor": "stacked",
    "probes": ["evaluation", "distance"],
}


def main() -> None:
    """Measure what is asked for."""
    if len(sys.argv) == 4 and sys.argv[1] == "one":
        print(json.dumps(one(sys.argv[2], int(sys.argv[3]))))
        return
    found = {}
    for what in sys.argv[1:] or SIZES:
        figures = []
        for size in SIZES[what]:
            command = [sys.executable, __file__, "one", what, str(size)]
            said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
            figures.append({"size": size, **json.loads(said.splitlines()[-1])})
        found[what] = {"exponents": exponents(figures), "sizes": figures}
    print(json.dumps(found, indent=1))


def exponents(figures: list[dict[str, float]]) -> list[float]:
    """How the seconds grow from each size to the next."""
    found = []
    for small, large in itertools.pairwise(figures):
        grown = large["seconds"] / small["seconds"]
        found.append(round(math.log(grown) / math.log(large["size"] / small["size"]), 2))
    return found


def one(what: str, size: int) -> dict[str, float]:
    """One size of one kind, in this process or one that it waits for."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if what == "rounds":
            return command(written(folder, {"rounds": size}), folder)
        if what == "rates":
            mus = [f"proximal(mu={i / 10_000})" for i in range(1, size + 1)]
            rates = [{"client": mu, "client_rate": 0.1, "server_rate": 1.0} for mu in mus]
            file = written(folder, {"clients": mus, "rates": rates})
            began = time.process_time()
            assert len(Study.load(file).runs) == size
        elif what == "seeds":
            out = with_seeds(folder, size)
            began = time.process_time()
            write(out)
        else:
            file = all_done(folder, size)
            command(file, folder)  # gathers the tables
            return command(file, folder)
        return {"seconds": round(time.process_time() - began, 2)}


def written(folder: Path, keys: dict[str, object]) -> Path:
    """A study file with these keys."""
    file = folder / "study.yaml"
    file.write_text(yaml.safe_dump(KEYS | keys))
    return file


def command(file: Path, folder: Path) -> dict[str, float]:
    """What `headstart run` takes for a study, its own process alone."""
    headstart = [sys.executable, "-m", "headstart", "run", str(file), "--out", str(folder / "out")]
    process = os.posix_spawn(sys.executable, [*headstart, "--jobs", "2"], os.environ)
    _, status, used = os.wait4(process, 0)
    assert status == 0
    seconds = round(used.ru_utime + used.ru_stime, 2)
    return {"seconds": seconds, "mib": used.ru_maxrss // 1024}


def with_seeds(folder: Path, seeds: int) -> Path:
    """A study of 36 cells and one seed, whose tables say that there were so many."""
    starts = ["random", "proxy(task='rendered-digits(examples=60)', epochs=1)"]
    clients = ["sgd", *[f"proximal(mu={i})" for i in range(1, 6)]]
    servers = ["sgd", "adam", "momentum"]
    keys = {"starts": starts, "clients": clients, "servers": servers, "rounds": 4}
    out = run_study(Study.load(written(folder, keys)), folder / "out")
    found = tables.read_results(out)
    runs = pa.concat_tables(of_seed(found.runs, seed) for seed in range(seeds))
    rounds = pa.concat_tables(of_seed(found.rounds, seed) for seed in range(seeds))
    text = found.study.replace("seeds:\n- 0\n", f"seeds: {list(range(seeds))}\n")
    tables.write_results(out, replace(found, study=text, runs=runs, rounds=rounds, looks=None))
    return out


def of_seed(table: pa.Table, seed: int) -> pa.Table:
    """The rows of one seed as those of another."""
    values = table.to_pydict()
    values["run"] = [f"{key}-{seed}" for key in values["run"]]
    for column in ("value", "test_accuracy"):
        if column in values:
            values[column] = [value * (1 + (seed * 7919 % 101) / 1e4) for value in values[column]]
    if "seed" in values:
        values["seed"] = [seed] * len(table)
    return pa.table(values, schema=table.schema)


def all_done(folder: Path, runs: int) -> Path:
    """A study file of so many seeds, and a folder in which one run stands for each of them."""
    small = Study.load(written(folder, {}))
    done, of_one = Folder(run_study(small, folder / "one")), small.runs[0].key
    record = {key: said for key, said in done.record(of_one).items() if key != "files"}
    table = parquet_files.read(done.run(of_one) / ROUNDS_FILE, "")
    measured = [table[name].to_pylist() for name in tables.ROUNDS.names[1:]]
    rows = Measurements(zip(*measured, strict=True))
    file = written(folder, {"seeds": list(range(runs))})
    whole, out = Study.load(file), Folder(folder / "out")
    for run in whole.runs:
        out.run(run.key).mkdir(parents=True)
        shutil.copy(done.run(of_one) / WEIGHTS, out.run(run.key))
        spec = {**record["spec"], "seed": run.seed}
        out.finish(run.key, {**record, "run": run.key, "seed": run.seed, "spec": spec}, rows)
    (out.path / STUDY_FILE).write_text(whole.resolved())
    return file


if __name__ == "__main__":
    main()
