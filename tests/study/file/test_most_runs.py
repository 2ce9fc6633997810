"""How many runs a study may have."""

from typing import Any

import pytest

from headstart.errors import HeadstartError
from headstart.study.file.most_runs import MOST_RUNS, refuse_too_many_runs


def test_the_runs_of_all_grids_count_before_they_are_spanned() -> None:
    most: dict[str, Any] = {"starts": ["random", "proxy"], "seeds": range(MOST_RUNS // 2)}
    refuse_too_many_runs([most])
    with pytest.raises(
        HeadstartError,
        match=r"expected at most 50,000 runs, got 50,001 \(starts: 2, seeds: 25000\)",
    ):
        refuse_too_many_runs([most, {"starts": ["random"], "seeds": [0]}])
