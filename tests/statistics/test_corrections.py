"""Corrected p-values: the textbook's, and bounds that hold for any."""

import numpy as np
import pytest

from headstart.statistics.corrections import adjusted, holm


def test_holm_on_the_textbook_case() -> None:
    # 4 x .005, 3 x .01, then .03 and .04 share 2 x .03
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.02, None]) == [0.04, None]
    assert holm([]) == []


def test_holm_is_never_below_p_nor_above_bonferroni() -> None:
    p = list(np.random.Generator(np.random.Philox(0)).uniform(size=20) ** 3)
    for raw, found in zip(p, holm(p), strict=True):
        assert found is not None
        assert raw <= found <= min(1, 20 * raw)


def test_questions_of_which_one_hypothesis_can_be_true_cost_less() -> None:
    """Two questions: each p counts for as many as have a hypothesis that is not rejected before."""
    assert adjusted([[0.01, 0.02], [0.04, 0.5]]) == [[0.02, 0.04], [0.04, 0.5]]
    assert adjusted([[0.01, 0.9], [0.04, 0.5]]) == [[0.02, 1.0], [0.08, 1.0]]
    assert adjusted([[0.01], [None]]) == [[0.02], [None]]
