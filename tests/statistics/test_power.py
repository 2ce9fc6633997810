"""How many seeds decide, against tables and simulated experiments."""

import math

import numpy as np
import pytest
from scipy import special

from headstart.statistics import intervals, power


def generator() -> np.random.Generator:
    return np.random.Generator(np.random.Philox(key=7))


def _measured(mean: float, deviation: float, n: int = 4) -> intervals.Estimate:
    """An estimate with exactly this mean and standard deviation."""
    raw = np.arange(n, dtype=float)
    return intervals.t_interval(mean + deviation * (raw - raw.mean()) / raw.std(ddof=1))


@pytest.mark.parametrize(("effect", "needed"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_seeds_needed_are_those_of_the_tables_of_power(effect: float, needed: int) -> None:
    """Two-sided 5 %, power 80 %, one sample or paired: G*Power 3.1 and Cohen's table 2.4.1 give
    these numbers.
    """
    assert power.seeds_needed(_measured(effect, 1.0)) == needed
    assert power.seeds_needed(_measured(-effect, 1.0)) == needed
    assert power.seeds_needed(_measured(100 * effect, 100.0)) == needed


def test_seeds_needed_count_from_the_margin_and_end_somewhere() -> None:
    assert power.seeds_needed(_measured(0.25, 1.0), margin=0.25) == 34
    assert power.seeds_needed(_measured(0.01, 1.0)) is None
    assert power.seeds_needed(_measured(0.0, 1.0)) is None
    assert power.seeds_needed(intervals.t_interval([1.0])) is None
    assert power.seeds_needed(intervals.t_interval([1.0, 1.0])) is None
    assert power.seeds_needed(intervals.t_interval([1.0, 1.0, 1.0])) is None


def test_the_promised_power_is_what_simulated_experiments_have() -> None:
    generator = np.random.Generator(np.random.Philox(key=7))
    n = power.seeds_needed(_measured(0.7, 1.0))
    assert n is not None
    decided = [
        not (e.low <= 0 <= e.high)  # type: ignore[operator]
        for e in map(intervals.t_interval, 0.7 + generator.standard_normal((3000, n)))
    ]
    assert 0.79 < np.mean(decided) < 0.86


def test_a_stricter_level_needs_more_seeds() -> None:
    """Effect 0.5, power 80 %: 34 seeds at 5 %; at 5 % / 10, Cohen's approximation gives (2.807 +
    .842)^2 / .25 = 53.3 and its small-sample term z^2 / 2 = 3.9 more.
    """
    assert power.seeds_needed(_measured(0.5, 1.0), level=1 - 0.05 / 10) in (57, 58)


def test_seeds_find_what_takes_them_and_no_less() -> None:
    """scipy's inverse of the noncentral t is the oracle."""
    assert (power.seeds_for(0.5), power.seeds_for(-0.8), power.seeds_for(0.5, m=10)) == (34, 15, 58)
    for effect, m in ((0.3, 1), (1.5, 20)):
        n = power.seeds_for(effect, m)
        assert n is not None
        assert found_by(n, m) <= effect < found_by(n - 1, m)


def found_by(n: int, m: float) -> float:
    edge = special.stdtrit(n - 1, 1 - 0.025 / m)
    return float(special.nctdtrinc(n - 1, 1 - power.POWER, edge)) / math.sqrt(n)


def test_the_promised_power_holds_where_tests_share_the_error() -> None:
    """10 seeds, one of 25 tests: of 4,000 studies with just that difference 80 % find it (sd .6
    %).
    """
    effect, n, m = found_by(10, 25), 10, 25
    values = effect + generator().standard_normal((4000, n))
    t = values.mean(axis=1) / values.std(axis=1, ddof=1) * math.sqrt(n)
    assert np.mean(t > power.critical(n, m)) == pytest.approx(0.8, abs=0.02)
