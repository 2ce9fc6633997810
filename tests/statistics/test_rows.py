"""What another draw of test rows could change, against draws."""

import numpy as np
import pytest

from headstart.statistics.rows import moved_at_most

DRAWS = 20_000


def moved(together: np.ndarray, rows: int) -> float:
    """The half-width that 95 % of draws keep within, of rows that are right for one, for the other,
    for both or for none with these probabilities [both, one, other, none].
    """
    counts = np.random.default_rng(1).multinomial(rows, together, size=DRAWS)
    differences = (counts[:, 1] - counts[:, 2]) / rows
    return float(np.quantile(np.abs(differences - (together[1] - together[2])), 0.95))


@pytest.mark.parametrize("rows", [200, 1200])
def test_it_is_what_draws_come_to_where_models_are_independent(rows: int) -> None:
    one, other = 0.87, 0.80
    apart = np.array([one * other, one * (1 - other), other * (1 - one), (1 - one) * (1 - other)])
    assert moved_at_most(one, other, rows) == pytest.approx(moved(apart, rows), rel=0.06)


def test_models_that_agree_move_less() -> None:
    """Both right on 78 % and both wrong on 11: that both are right on 69.6 is independence."""
    agree = np.array([0.78, 0.09, 0.02, 0.11])
    assert moved(agree, 400) < 0.65 * moved_at_most(0.87, 0.80, 400)


def test_models_without_errors_move_nothing() -> None:
    assert moved_at_most(1.0, 1.0, 50) == 0.0
    assert moved_at_most(1.0, 0.0, 50) == 0.0
