"""Error spending against published boundaries and against a count over simulated studies."""

import numpy as np
import pytest
from scipy import special

from headstart.statistics.joint.sequential import (
    LEVEL,
    Looks,
    grown,
    held_back,
    late,
    levels,
    one_look,
    until_decided,
)


def test_five_looks_of_one_level_have_pococks_boundary() -> None:
    """Jennison and Turnbull (2000), table 2.1: K = 5, two-sided 5 %, all at 2.413."""
    looks = Looks((1, 2, 3, 4, 5), _spent_at([2.413] * 5))
    assert _boundary(looks) == pytest.approx([2.413] * 5, abs=0.01)
    assert looks.spent[-1] == pytest.approx(0.05, abs=5e-4)


def test_five_looks_of_obrien_and_fleming() -> None:
    """Jennison and Turnbull (2000), table 2.3: K = 5, two-sided 5 %, 2.040 sqrt(5 / k)."""
    boundary = [2.040 * (5 / k) ** 0.5 for k in range(1, 6)]
    looks = Looks((1, 2, 3, 4, 5), _spent_at(boundary))
    assert _boundary(looks)[1:] == pytest.approx(boundary[1:], abs=0.03)
    assert looks.spent[-1] == pytest.approx(0.05, abs=5e-4)


def test_a_study_that_is_looked_at_after_every_seed_errs_as_often_as_it_may() -> None:
    looks = until_decided(3, 20)
    assert looks.spent[-1] == LEVEL
    sums = np.random.default_rng(0).standard_normal((200_000, 20)).cumsum(axis=1)
    found = np.abs(sums[:, 2:]) / np.sqrt(looks.seeds) > _boundary(looks)
    assert found.any(axis=1).mean() == pytest.approx(LEVEL, abs=0.002)


def test_what_grew_unplanned_spends_what_is_left() -> None:
    looks = grown(one_look(3), (4, 6))
    assert looks.seeds == (3, 4, 6)
    assert looks.spent[0] == 0.04 < looks.spent[1] < looks.spent[2] == LEVEL
    assert levels(looks)[0] == pytest.approx(0.04)
    assert levels(Looks((3, 4), (0.05, 0.05)))[1] == 0.0


def test_one_look_is_not_late_and_what_grows_from_it_leaves_it_as_it_was() -> None:
    assert late(one_look(3)) == one_look(3)
    assert late(grown(one_look(3), (4, 5))).spent[0] == 0.04
    planned = until_decided(3, 20)
    assert all(a <= b for a, b in zip(late(planned).spent, planned.spent, strict=True))
    assert late(planned).spent[-1] == pytest.approx(LEVEL)


def test_what_is_held_back_is_half_of_what_is_left_and_spent_in_the_end() -> None:
    assert held_back(one_look(3)) == one_look(3)
    assert held_back(grown(one_look(3), (4, 5))).spent[0] == 0.04
    planned = until_decided(3, 20)
    assert held_back(planned).spent[-1] == pytest.approx(LEVEL)
    middle, rest = planned.spent[7], LEVEL - planned.spent[0]
    assert planned.spent[0] + (middle - planned.spent[0]) / 2 < held_back(planned).spent[7] < middle
    assert held_back(planned).spent[16] - held_back(planned).spent[15] < rest / 4


def _boundary(looks: Looks) -> list[float]:
    return [float(-special.ndtri(level / 2)) for level in levels(looks)]


def _spent_at(boundary: list[float]) -> tuple[float, ...]:
    """The error spent with this boundary at equal steps, counted over simulated sums."""
    sums = np.random.default_rng(1).standard_normal((2_000_000, len(boundary))).cumsum(axis=1)
    beyond = np.abs(sums) / np.sqrt(np.arange(1, len(boundary) + 1)) > boundary
    return tuple(np.maximum.accumulate(beyond, axis=1).mean(axis=0).tolist())
