"""What the tasks of a study are kept as changes no result."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.study.runner import run_study
from headstart.study.spec import Study

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
        pixels = torch.randint(256, (rows, 2, 6, 6), generator=draw) // (1 + labels[:, None, None, None])
        return Examples(pixels.byte() if kept == "bytes" else seen()(pixels.byte()), labels)
    return Task("images", part(90), part(10), part(40), 3, prepare=seen if kept == "bytes" else nn.Identity)
"""


def rounds(out: Path, jobs: int = 1, **keys: object) -> pa.Table:
    study = Study(
        model="small-cnn(width=2)", population=12, cohort=4, rounds=3, every=2, seeds=[0], batch_size=5,
        partitions="quantity-skew(beta=1.0)", **keys,
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
    [("loop", 1), ("stacked", 1), ("threads(workers=1)", 1), pytest.param("loop", 2, marks=pytest.mark.slow)],
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
