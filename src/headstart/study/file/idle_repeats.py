"""Repeats of a tuning must each have seeds."""

from typing import Any

from headstart.errors import HeadstartError
from headstart.study.file.keys import Tuning


def refuse_idle_repeats(tuning: Tuning, grids: list[dict[str, list[Any]]]) -> None:
    """Refuse repeats of the tuning whose rates no judged seed would be run with."""
    for axes in grids:
        used = set(map(tuning.repeat_of, axes["seeds"]))
        if len(used) < tuning.repeats:
            raise HeadstartError(
                f"tuning.repeats: a seed takes the rates of repeat number seed % {tuning.repeats}; "
                f"expected seeds for all {tuning.repeats}, got some for {len(used)}; name more "
                "seeds, or fewer repeats"
            )
