"""Synthetic study folders of the demo's shape, in every mood that a report must survive."""

import dataclasses
import hashlib
import html.parser
import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from headstart import tables
from headstart.report.runs.grid import Grid
from headstart.report.runs.part_names import part_names, without_names
from headstart.report.runs.records import Records, Run
from headstart.report.runs.sorting import sort
from headstart.tables import write_results

if importlib.util.find_spec("torch") is None:
    # These compare the report's words with the parts themselves, which need torch; the report does
    # not.
    collect_ignore = [
        "measures/test_own_metrics.py",
        "verdict/test_choice.py",
        "words/test_methods.py",
    ]

CLIENTS = {"sgd": 0.0, "proximal(mu=0.1)": -0.002, "nova": -0.004, "mimelite": -0.03, "gd": -0.10}
SERVERS = {"sgd": -0.02, "momentum": -0.01, "adam": 0.0}
DIR = "dirichlet(alpha=0.1)"
UNEVEN = "uneven-epochs(share=0.3, low=1, high=5)"
ROUNDS = 60
Row = dict[str, Any]


def _generator(*labels: object) -> np.random.Generator:
    key = int.from_bytes(hashlib.sha256("/".join(map(str, labels)).encode()).digest()[:8], "big")
    return np.random.Generator(np.random.Philox(key=key))


def _final(
    mood: str, start: str, client: str, server: str, partition: str, devices: str, epochs: int
) -> float:
    """Expected final accuracy: the paper's findings hold (clear), are reversed (contrary),
    or drown (undecided).
    """
    weak = start == "random"
    if mood == "contrary":
        weak = not weak
    if mood == "undecided":
        return 0.93 + 0.3 * CLIENTS.get(client, 0) + 0.2 * SERVERS.get(server, 0)
    quality = CLIENTS.get(client, -0.01) + SERVERS.get(server, -0.01)
    accuracy = 0.97 + 0.35 * quality
    if weak:
        accuracy = 0.90 + 1.6 * quality - (0.05 if (client, server) == ("mimelite", "adam") else 0)
        accuracy += 0.06 if (client, server) == ("sgd", "momentum") else 0
        accuracy += 0.05 if partition == "iid" else 0
        accuracy -= 0.02 * np.log2(epochs)
        accuracy -= 0 if devices == "equal" else 0.02 - 1.2 * quality
    elif partition == "iid":
        accuracy += 0.005
    return float(min(max(accuracy, 0.12), 0.995))


def _grid(mood: str, starts: list[str], seeds: list[int]) -> list[Row]:
    rows: list[Row] = []

    def add(
        client: str,
        server: str,
        partition: str = DIR,
        devices: str = "equal",
        epochs: int = 1,
        **rates: float,
    ) -> None:
        for start in starts:
            rows.extend(
                {
                    "start": start, "client": client, "server": server, "partition": partition,
                    "devices": devices, "local_epochs": epochs, "seed": seed,
                    "client_rate": rates.get("client_rate", 0.1),
                    "server_rate": rates.get("server_rate", 0.01 if start == "random" else 0.003),
                }
                for seed in seeds
            )  # fmt: skip

    for client in CLIENTS:
        for server in SERVERS:
            add(client, server)
            if mood == "tuning":
                add(client, server, client_rate=0.03)
    add("sgd", "adam", partition="iid")
    for epochs in (5, 20):
        add("sgd", "adam", epochs=epochs)
    for client in ("sgd", "proximal(mu=0.1)", "nova"):
        for server in SERVERS:
            add(client, server, devices=UNEVEN)
    return rows


