"""Odd and damaged tables, some of those that benchmarks/odd_tables.py makes:
each is a task or one line.
"""

import runpy
from pathlib import Path

import numpy as np

CAMPAIGN = runpy.run_path(str(Path(__file__).parents[3] / "benchmarks" / "odd_tables.py"))
FOUND = (7880,)
"""Seeds of cases that once ended otherwise."""


def test_odd_tables_are_a_task_or_one_line(tmp_path: Path) -> None:
    ends = {seed: CAMPAIGN["ended"](tmp_path, np.random.Generator(np.random.Philox(key=seed)))
            for seed in (*range(150), *FOUND)}  # fmt: skip
    assert {seed: end for seed, end in ends.items() if end[0] not in ("task", "line")} == {}
    assert sum(end[0] == "task" for end in ends.values()) > 15
