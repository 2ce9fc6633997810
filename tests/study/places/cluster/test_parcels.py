"""A task, and weights of a file, are the same on a node as where they were put into a parcel."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch
from tests.study.small_studies import study

from headstart.study import beginnings, data
from headstart.study.beginnings import start_weights
from headstart.study.data import task_of
from headstart.study.places.cluster import parcels
from headstart.study.places.cluster.packing import Packing
from headstart.tasks.base import TASKS

pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(autouse=True)
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(data, "_provided", {})
    monkeypatch.setattr(beginnings, "_provided", {})
    task_of.cache_clear()
    yield
    task_of.cache_clear()


def test_a_task_has_the_same_rows_in_the_memory_of_the_store() -> None:
    component = TASKS.component("digits")
    made = task_of(component)
    parcel = parcels.of_task(component, Packing())
    splits = [getattr(made, split) for split in parcels.SPLITS]
    assert parcels.size_of(parcel) == sum(
        each.inputs.nbytes + each.targets.nbytes for each in splits
    )
    parcels.take_task(parcel, Packing())
    task_of.cache_clear()
    mapped = task_of(component)
    assert mapped is not made
    assert (mapped.name, mapped.outputs, mapped.objective) == (
        made.name,
        made.outputs,
        made.objective,
    )
    for split in parcels.SPLITS:
        ours, theirs = getattr(mapped, split), getattr(made, split)
        assert torch.equal(ours.inputs, theirs.inputs)
        assert torch.equal(ours.targets, theirs.targets)
        assert ours.inputs.data_ptr() == parcel["rows"][split][0][0].ctypes.data


def test_weights_of_a_file_are_brought_for_each_seed(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    network = study(model="mlp(hidden=[16])")
    trained = _weights_of(network.runs[0], tmp_path)
    safetensors.torch.save_file(trained, file)
    runs = study(
        model="mlp(hidden=[16])", starts=[f"checkpoint(path='{file}', head='new')"], seeds=[0, 1]
    ).runs
    expected = [_weights_of(run, tmp_path) for run in runs]
    packing = Packing()
    sent = [parcels.of_start(run, packing) for run in runs]
    file.unlink()
    for parcel in sent:
        assert parcel is not None
        parcels.take_start(parcel, packing)
    for run, weights in zip(runs, expected, strict=True):
        found = _weights_of(run, tmp_path)
        assert found.keys() == weights.keys()
        assert all(torch.equal(found[name], weights[name]) for name in weights)


def test_weights_that_are_drawn_are_not_brought() -> None:
    assert parcels.of_start(study().runs[0], Packing()) is None


def _weights_of(run: object, out: Path) -> dict[str, torch.Tensor]:
    stream = start_weights(run, out)  # type: ignore[arg-type]
    try:
        next(stream)
    except StopIteration as end:
        return dict(end.value)
    raise AssertionError("nothing is to be kept of these starts")
