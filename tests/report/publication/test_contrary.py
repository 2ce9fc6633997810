"""What speaks against the paper: each cell of the page's tables,
counted by hand from the study's own tables.
"""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

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
    runs = pq.read_table(folder / "results/runs.parquet").to_pandas()
    rounds = pq.read_table(folder / "results/rounds.parquet").to_pandas()
    mine = runs[
        (runs.client == "sgd")
        & (runs.server == "adam")
        & (runs.devices == "equal")
        & (runs.local_epochs == 1)
    ]

    def by_seed(start: str, partition: str) -> list[float]:
        some = mine[(mine.start == start) & (mine.partition == partition)].sort_values("seed")
        return [float(each) for each in some.test_accuracy]

    usual = str(asked.study.base[0])
    costs = {
        start: list(np.subtract(by_seed(start, "iid"), by_seed(start, usual)))
        for start in (asked.first, asked.other)
    }
    assert contrary.skew(asked) == [
        "study",
        *(shown(c, lambda x: 100 * x, "{:+.1f}") for c in costs.values()),
    ]

    def mean(start: str, metric: str) -> list[float]:
        found = []
        for run in mine[(mine.start == start) & (mine.partition == usual)].sort_values("seed").run:
            curve = rounds[(rounds.run == run) & (rounds.metric == metric) & (rounds["round"] > 0)]
            found.append(float(curve.value.mean()))
        return found

    for metric, told in zip(
        ("local_drift", "client_spread", "aggregate_noise"), contrary.drift(asked)[1:], strict=True
    ):
        logs = np.log(mean(asked.other, metric)) - np.log(mean(asked.first, metric))
        assert told == shown(list(logs), math.exp, "{:.2f}")

    left: dict[str, list[float]] = {}
    for start in (asked.first, asked.other):
        left[start] = []
        for run in mine[(mine.start == start) & (mine.partition == usual)].sort_values("seed").run:
            curve = rounds[(rounds.run == run) & (rounds.metric == "test_accuracy")].sort_values(
                "round"
            )
            left[start].append(float(curve.value.iloc[-1] - curve.value.iloc[1]))
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
