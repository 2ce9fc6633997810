"""Repeats of a tuning must each have seeds."""

import pytest

from headstart.errors import HeadstartError
from headstart.study.file.idle_repeats import refuse_idle_repeats
from headstart.study.file.keys import Tuning


def test_each_repeat_has_a_seed_or_is_refused() -> None:
    refuse_idle_repeats(Tuning(repeats=2), [{"seeds": [0, 3]}])
    with pytest.raises(
        HeadstartError, match=r"seed % 2; expected seeds for all 2, got some for 1; name more seeds"
    ):
        refuse_idle_repeats(Tuning(repeats=2), [{"seeds": [0, 1]}, {"seeds": [0, 2]}])
