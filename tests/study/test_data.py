"""What the tasks of a study are kept as changes no result."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.study.data import fits, task_of
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.base import TASKS
from headstart.tasks.own.on_disk import pack

OWN = """
from functools import partial

import torch
from torch import nn

from headstart import rng
from headstart.tasks.base import Examples, Pixels, Task


def images(*, kept: str) -> Task:
    draw = rng.torch_generator(0, "images")
    seen = partial(Pixels, [0.4, 0.5], [0.2, 0.3])
    def part(rows):
        labels = torch.randint(3, (rows,), generator=draw)
        pixels = torch.randint(256, (rows, 2, 6, 6), generator=draw)
        pixels //= 1 + labels[:, None, None, None]
        return Examples(pixels.byte() if kept == "bytes" else seen()(pixels.byte()), labels)
    prepare = seen if kept == "bytes" else nn.Identity
    return Task("images", part(90), part(10), part(40), 3, prepare=prepare)
"""


def rounds(out: Path, jobs: int = 1, **keys: Any) -> pa.Table:
    study = Study(
        model="small-cnn(width=2)", population=12, cohort=4, rounds=3, every=2, seeds=[0],
        batch_size=5, partitions="quantity-skew(beta=1.0)", **keys,
    )  # fmt: skip
    run_study(study, out, jobs)
    return pq.read_table(out / "results" / "rounds.parquet").select(["round", "metric", "value"])


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "own_images_of_data.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}", prepend=":")
    return "own_images_of_data:images"


@pytest.mark.parametrize(
    ("executor", "jobs"),
    [
        ("loop", 1),
        ("stacked", 1),
        ("threads(workers=1)", 1),
        pytest.param("loop", 2, marks=pytest.mark.slow),
    ],
)
def test_bytes_of_images_give_the_bits_of_the_numbers_that_they_stand_for(
    executor: str, jobs: int, own: str, tmp_path: Path
) -> None:
    """Through starts, executors and probes, and shared between processes."""
    bytes_, numbers = f"{own}(kept='bytes')", f"{own}(kept='numbers')"
    found = [
        rounds(
            tmp_path / str(i), jobs, executor=executor, task=task, clients="mimelite",
            probes=["evaluation", "curvature(rows=40, trace_vectors=0, double=True)"],
            starts=["head-first(start='random')", {"proxy": {"task": task, "epochs": 1}}],
        )
        for i, (task, jobs) in enumerate([(bytes_, jobs), (numbers, 1)])
    ]  # fmt: skip
    assert found[0].num_rows > 30
    assert found[0].equals(found[1])


@pytest.mark.parametrize("executor", ["loop", "stacked", "threads(workers=1)"])
def test_rows_that_do_not_fit_the_device_give_the_same_runs(
    executor: str, own: str, tmp_path: Path
) -> None:
    """With no memory allowed, rows of each cohort pass through a window, here in memory too;
    keys are the same.
    """
    keys = {
        "executor": executor,
        "task": f"{own}(kept='bytes')",
        "clients": ["sgd", "mimelite"],
        "probes": "evaluation",
    }
    found = [rounds(tmp_path / str(mib), data_mib=mib, **keys) for mib in (None, 0)]  # type: ignore[arg-type]
    assert found[0].num_rows > 10
    assert found[0].equals(found[1])
    names = [
        sorted(path.name for path in (tmp_path / str(mib) / "runs").iterdir()) for mib in (None, 0)
    ]
    assert names[0] == names[1]


def test_mapped_rows_are_streamed_as_they_are(tmp_path: Path) -> None:
    draw = np.random.Generator(np.random.Philox(0))
    clients = [(draw.normal(size=(n, 4)), draw.integers(0, 2, n)) for n in (3, 9, 1, 6, 4)]
    pack(tmp_path / "mine", clients, test=clients[1], validation=clients[0], outputs=2)
    keys = {
        "task": {"on-disk": {"path": str(tmp_path / "mine")}}, "model": "logistic",
        "partitions": "natural", "cohort": 2, "rounds": 4, "every": 2, "seeds": [0, 1],
    }  # fmt: skip
    tables = []
    for mib in (None, 0):
        run_study(Study(data_mib=mib, **keys), tmp_path / str(mib))
        tables.append(pq.read_table(tmp_path / str(mib) / "results" / "rounds.parquet"))
    assert tables[0].equals(tables[1])


def test_what_fits_is_counted_in_all_rows() -> None:
    digits = TASKS.component("digits")
    made = task_of(digits)
    parts = (made.train, made.validation, made.test)
    mib = sum(rows.inputs.nbytes + rows.targets.nbytes for rows in parts) / 2**20
    assert 0 < mib < 1
    assert [fits(digits, torch.device("cpu"), allowed) for allowed in (None, 0, 1)] == [
        True,
        False,
        True,
    ]
