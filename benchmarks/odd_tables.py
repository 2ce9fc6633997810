"""Tables that are damaged or odd, through the door: each is a task, or one line that says what is
wrong with it.

    python benchmarks/odd_tables.py --seconds 3600 --seed 0

Makes a valid file of each kind, changes bytes, cells or parameters at random, and builds the task.
Prints every case that ends otherwise (a traceback, a line of two lines, numbers that are not
finite, more than ten seconds), with the seed that makes it again, and how many cases there were.
"""

import argparse
import io
import json
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image

from headstart.errors import HeadstartError
from headstart.study.data import check_examples
from headstart.tasks.base import TASKS

ROWS = 24
SLOW = 10.0
USUAL = 0.7
"""So often a table of numbers names columns that are such."""
ODD = ["", " ", "nan", "inf", "-inf", "1e999", "1_0", "01", "1.0", "True", "true", "'", '"', "\n",
       "\r", ";", ",", "\t", "\0", "\ufeff", "\u200b", "é", "e\u0301", "=1+1", "null", "[1, 2]",
       "{}", "9" * 400, "-0", "\ud800", "train", "test", "a" * 5000]  # fmt: skip
PARAMETERS: dict[str, list[Any]] = {
    "client": ["who", "y", "(file)", "(folder)", "whom"],
    "split": ["part", "(file)", "x"],
    "split_by": ["client", "row"],
    "features": [["x"], ["x", "z"], ["x", "e"], ["e"], ["who"], [""]],
    "categories": [["who"], ["y"], ["z"]],
    "gaps": ["mean", "mark"],
    "alike": ["join", "keep"],
    "unseen": ["keep", "drop"],
    "codes": [True],
    "shape": [[1, 1, 2], [2]],
    "text": ["who", "x"],
    "image": ["photo", "who"],
    "mean": [[0.0], [0.0, 1.0]],
    "deviation": [[1e-30], [1.0]],
    "size": [[2, 2]],
    "label": ["y", "who", "x", None],
    "test": [0.01, 0.99],
    "validation": [0.0, 0.9],
    "length": [1, 3],
    "words": [1],
}


def main() -> None:
    """Make cases until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    ends, began, seed = Counter[str](), time.monotonic(), arguments.seed
    with tempfile.TemporaryDirectory() as place:
        while time.monotonic() - began < arguments.seconds:
            draw = np.random.Generator(np.random.Philox(key=seed))
            kind, said = ended(Path(place), draw)
            ends[kind] += 1
            if kind not in ("task", "line"):
                print(f"seed {seed}: {kind}: {said}", flush=True)
            seed += 1
    print(json.dumps({"cases": sum(ends.values()), **ends}))


def ended(folder: Path, draw: np.random.Generator) -> tuple[str, str]:
    """How one case ends: `task`, `line`, or what should never be,
    and what there is to say of it.
    """
    path = written(folder, draw)
    chosen: dict[str, Any] = {"label": "y"}
    for name in draw.choice(list(PARAMETERS), size=draw.integers(0, 5), replace=False).tolist():
        values = PARAMETERS[name]
        chosen[name] = values[draw.integers(len(values))]
    if draw.random() < USUAL and not {"text", "image"} & set(chosen):
        chosen.setdefault("features", ["x", "z"])
    case, began = f"{path.suffix} {chosen}", time.monotonic()
    try:
        made = TASKS.build(TASKS.component({"table": {"path": str(path), **chosen}}))
        check_examples(made)
        finite = all(
            bool(torch.isfinite(part.inputs).all())
            for part in (made.train, made.validation, made.test)
        )
        kind, said = ("task", "") if finite else ("not finite", case)
    except HeadstartError as error:
        kind, said = ("line", "") if "\n" not in str(error) else ("two lines", f"{case} {error}")
    except Exception:
        kind, said = "traceback", f"{case} {traceback.format_exc()}"
    if time.monotonic() - began > SLOW:
        return "slow", case
    return kind, said


def written(folder: Path, draw: np.random.Generator) -> Path:
    """A file of one kind, most often changed in its cells or bytes."""
    kind = ("csv", "jsonl", "json", "parquet")[draw.integers(4)]
    path = folder / f"t{draw.integers(2**62)}.{kind}"
    for old in folder.iterdir():
        old.unlink()
    columns = cells(draw)
    odd_cells = int(draw.integers(0, 4)) if draw.random() < 0.6 else 0
    for _ in range(odd_cells):
        column = columns[list(columns)[draw.integers(len(columns))]]
        column[draw.integers(ROWS)] = None if draw.random() < 0.2 else ODD[draw.integers(len(ODD))]
    content = encoded(kind, columns)
    if draw.random() < 0.4:
        content = damaged(content, draw)
    path.write_bytes(content)
    return path


def cells(draw: np.random.Generator) -> dict[str, list[Any]]:
    """Columns of a valid table."""
    return {
        "who": [f"k{i % 5}" for i in range(ROWS)],
        "x": draw.normal(size=ROWS).round(3).tolist(),
        "z": draw.integers(0, 5, ROWS).tolist(),
        "y": [i % 2 for i in range(ROWS)],
        "part": [("train", "train", "test")[i % 3] for i in range(ROWS)],
        "e": draw.normal(size=(ROWS, 2)).round(2).tolist(),
        "photo": [image(i) for i in range(ROWS)],
    }


def image(i: int) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (3, 3), (i, 0, 255 - i)).save(buffer, ("png", "gif", "bmp")[i % 3])
    return buffer.getvalue()


def encoded(kind: str, columns: dict[str, list[Any]]) -> bytes:
    """The columns as a file of a kind; text where a Parquet column has cells of two types."""
    if kind == "parquet":
        buffer = io.BytesIO()
        pq.write_table(pa.table({name: _array(values) for name, values in columns.items()}), buffer)
        return buffer.getvalue()
    kept = [name for name in columns if name not in ("photo", *(["e"] if kind == "csv" else []))]
    rows = list(zip(*(columns[name] for name in kept), strict=True))
    if kind == "csv":
        lines = [
            ",".join(kept),
            *(",".join("" if cell is None else str(cell) for cell in row) for row in rows),
        ]
        return "\n".join(lines).encode("utf-8", "replace")
    objects = [json.dumps(dict(zip(kept, row, strict=True))) for row in rows]
    return ("\n".join(objects) if kind == "jsonl" else f"[{', '.join(objects)}]").encode()


def _array(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowException, UnicodeEncodeError):
        return pa.array(
            [None if v is None else str(v).encode("utf-8", "replace").decode() for v in values]
        )


def damaged(content: bytes, draw: np.random.Generator) -> bytes:
    """Some bytes changed, cut or put in."""
    kept = bytearray(content)
    for _ in range(int(draw.integers(1, 6))):
        at = int(draw.integers(len(kept) + 1))
        way = draw.integers(4)
        if way == 0 and kept:
            kept[at % len(kept)] = int(draw.integers(256))
        elif way == 1:
            del kept[at : at + int(draw.integers(1, 20))]
        elif way == 2:
            kept[at:at] = ODD[draw.integers(len(ODD))].encode("utf-8", "replace")
        else:
            kept[at : at + 1] = bytes(draw.integers(0, 256, 3).tolist())
    return bytes(kept)


if __name__ == "__main__":
    main()
