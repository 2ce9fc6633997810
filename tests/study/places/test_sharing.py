"""Tasks laid out in files are the tasks that were laid out."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from headstart.study import data
from headstart.study.data import task_of
from headstart.study.places.sharing import SPLITS, laid_out, take
from headstart.tasks.base import TASKS, Examples, Task


@pytest.fixture
def untouched(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(data, "_provided", {})
    task_of.cache_clear()
    yield
    task_of.cache_clear()


@pytest.mark.usefixtures("untouched")
def test_a_mapped_task_has_the_same_rows_and_its_files_go() -> None:
    component = TASKS.component("digits")
    made = task_of(component)
    with laid_out([component, component]) as shared:
        files = [laid.path for pair in shared[component].splits.values() for laid in pair]
        assert all(path.exists() for path in files)
        take(shared)
        task_of.cache_clear()
        mapped = task_of(component)
        assert mapped is not made
        assert (mapped.name, mapped.outputs, mapped.objective) == (
            made.name,
            made.outputs,
            made.objective,
        )
        for part in SPLITS:
            ours, theirs = getattr(mapped, part), getattr(made, part)
            assert torch.equal(ours.inputs, theirs.inputs)
            assert torch.equal(ours.targets, theirs.targets)
            # Not copied to be aligned, so still the file's pages.
            assert ours.inputs.data_ptr() % 64 == 0
        mapped.train.inputs.add_(1)  # in pages of this process alone
        assert torch.equal(shared[component].task().train.inputs, made.train.inputs)
    assert not any(path.exists() for path in files)


@pytest.mark.usefixtures("untouched")
def test_an_empty_part_and_other_types_survive(monkeypatch: pytest.MonkeyPatch) -> None:
    component = TASKS.component("digits")
    rows = Examples(torch.arange(6, dtype=torch.uint8).reshape(3, 2), torch.tensor([1, 0, 1]))
    none = Examples(torch.empty(0, 2, dtype=torch.uint8), torch.empty(0, dtype=torch.int64))
    task = Task("own", rows, none, rows, 2, owners=torch.tensor([0, 0, 1]).numpy())
    data.provide(component, lambda: task)
    with laid_out([component]) as shared:
        mapped = shared[component].task()
    assert mapped.validation.inputs.shape == (0, 2)
    assert mapped.train.inputs.dtype == torch.uint8
    assert mapped.owners.tolist() == [0, 0, 1]  # type: ignore[union-attr]


@pytest.mark.usefixtures("untouched")
def test_a_task_that_cannot_be_sent_is_left_to_each_process() -> None:
    component = TASKS.component("digits")
    own = replace(
        task_of(component),
        objective=lambda outputs, targets: task_of(component).objective(outputs, targets),
    )
    task_of.cache_clear()
    data.provide(component, lambda: own)
    with laid_out([component]) as shared:
        assert shared == {}
    assert not list(Path().glob("headstart-*"))
