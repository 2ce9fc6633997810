"""What bf16 does to accuracy: two studies in fp32 and in bf16, on the same clients, batches and
seeds. Prints JSON.

    python benchmarks/precision.py --out FOLDER

Runs that are in the folder already are not computed again. mnist-writers needs its files, see the
task's docs.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import yaml

COMMON = {
    "clients": "sgd",
    "servers": "sgd",
    "seeds": [0, 1, 2],
    "cohort": 10,
    "server_rates": 1.0,
    "probes": ["evaluation"],
}
STUDIES = {
    "digits, small-cnn(width=8)": {
        "task": "digits", "model": "small-cnn(width=8)", "population": 50,
        "partitions": "dirichlet(alpha=1)", "local_epochs": 2, "batch_size": 8, "client_rates": 0.3,
        "rounds": 150, "every": 150,
    },
    "mnist-writers, cnn": {
        "task": "mnist-writers", "model": "cnn", "population": "natural", "partitions": "natural",
        "batch_size": 20, "client_rates": 0.05, "rounds": 15, "every": 15,
    },
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="a folder for the four studies")
    folder = parser.parse_args().out
    figures = {}
    for title, study in STUDIES.items():
        fp32, bf16 = (
            [round(100 * a, 1) for a in accuracies(folder, study, p)] for p in ("fp32", "bf16")
        )
        less = [round(b - a, 1) for a, b in zip(fp32, bf16, strict=True)]
        figures[title] = {
            "fp32": fp32,
            "bf16_less_fp32": less,
            "mean": round(statistics.mean(less), 2),
        }
    print(json.dumps(figures, indent=1))


def accuracies(folder: Path, study: dict[str, object], precision: str) -> list[float]:
    """The last test accuracy of each seed, as a share."""
    name = f"{study['task']}-{precision}"
    file = folder / f"{name}.yaml"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(
        yaml.safe_dump(
            {"name": name, "executor": "threads", "precision": precision, **COMMON, **study}
        )
    )
    headstart = Path(sys.executable).parent / "headstart"
    subprocess.run(
        [headstart, "run", file, "--out", folder / name, "--jobs", "1"],
        check=True,
        stdout=sys.stderr,
    )
    runs = pq.read_table(folder / name / "results" / "runs.parquet").sort_by("seed")
    return list(runs["test_accuracy"].to_pylist())


if __name__ == "__main__":
    main()
