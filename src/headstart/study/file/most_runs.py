"""How many runs a study may have."""

import math
from typing import Any

from headstart.errors import HeadstartError

MOST_RUNS = 50_000
"""Runs of a study. Each has a folder of its own, and takes a tenth of a second at the least."""


def refuse_too_many_runs(grids: list[dict[str, list[Any]]]) -> None:
    """Before any grid is spanned: what is to be refused is not made."""
    runs = sum(math.prod(map(len, axes.values())) for axes in grids)
    if runs > MOST_RUNS:
        longest = []
        for axis, values in max(grids, key=lambda axes: len(axes["seeds"])).items():
            if len(values) > 1:
                longest.append(f"{axis}: {len(values)}")
        raise HeadstartError(
            f"expected at most {MOST_RUNS:,} runs, got {runs:,} ({', '.join(longest)}); cut the "
            "grid, or divide it among studies"
        )
