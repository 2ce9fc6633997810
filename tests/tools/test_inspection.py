"""Measures of splits against their definitions and closed forms."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from headstart.tools.inspection import Inspection, gini, inspect, likeness, lines
from headstart.tools.partitions import inspect_named

DRAW = np.random.Generator(np.random.Philox(key=5))


def found(sizes: list[int], labels: list[int], classes: int) -> Inspection:
    rows = np.arange(sum(sizes))
    names = [f"class {c}" for c in range(classes)]
    return inspect("made up", np.array(sizes), rows, np.array(labels), names, DRAW)


def test_gini_is_the_mean_absolute_difference_over_twice_the_mean() -> None:
    for _ in range(20):
        sizes = DRAW.integers(1, 100, 30)
        expected = np.abs(sizes[:, None] - sizes).mean() / (2 * sizes.mean())
        assert gini(sizes) == pytest.approx(expected, rel=1e-12)


def test_variation_is_half_the_l1_distance_and_a_wasserstein_distance() -> None:
    """Half the L1 distance is Wasserstein's with ground distance 1 between labels: for two labels,
    0 and 1, scipy's.
    """
    labels = DRAW.integers(0, 2, 60)
    sizes = [10, 20, 30]
    split = found(sizes, labels.tolist(), 2)
    for k, part in enumerate(np.split(labels, [10, 30])):
        assert split.variation_K is not None
        assert split.variation_K[k] == pytest.approx(wasserstein_distance(part, labels), abs=1e-12)


def test_extremes() -> None:
    disjoint = found([5] * 4, np.repeat(np.arange(4), 5).tolist(), 4)
    assert disjoint.variation_K is not None
    # 1 - 1 / C: all of a client's mass is on a quarter of the whole.
    assert disjoint.variation_K.tolist() == [0.75] * 4
    alike = found([4] * 5, [0, 1, 2, 3] * 5, 4)
    assert alike.variation_K is not None
    assert alike.variation_K.tolist() == [0.0] * 5
    assert alike.as_json()["per_label"] == [
        {"label": f"class {c}", "rows": 5, "clients": 5} for c in range(4)
    ]
    assert disjoint.as_json()["labels_per_client"]["max"] == 1
    assert disjoint.as_json()["earth_movers_distance"]["mean"] == 1.5


def test_rows_out_of_order_are_counted_with_their_client() -> None:
    labels = np.array([0, 1, 1, 0, 1])
    split = inspect("x", np.array([2, 3]), np.array([4, 0, 3, 2, 1]), labels, ("a", "b"), DRAW)
    assert split.counts_KC is not None
    assert split.counts_KC.tolist() == [[1, 1], [1, 2]]


def test_iid_clients_are_as_far_from_the_whole_as_chance_says() -> None:
    """For clients of n rows and C even classes E TV is close to C/2 sqrt(2 p (1 - p) / (pi n)),
    half-normal means.
    """
    split = inspect_named("digits", "iid", 30)
    assert split.variation_K is not None
    assert split.dealt_K is not None
    expected = 10 / 2 * np.sqrt(2 * 0.1 * 0.9 / (np.pi * 40))
    for values in (split.variation_K, split.dealt_K):
        # 4.9 x deviation of one client (0.025) / sqrt(30), rounded.
        assert abs(values.mean() - expected) < 0.025
    skewed = inspect_named("digits", "dirichlet(alpha=0.1)", 30)
    assert skewed.variation_K is not None
    assert skewed.variation_K.mean() > 2 * expected


def test_clients_of_few_rows_and_many_labels_are_compared_by_pairs() -> None:
    """24 rows a client of 136 letters, each client one of five alphabets: the variation sees hardly
    more than chance.

    Two rows of an alphabet of 27 or 28 letters are equal once in 27.2 pairs, two of all rows once
    in 136.
    """
    clients, rows = 100, 24
    first = np.array([0, 28, 55, 82, 109, 136])
    letters = [DRAW.integers(first[k % 5], first[k % 5 + 1], rows) for k in range(clients)]
    split = found([rows] * clients, np.concatenate(letters).tolist(), 136)
    assert split.variation_K is not None
    assert split.dealt_K is not None
    assert split.variation_K.mean() < 1.1 * split.dealt_K.mean()
    assert split.saturated
    assert split.likeness == pytest.approx(5, rel=0.07)
    # 27,600 pairs within clients and 1 in 136 equal: 203 at random, with a deviation of sqrt(203)
    # or 7 %
    assert np.abs(np.array(split.likeness_dealt) - 1).max() < 5 * 0.07
    assert len(split.likeness_dealt) == 20
    said = lines(split)
    assert "times as often as two of all rows (dealt at random: " in said[-3]
    assert said[-2].startswith(
        "  note: clients have few rows for so many labels: dealt at random their skew is 0.8"
    )


def test_likeness_has_closed_forms() -> None:
    assert likeness(np.array([[10, 0], [0, 10]])) == pytest.approx(1 / (2 * 10 * 9 / (20 * 19)))
    assert likeness(np.array([[5, 5], [5, 5]])) == pytest.approx((40 / 90) / (90 / 190))
    assert not found([5] * 4, [0, 1, 2, 3, 3] * 4, 4).saturated
    one = found([1] * 4, [0, 1, 0, 1], 2)
    assert (one.likeness, one.likeness_dealt) == (None, ())
    assert not any("as often" in line for line in lines(one))


def test_targets_that_are_no_classes_have_sizes_only() -> None:
    split = inspect("text", np.array([1, 3]), np.arange(4), None, (), DRAW)
    assert split.as_json() == {
        "partition": "text", "clients": 2, "rows": 4,
        "sizes": {"min": 1.0, "5%": 1.1, "25%": 1.5, "median": 2.0, "75%": 2.5, "95%": 2.9,
                  "max": 3.0, "mean": 2.0, "gini": 0.25},
    }  # fmt: skip
    assert lines(split)[-1] == "  no label skew: targets are no classes"


def test_clients_are_as_many_as_a_study_would_have(tmp_path: Path) -> None:
    rows = [f"{i % 30},{i * i % 97},{i % 2}" for i in range(300)]
    (tmp_path / "owned.csv").write_text("\n".join(["who,x,y", *rows]))
    task = f"table(path={str(tmp_path / 'owned.csv')!r}, client='who', label='y', split_by='row')"
    assert [len(inspect_named(task, partition).sizes_K) for partition in ("natural", "iid")] == [
        30,
        100,
    ]
    assert len(inspect_named(task, "iid", 7).sizes_K) == 7
