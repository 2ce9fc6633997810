"""A table of sixty rows, as three kinds of file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from headstart.tasks.base import TASKS, Task

ROWS = 60


DRAW = np.random.Generator(np.random.Philox(key=1))


COLUMNS: dict[str, list[Any]] = {
    "who": [f"c{i % 12}" for i in range(ROWS)],
    "x": [float(value) for value in DRAW.normal(5, 3, ROWS).round(3)],
    "n": [int(value) for value in DRAW.integers(-4, 9, ROWS)],
    "y": [["10", "9", "x"][i % 3] for i in range(ROWS)],
}


def csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    lines = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def jsonl(path: Path, columns: dict[str, list[Any]]) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text(
        "".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows)
    )
    return path


def parquet(path: Path, columns: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


WRITERS: dict[str, Callable[[Path, dict[str, list[Any]]], Path]] = {
    "csv": csv,
    "jsonl": jsonl,
    "parquet": parquet,
}


def task(path: Path, **parameters: Any) -> Task:
    return TASKS.build(TASKS.component({"table": {"path": str(path), "label": "y", **parameters}}))


def changed(column: str, row: int, value: Any) -> dict[str, list[Any]]:
    cells = list(COLUMNS[column])
    cells[row] = value
    return {**COLUMNS, column: cells}