def _curves(row: Row, mood: str, noise: float) -> dict[str, list[Any]]:
    rng = _generator(
        mood,
        *[
            row[k]
            for k in ("start", "client", "server", "partition", "devices", "local_epochs", "seed")
        ],
    )
    shared = _generator("seed", row["seed"]).normal(0, noise)
    head = row["start"] != "random"
    end = _final(
        mood,
        *[row[k] for k in ("start", "client", "server", "partition", "devices", "local_epochs")],
    )
    end += (
        shared
        + rng.normal(0, noise if mood == "undecided" else noise / 2)
        - (0.02 if row["client_rate"] < 0.05 else 0)
    )
    t = np.arange(0, ROUNDS + 1, 4)
    begin, pace = (0.58, 8.0) if head != (mood == "contrary") else (0.10, 16.0)
    if mood == "undecided":
        begin, pace = 0.3, 12.0
    wobble = np.r_[0, rng.normal(0, 0.012, len(t) - 2), 0] * np.exp(-t / 40)
    accuracy = np.clip(end - (end - begin) * np.exp(-t / pace) + wobble, 0.02, 0.999)
    accuracy[-1] = np.clip(end, 0.02, 0.999)
    loss = 2.6 * (1 - accuracy) + 0.05 + (0.5 if head else 0) * np.exp(-t / 6)
    align = 0.35 if head != (mood == "contrary") else 0.12
    if mood == "undecided":
        align = 0.2
    sharp = {"clear": 60.0 if head else 400.0, "contrary": 400.0 if head else 60.0}.get(mood, 100.0)
    sharp *= float(np.exp(rng.normal(0, 100 * noise if mood == "undecided" else 10 * noise)))
    ends = lambda first, last: [first, *[None] * (len(t) - 2), last]  # noqa: E731
    jitter = lambda s: rng.normal(0, s, len(t))  # noqa: E731
    return {
        "round": t.tolist(),
        "test_accuracy": accuracy.tolist(),
        "test_loss": loss.tolist(),
        "train_accuracy": np.clip(accuracy + 0.01, 0, 1).tolist(),
        "train_loss": (0.9 * loss).tolist(),
        "local_loss": (0.5 * loss).tolist(),
        "gradient_diversity": (0.1 / align * (1 + t / 60) + jitter(0.02)).tolist(),
        "cosine_between_clients": (align * (1 - t / 120) + jitter(0.01)).tolist(),
        "cosine_over_time": (align * 1.2 * (1 - t / 100) + jitter(0.03)).tolist(),
        "distance_to_final.stem": ends(3.0 if head else 4.8, 0.0),
        "distance_to_final.head": ends(1.8 if head else 3.6, 0.0),
        "local_drift": (1 - t / 100 + jitter(0.01)).tolist(),
        "client_spread": (0.8 - t / 120 + jitter(0.01)).tolist(),
        "aggregate_noise": (0.1 / align + t / 100 + jitter(0.01)).tolist(),
        "hessian_top_1": ends(sharp, sharp / 4),
        "hessian_residual": ends(9e-4, 8e-4),
        "hessian_converged": ends(1.0, 1.0),
        "hessian_products": ends(16.0, 20.0),
        "hessian_trace": ends(12 * sharp, 9 * sharp),
        "hessian_trace_error": ends(0.4 * sharp, 0.3 * sharp),
        "distance_to_final": ((6 if not head else 3.5) * np.exp(-t / 25) * (t < ROUNDS)).tolist(),
    }


def make_study(
    directory: Path,
    mood: str = "clear",
    starts: tuple[str, ...] = ("random", "proxy"),
    seeds: tuple[int, ...] = (0, 1, 2),
    keep: Callable[[Row], bool] = lambda row: True,
    diverge: Callable[[Row], bool] = lambda row: False,
    rename: dict[str, str] | None = None,
    noise: float = 0.004,
    **settings: Any,
) -> Path:
    """Write DIR/study.yaml and DIR/results/*.parquet as the runner does; moods: clear, contrary,
    undecided, tuning.
    """
    rename = rename or {}
    target = 0.85
    runs: list[Row] = []
    rounds: dict[str, list[Any]] = {"run": [], "round": [], "metric": [], "value": []}
    for i, row in enumerate(filter(keep, _grid(mood, list(starts), list(seeds)))):
        curves = _curves(row, "clear" if mood == "tuning" else mood, noise)
        fell = diverge(row)
        reached = [
            r for r, a in zip(curves["round"], curves["test_accuracy"], strict=True) if a >= target
        ]
        done = 17 if fell else ROUNDS
        runs.append(
            {"run": f"{i:04x}"}
            | {k: rename.get(v, v) if isinstance(v, str) else v for k, v in row.items()}
            | {
                "status": "diverged" if fell else "finished", "rounds": done,
                "diverged_at": 17 if fell else None,
                "test_accuracy": None if fell else curves["test_accuracy"][-1],
                "test_loss": None if fell else curves["test_loss"][-1],
                "rounds_to_target": None if fell or not reached else int(reached[0]),
                "bytes_up": done * 10 * 4 * 20_000, "bytes_down": done * 10 * 4 * 20_000,
                "simulated_seconds": done * 1.5, "seconds": 0.6, "executor": "stacked",
                "parameters": 20_000,
            }
        )  # fmt: skip
        for metric, values in curves.items():
            for r, value in zip(curves["round"], values, strict=True):
                if metric != "round" and value is not None and r <= done:
                    for column, item in zip(
                        rounds.values(), (f"{i:04x}", int(r), metric, value), strict=True
                    ):
                        column.append(item)
    names = ("run", "start", "client", "server", "partition", "devices", "status", "executor")
    real = (
        "client_rate",
        "server_rate",
        "test_accuracy",
        "test_loss",
        "simulated_seconds",
        "seconds",
    )
    kinds = dict.fromkeys(names, pa.string()) | dict.fromkeys(real, pa.float64())
    schema = pa.schema([(name, kinds.get(name, pa.int64())) for name in runs[0]])
    study = {
        "name": "demo", "title": "Digits from a hundred clients", "task": "digits", "model": "cnn",
        "population": 100, "cohort": 10, "batch_size": 16, "rounds": ROUNDS, "weighting": "samples",
        "target_accuracy": target, "seeds": list(seeds), "evaluate_on": "test", "executor": "auto",
    } | settings  # fmt: skip
    text = yaml.safe_dump(study, sort_keys=False)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "study.yaml").write_text(text)
    of_runs = pa.Table.from_pylist(runs, schema=schema)
    write_results(directory, tables.StudyTables(text, of_runs, pa.table(rounds)))
    return directory


