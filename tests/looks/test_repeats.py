"""Seeds that share the rates of one repeat of the tuning, against the moments of the model that has
two sources.
"""

from statistics import fmean
from typing import Any

import numpy as np
import pytest

from headstart.errors import HeadstartError
from headstart.looks.competitors import labels
from headstart.looks.decided import decided
from headstart.looks.plans import plan_of
from headstart.looks.repeats import first_of_repeat, together
from headstart.statistics.intervals import Estimate, paired_difference, t_interval


def row(
    seed: int, accuracy: float | None, start: str = "random", client: str = "sgd", **more: Any
) -> dict[str, Any]:
    rates = {"client_rate": 0.1 * (1 + seed % 3), "server_rate": 1.0}
    setting = {"partition": "iid", "devices": "equal", "local_epochs": 1.0, "trainable": "all"}
    told = {"start": start, "client": client, "server": "sgd", "seed": seed, "status": "finished"}
    return {**told, **setting, **rates, "test_accuracy": accuracy, "test_loss": 1.0, **more}


def test_a_repeat_has_the_mean_of_its_seeds_under_the_first_of_them() -> None:
    rows = [row(seed, accuracy) for seed, accuracy in enumerate([0.2, 0.5, 0.4, 0.7])]
    found = together(rows, [0, 1, 2, 3], repeats=2)
    assert [one["seed"] for one in found] == [0, 1]
    assert [one["test_accuracy"] for one in found] == pytest.approx([0.3, 0.6])
    assert together(rows, [0, 1, 2, 3], repeats=1) == rows


def test_a_repeat_diverged_where_a_run_did_and_has_not_ended_where_one_has_not() -> None:
    ended, lost, planned = row(0, 0.5), row(2, None, status="diverged"), row(2, None, status=None)
    assert [one["status"] for one in together([ended, lost], [0, 1, 2], 2)] == ["diverged"]
    assert [one["status"] for one in together([ended, planned], [0, 1, 2], 2)] == [None]


def test_parameters_that_differ_between_repeats_are_one_competitor() -> None:
    rows = [row(0, 0.5, client="proximal(mu=0.1)"), row(1, 0.5, client="proximal(mu=1)")]
    assert set(labels(rows, "client").values()) == {"proximal"}
    assert [one["client"] for one in together(rows, [0, 1], 2)] == ["proximal", "proximal"]


def test_what_is_decided_counts_a_repeat_once() -> None:
    """Four seeds of two repeats are two results: three are needed for Student's t of two
    degrees.
    """
    settings = {"tuning": {"repeats": 3}, "seeds": [0, 1, 2, 3, 4, 5]}
    plan = plan_of(settings)
    assert (plan.seeds, plan.looks.seeds) == ((0, 1, 2), (3,))
    rows = [row(seed, 0.5 + 0.1 * (seed % 3)) for seed in range(6)]
    rows += [row(seed, 0.7 + 0.1 * (seed % 3) + 0.001 * seed, start="proxy") for seed in range(6)]
    found = decided(rows, plan)
    assert found.last is not None
    assert found.last.seeds == 3


def test_looks_at_each_seed_need_a_tuning_for_each() -> None:
    """Seeds of one repeat are alike, so that a further one is not the independent result that a
    look counts on.
    """
    until = {"until": "decided", "first": 3, "at_most": 5}
    with pytest.raises(
        HeadstartError,
        match=r"^tuning.repeats: .* expected 1, or one for each of at most 5 seeds, got 2",
    ):
        plan_of({"tuning": {"repeats": 2}, "seeds": until})
    assert plan_of({"tuning": {"repeats": 5}, "seeds": until}) == plan_of({"seeds": until})


SIGMA_TUNING, SIGMA_SEED, REPEATS, EACH = 3.5, 1.0, 3, 4


def differences(generator: np.random.Generator) -> dict[int, float]:
    """By seed, between two starts that do not differ: each was tuned,
    with an effect of its own on every repeat.
    """
    of_tuning = generator.normal(0, SIGMA_TUNING, REPEATS)
    seeds = range(REPEATS * EACH)
    return {seed: of_tuning[seed % REPEATS] + generator.normal(0, SIGMA_SEED) for seed in seeds}


def covered(study: dict[int, float]) -> tuple[bool, bool]:
    """Whether 0 lies in the interval over the repeats, and in that over the seeds."""
    first = first_of_repeat(list(study), REPEATS)
    means: dict[int, list[float]] = {}
    for seed, value in study.items():
        means.setdefault(first[seed], []).append(value)
    over_repeats = t_interval(map(fmean, means.values()))
    over_seeds = paired_difference(study, dict.fromkeys(study, 0.0))
    assert over_seeds is not None
    return holds_zero(over_repeats), holds_zero(over_seeds)


def holds_zero(e: Estimate) -> bool:
    assert e.low is not None
    assert e.high is not None
    return e.low <= 0 <= e.high


@pytest.mark.slow
def test_intervals_over_repeats_hold_what_tuning_again_changes() -> None:
    """4,000 studies: 95 % of the intervals over repeats hold the truth (sd .34 %). By the model the
    mean of 12 seeds has variance (12.25 + .25) / 3 = 4.2, of which the interval over seeds sees
    about .8.
    """
    generator = np.random.Generator(np.random.Philox(key=16))
    found = np.array([covered(differences(generator)) for _ in range(4000)])
    over_repeats, over_seeds = found.mean(axis=0)
    assert over_repeats == pytest.approx(0.95, abs=0.011)
    assert over_seeds < 0.75
