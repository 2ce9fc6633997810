"""What comes of studies that run until they have decided, against what docs/trust.md measured."""

import numpy as np
import pytest

from headstart.statistics.joint.sequential import until_decided
from headstart.tools.forecast import STUDIES, assumed, forecast

LOOKS = until_decided(3, 20)


def test_studies_vary_as_is_assumed() -> None:
    values = assumed(2, 3, 10, 0.02, 0.05)
    assert values.shape == (STUDIES, 2, 3, 10)
    assert values.std(axis=-1, ddof=1).mean() == pytest.approx(0.02, rel=0.05)
    assert values.mean(axis=(0, 2, 3)) == pytest.approx([0.05, 0.0], abs=0.001)


def test_it_is_as_often_decided_as_in_the_table() -> None:
    """Of two starts that truly differ by one standard deviation of a difference, 99 % are decided,
    by 20 seeds.

    The mean is half of 20; with a margin of a quarter of a run's standard deviation.
    """
    found = forecast(assumed(2, 1, 20, 0.01, 2**0.5 * 0.01), LOOKS, 0.0025)
    assert found.where == pytest.approx(0.99, abs=0.02)
    assert found.which == 1.0
    assert found.seeds == pytest.approx(10, abs=1)


def test_where_nothing_differs_it_is_decided_by_none_being_better() -> None:
    found = forecast(assumed(2, 1, 20, 0.01, 0.0), LOOKS, 0.02)
    assert found.where > 0.9
    assert found.ahead < 0.05


def test_a_study_that_cannot_decide_ends_early() -> None:
    found = forecast(assumed(2, 1, 20, 0.1, 0.0), LOOKS, 0.001)
    assert found.where < 0.1
    assert found.seeds < 20


def test_a_pair_that_cannot_be_used_is_left_out() -> None:
    values = assumed(2, 2, 20, 0.01, 0.1)
    values[:, :, 1] = np.nan
    assert forecast(values, LOOKS, 0.005).which == 1.0
