"""Partitions by name, and those of a study, each for its first seed."""

import numpy as np
import pytest
from tests.study.small_studies import study

from headstart.errors import HeadstartError
from headstart.study.data import task_of
from headstart.tools.partitions import inspect_named, inspect_study


def test_each_partition_of_a_study_is_measured_once() -> None:
    asked = study(partitions=["iid", "dirichlet(alpha=0.1)"], seeds=[3, 4])
    found = list(inspect_study(asked))
    assert [one.name for one in found] == ["digits, iid", "digits, dirichlet(alpha=0.1)"]
    rows = len(task_of(asked.task).train)
    assert [int(np.sum(one.sizes_K)) for one in found] == [rows, rows]
    assert [len(one.sizes_K) for one in found] == [10, 10]


def test_a_hundred_clients_are_the_default() -> None:
    assert len(inspect_named("digits", "iid").sizes_K) == 100
    assert len(inspect_named("digits", "iid", population=7).sizes_K) == 7
    with pytest.raises(HeadstartError, match="--partition: unknown partition 'idd'"):
        inspect_named("digits", "idd")
