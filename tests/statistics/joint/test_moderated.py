"""Variances that are drawn towards what is usual: limits that are known,
and law of their degrees.
"""

import numpy as np
import pytest

from headstart.statistics.joint.moderated import moderated

OTHERS = ~np.eye(6, dtype=bool)


def test_one_pair_keeps_its_variance() -> None:
    variance, freedom = moderated(np.array([[2.0]]), np.ones((1, 1), dtype=bool), 4, 1)
    assert variance.tolist() == [[2.0]]
    assert freedom == 4


def test_variances_that_are_equal_borrow_all_that_the_other_pairs_have() -> None:
    variance, freedom = moderated(np.where(OTHERS, 2.0, 0.0), OTHERS, 2, 6)
    assert freedom == 2 + 5 * 2
    # that of 2 degrees of freedom has a median and a logarithm below its mean: drawn upwards
    assert (variance[OTHERS] > 2.0).all()


def test_degrees_and_scale_are_found_again() -> None:
    """Independent variances of a prior with 8 degrees and scale 3, in 200 studies of 40 by 40."""
    generator = np.random.default_rng(0)
    shape = (200, 40, 40)
    true = 3 * 8 / generator.chisquare(8, shape)
    seen = true * generator.chisquare(4, shape) / 4
    variance, freedom = moderated(seen, np.ones(shape, dtype=bool), 4, 40)
    assert np.median(freedom) - 4 == pytest.approx(8, rel=0.1)
    posterior = (8 * 3 + 4 * seen) / 12
    assert np.median(np.abs(variance / posterior - 1)) < 0.05


def test_one_that_varies_ten_times_more_keeps_what_is_its_own() -> None:
    generator = np.random.default_rng(0)
    values = generator.standard_normal((500, 12, 10))
    values[:, 0] *= 10
    couples = (values[:, :, None] - values[:, None]).var(axis=-1, ddof=1)
    drawn, _ = moderated(couples, np.broadcast_to(~np.eye(12, dtype=bool), couples.shape), 9, 12)
    ratio = drawn[:, 0, 1:] / couples[:, 0, 1:]
    assert np.median(ratio) > 0.5
