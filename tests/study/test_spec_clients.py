"""How many clients a study has, and how many of them take part in a round."""

from pathlib import Path
from typing import Any

import pytest
from tests.study.small_studies import study

from headstart.errors import HeadstartError
from headstart.study.spec import Study
from headstart.tools.partitions import inspect_study


def owned_keys(tmp_path: Path) -> Any:
    """The keys of a study of a table with 7 owners, of whom 6 have rows to train on."""
    rows = [f"{i % 7},{i * i % 23},{i % 2},{'test' if i % 7 == 0 else 'train'}" for i in range(42)]
    (tmp_path / "owned.csv").write_text("\n".join(["who,x,y,part", *rows]))
    columns = {"client": "who", "label": "y", "split": "part"}
    task = {"table": {"path": str(tmp_path / "owned.csv"), **columns, "validation": 0.0}}
    return {"task": task, "model": "logistic", "seeds": [0]}


def owned(tmp_path: Path, **keys: Any) -> Any:
    return Study(**{**owned_keys(tmp_path), "cohort": 3, **keys})


def test_natural_is_the_number_of_owners_and_the_same_run_as_that_number(tmp_path: Path) -> None:
    keys = {"partitions": ["natural", "iid"]}
    counted = owned(tmp_path, population=6, **keys)
    assert [run.population for run in counted.runs] == [6, 6]
    for study_ in (owned(tmp_path, population="natural", **keys), owned(tmp_path, **keys)):
        assert [run.key for run in study_.runs] == [run.key for run in counted.runs]
        assert study_.resolved() == counted.resolved()
    assert owned(tmp_path, also=[{"partitions": "natural"}]).population == 6
    assert owned(tmp_path, population="natural").runs[0].population == 6  # whatever the partition
    assert owned(tmp_path).population == 100
    # For the partition to refuse.
    assert owned(tmp_path, population=4, partitions="natural").runs[0].population == 4


def test_natural_needs_owners_and_is_held_to_the_cohort(tmp_path: Path) -> None:
    with pytest.raises(
        HeadstartError,
        match=r"^'natural' needs to know whose each row is, but task 'digits' has no",
    ):
        study(population="natural").resolved()
    with pytest.raises(
        HeadstartError,
        match=r"^cohort: expected at most the number of clients \(population: 6\), got 7",
    ):
        owned(tmp_path, population="natural", cohort=7).resolved()


def test_without_a_cohort_it_is_ten_or_all_clients_if_there_are_fewer(tmp_path: Path) -> None:
    few = owned(tmp_path, partitions="natural", cohort=6)
    left_out = Study(**{**owned_keys(tmp_path), "partitions": "natural"})
    assert [run.cohort for run in left_out.runs] == [6]
    assert left_out.runs[0].key == few.runs[0].key
    assert left_out.resolved() == few.resolved()
    keys = {"task": "digits", "model": "mlp", "seeds": [0]}
    assert [Study(**keys, population=count).runs[0].cohort for count in (4, 10, 40)] == [4, 10, 10]
    assert Study(**keys).runs[0].key == Study(**keys, cohort=10).runs[0].key


def test_an_inspection_needs_no_cohort(tmp_path: Path) -> None:
    (split,) = inspect_study(owned(tmp_path, partitions="natural", cohort=7))
    assert len(split.sizes_K) == 6
