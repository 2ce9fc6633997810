"""What speaks against the paper: each cell of the page's tables,
counted by hand from the study's own tables.
"""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from scipy import stats

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/contrary.md"
Make = Callable[..., Path]


def shown(values: list[float], scale: Callable[[float], float], form: str) -> str:
    low, high = stats.t.interval(
        0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values)
    )
    ends = [form.format(scale(float(end))) for end in (np.mean(values), low, high)]
    return f"{ends[0]} \\[{ends[1]}, {ends[2]}\\]"


def test_each_cell_is_what_the_tables_hold(
    make: Make, tmp_path: Path, contrary: ModuleType
) -> None:
    folder = make(tmp_path / "study", seeds=(0, 1, 2, 3))
    asked = contrary.asked(folder)
    assert (asked.first, asked.other[:5], asked.pair) == ("random", "proxy", ("sgd", "adam"))
    runs = pq.read_table(folder / "results/runs.parquet").to_pylist()
    rounds = pq.read_table(folder / "results/rounds.parquet").to_pylist()
    alike = {"client": "sgd", "server": "adam", "devices": "equal", "local_epochs": 1}

    def some(start: str, partition: str) -> list[dict[str, Any]]:
        """The pair's plain runs, by seed."""
        asked_for = alike | {"start": start, "partition": partition}
        found = [run for run in runs if asked_for.items() <= run.items()]
        return sorted(found, key=lambda run: int(run["seed"]))

    def curve(run: dict[str, Any], metric: str) -> list[float]:
        """A run's values of a metric, by round; the first is of round 0."""
        rows = [row for row in rounds if (row["run"], row["metric"]) == (run["run"], metric)]
        return [row["value"] for row in sorted(rows, key=lambda row: int(row["round"]))]

    usual = str(asked.study.base[0])
    costs = {
        start: [
            even["test_accuracy"] - uneven["test_accuracy"]
            for even, uneven in zip(some(start, "iid"), some(start, usual), strict=True)
        ]
        for start in (asked.first, asked.other)
    }
    assert contrary.skew(asked) == [
        "study",
        *(shown(c, lambda x: 100 * x, "{:+.1f}") for c in costs.values()),
    ]

    for metric, told in zip(
        ("local_drift", "client_spread", "aggregate_noise"), contrary.drift(asked)[1:], strict=True
    ):
        means = {
            start: [np.mean(curve(run, metric)[1:]) for run in some(start, usual)]
            for start in (asked.first, asked.other)
        }
        logs = np.log(means[asked.other]) - np.log(means[asked.first])
        assert told == shown(list(logs), math.exp, "{:.2f}")

    left = {}
    for start in (asked.first, asked.other):
        curves = [curve(run, "test_accuracy") for run in some(start, usual)]
        left[start] = [values[-1] - values[1] for values in curves]
    cells = contrary.rounds(asked)
    assert cells[2] == shown(left[asked.first], lambda x: 100 * x, "{:+.1f}")
    assert cells[4] == shown(left[asked.other], lambda x: 100 * x, "{:+.1f}")


def test_the_tenth_of_clients_that_is_served_worst(
    make: Make, tmp_path: Path, contrary: ModuleType
) -> None:
    """Eleven clients: the second lowest is the tenth. From the other start all gain .1 but the
    first, which loses.
    """
    folder = make(tmp_path / "study")
    runs = pq.read_table(folder / "results/runs.parquet").to_pylist()
    table = pq.read_table(folder / "results/rounds.parquet")
    added: dict[str, list[object]] = {"run": [], "round": [], "metric": [], "value": []}
    for run in runs:
        for client in range(11):
            base = 0.5 + client / 100 + run["seed"] / 1000
            change = 0.0 if run["start"] == "random" else -0.2 if client == 0 else 0.1
            row = (run["run"], 60, f"client_accuracy/{client}", base + change)
            for column, item in zip(added.values(), row, strict=True):
                column.append(item)
    pq.write_table(
        pa.concat_tables([table, pa.table(added, schema=table.schema)]),
        folder / "results/rounds.parquet",
    )
    _, random, other, gain, worse = contrary.worst(contrary.asked(folder))
    assert random == shown([0.51, 0.511, 0.512], lambda x: 100 * x, "{:.1f}")
    assert other.startswith("61.1 ")
    assert (gain, worse) == ("+10.0", "9")  # no spread, no interval


def test_the_page_is_what_the_script_writes(contrary: ModuleType) -> None:
    folders = sorted((ROOT / "docs/results").iterdir())
    published = [folder for folder in folders if (folder / "results/runs.parquet").exists()]
    page = PAGE.read_text()
    assert contrary.filled(page, [contrary.asked(folder) for folder in published]) == page


def test_what_stands_between_the_tables_is_kept(contrary: ModuleType) -> None:
    page = "".join(
        f"About {name}.\n{contrary.BEGIN.format(name)}\n{contrary.END}\n"
        for name in contrary.SECTIONS
    )
    filled = contrary.filled(page, [])
    said = "No study that was published with its tables asks this yet.\n"
    assert filled.replace(said, "") == page
    assert filled.count(said) == len(contrary.SECTIONS)


def test_what_a_study_does_not_ask_is_said(contrary: ModuleType) -> None:
    none = contrary.table(contrary.SECTIONS["worst"], [])
    assert none == "No study that was published with its tables asks this yet."