def rewrite(directory: Path, **changes: Any) -> None:
    """Write the results of a folder with other tables, another study,
    or another number of planned runs.
    """
    write_results(directory, dataclasses.replace(tables.read_results(directory), **changes))


Accuracies = dict[str, dict[str, list[float | None]]]


def constructed(
    accuracies: Accuracies,
    rounds_to_target: dict[str, list[int | None]] | None = None,
    **given: Any,
) -> Grid:
    """A study in memory: start -> pair ("sgd + adam") -> accuracy by seed,
    None where the run diverged.
    """
    runs = [
        Run(
            run=f"{start}/{pair}/{seed}", start=start, client=pair.split(" + ")[0],
            server=pair.split(" + ")[1], partition=DIR, devices="equal", local_epochs=1,
            client_rate=0.1, server_rate=0.1, seed=seed,
            status="diverged" if accuracy is None else "finished", test_accuracy=accuracy,
            test_loss=None if accuracy is None else 1 - accuracy,
            rounds_to_target=(rounds_to_target or {}).get(start, [None] * len(by_seed))[seed],
            rounds=100,
        )
        for start, pairs in accuracies.items()
        for pair, by_seed in pairs.items()
        for seed, accuracy in enumerate(by_seed)
    ]  # fmt: skip
    seeds = sorted({run.seed for run in runs})
    settings = {"seeds": seeds} | given | ({"target_accuracy": 0.8} if rounds_to_target else {})
    names = part_names(settings)
    return sort(Records(without_names(settings), tuple(runs), {}, Path("constructed"), names=names))


@pytest.fixture
def table() -> Callable[..., Grid]:
    """`table({"random": {"sgd + adam": [0.9, 0.91, None]}})` -> a study whose third run
    diverged.
    """
    return constructed


@pytest.fixture(scope="session")
def make() -> Callable[..., Path]:
    return make_study


@pytest.fixture
def study(tmp_path: Path) -> Callable[..., Path]:
    """`study("contrary", seeds=(0,))` -> a folder of results."""
    return lambda mood="clear", **options: make_study(tmp_path / mood, mood, **options)


Points = Sequence[tuple[int, float]]
WithCurves = Callable[[Grid, str, Callable[[Run], Points]], Grid]


def given_curves(grid: Grid, metric: str, points: Callable[[Run], Points]) -> Grid:
    """The study with (round, value) of a metric for each run; none where `points` has none."""
    curves = dict(grid.records.curves)
    for run in grid.records.runs:
        found = points(run)
        if found:
            rounds, values = zip(*found, strict=True)
            curves[run.run, metric] = np.array(rounds), np.array(values, dtype=float)
    return sort(dataclasses.replace(grid.records, curves=curves))


@pytest.fixture
def with_curves() -> WithCurves:
    """`with_curves(grid, "test_loss", lambda run: [(0, 2.0), (5, 1.0)])`."""
    return given_curves


class Tags(html.parser.HTMLParser):
    """Collects tags with their attributes, and checks that they nest."""

    void = frozenset(
        (
            "meta",
            "link",
            "br",
            "img",
            "path",
            "use",
            "rect",
            "line",
            "circle",
            "polyline",
            "polygon",
        )
    )

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.void:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.void:
            assert self.open.pop() == tag


@pytest.fixture(scope="session")
def parse() -> Callable[[str], Tags]:
    """The tags of a page."""
    return Tags


@pytest.fixture(scope="session")
def evil() -> str:
    """A name that tries to be markup."""
    return "<script>alert(1)</script>\"' $x_1$ &amp;"


@pytest.fixture(scope="session")
def few() -> Callable[[Row], bool]:
    """Keeps the runs of one pair in one setting."""

    def keep(row: Row) -> bool:
        plain = row["devices"] == "equal" and row["partition"] != "iid" and row["local_epochs"] == 1
        return bool(plain and (row["client"], row["server"]) == ("sgd", "adam"))

    return keep
