"""A test for each rule of the verdict, on tables whose answer is plain, contrary or open."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from headstart.report.appendix.completeness import missing
from headstart.report.judgement.reading import Reading
from headstart.report.judgement.verdict import verdict
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

Table = Callable[..., Grid]
A, B, C = "sgd + adam", "sgd + sgd", "nova + adam"


def test_ahead_in_final_accuracy(table: Table) -> None:
    found = verdict(
        table(
            {
                "random": {A: [0.80, 0.81, 0.82], B: [0.5, 0.5, 0.5]},
                "proxy": {A: [0.899, 0.91, 0.921], B: [0.6, 0.6, 0.6]},
            }
        )
    )
    assert found.where.decided
    assert found.where.claim == "Begin from proxy"
    assert "+10.0 points [+9.8, +10.2] of final test accuracy against random" in found.where.evidence


def test_the_contrary_is_said_as_plainly(table: Table) -> None:
    found = verdict(table({"random": {A: [0.90, 0.91, 0.92]}, "proxy": {A: [0.80, 0.81, 0.83]}}))
    assert (found.where.decided, found.where.claim) == (True, "Begin from random")


def test_undecided_where_the_interval_holds_zero(table: Table) -> None:
    found = verdict(table({"random": {A: [0.80, 0.85, 0.90]}, "proxy": {A: [0.91, 0.84, 0.82]}}))
    assert (found.where.decided, found.where.claim) == (False, "The data do not say where to begin")


def test_one_seed_decides_nothing(table: Table) -> None:
    found = verdict(table({"random": {A: [0.2], B: [0.1]}, "proxy": {A: [0.9], B: [0.1]}}))
    assert not found.where.decided
    assert "one seed gives no interval" in found.where.evidence
    assert not found.which.decided
    assert "one seed cannot tell it apart from any of 1 other" in found.which.evidence


def test_ahead_on_average_only(table: Table) -> None:
    """At the best pairs the seeds disagree; the other pair is 30 points ahead in every seed."""
    random = {A: [0.90, 0.91, 0.92], B: [0.40, 0.41, 0.42]}
    proxy = {A: [0.91, 0.93, 0.92], B: [0.70, 0.71, 0.72]}
    found = verdict(table({"random": random, "proxy": proxy}))
    assert (found.where.decided, found.where.claim) == (True, "Begin from proxy")
    assert "not decided is +1.0 points" in found.where.evidence


def test_ahead_on_average_though_the_other_shows_the_best_pair(table: Table) -> None:
    random = {A: [0.90, 0.94, 0.91], B: [0.40, 0.41, 0.42]}
    proxy = {A: [0.91, 0.91, 0.91], B: [0.70, 0.74, 0.72]}
    found = verdict(table({"random": random, "proxy": proxy}))
    assert (found.where.decided, found.where.claim) == (True, "Begin from proxy")
    assert "not decided is \u22120.7 points" in found.where.evidence
    assert "from proxy" in found.which.evidence


def test_faster_where_final_accuracy_decides_nothing(table: Table) -> None:
    study = table(
        {"random": {A: [0.90, 0.91, 0.92]}, "proxy": {A: [0.91, 0.92, 0.90]}},
        rounds_to_target={"random": [60, 64, 62], "proxy": [20, 22, 24]},
    )
    found = verdict(study)
    assert found.where.claim == "Begin from proxy for speed"
    assert "80% takes 22 rounds from proxy and 62 from random, 65% fewer bytes" in found.where.evidence


def test_a_target_that_one_start_never_reaches_is_said(table: Table) -> None:
    study = table(
        {"random": {A: [0.5, 0.51, 0.52]}, "proxy": {A: [0.9, 0.91, 0.92]}},
        rounds_to_target={"random": [None, None, None], "proxy": [20, 22, 24]},
    )
    assert "80% is reached by 3 of 3 runs from proxy and 0 of 3 runs from random" in verdict(study).where.evidence


def test_the_same_lead_in_every_seed_is_no_certainty(table: Table) -> None:
    """Accuracies come in steps of a test row: one row more in each of three seeds was `p = 0`."""
    rows = [0.8, 0.81, 0.79]
    found = verdict(table({"random": {A: rows, B: [0.5] * 3}, "proxy": {A: [a + 0.0025 for a in rows], B: [0.5] * 3}}))
    assert (found.where.decided, found.which.decided) == (False, True)
    assert "+0.2 points (3 equal seeds) of final test accuracy against random" in found.where.evidence


def test_best_pair_ahead_but_others_behind_is_cautioned(table: Table) -> None:
    random = {A: [0.80, 0.81, 0.80], B: [0.79, 0.78, 0.79]}
    proxy = {A: [0.90, 0.90, 0.90], B: [0.10, 0.11, 0.10]}
    found = verdict(table({"random": random, "proxy": proxy}))
    assert found.where.claim == "Begin from proxy"
    assert "with other pairs random can be the better" in found.where.evidence


def test_of_three_starts_one_is_ruled_out(table: Table) -> None:
    starts = {"random": {A: [0.5, 0.5, 0.5]}, "proxy": {A: [0.9, 0.91, 0.92]}, "hub": {A: [0.92, 0.9, 0.9]}}
    found = verdict(table(starts))
    assert found.where.claim == "Begin from proxy or hub, not from random"


def test_only_one_start(table: Table) -> None:
    found = verdict(table({"proxy": {A: [0.9, 0.91, 0.9], B: [0.1, 0.1, 0.1]}}))
    assert (found.where.decided, found.where.claim) == (False, "This study cannot say where to begin")
    assert found.which.claim == f"Use {A}"


def test_a_start_from_which_every_pair_diverged(table: Table) -> None:
    found = verdict(table({"random": {A: [None, 0.9]}, "proxy": {A: [0.5, 0.5]}}))
    assert found.where.claim == "Begin from proxy"
    assert "from random every pair has a diverged run" in found.where.evidence


def test_everything_diverged(table: Table) -> None:
    found = verdict(table({"random": {A: [None]}, "proxy": {A: [None]}}))
    assert not found.where.decided
    assert "every pair has a diverged run" in found.where.evidence
    assert not found.which.decided


def test_starts_without_a_common_seed(table: Table) -> None:
    study = table({"random": {A: [0.8, 0.81, 0.82, 0.8]}, "proxy": {A: [0.9, 0.91, 0.92, 0.9]}})
    runs = tuple(run for run in study.records.runs if (run.start == "random") == (run.seed < 2))
    found = verdict(sort(replace(study.records, runs=runs)))
    assert not found.where.decided
    assert found.where.text == (
        "This study cannot say where to begin yet: runs from proxy have no seed in common with those from random; "
        "give all starts the same seeds."
    )


def test_a_pair_that_lacks_seeds_is_left_out_of_means_and_said(table: Table) -> None:
    """One run of C from proxy, five of the others: with it every mean would be over one seed."""
    random = {A: [0.80, 0.81, 0.82, 0.83, 0.80], B: [0.70, 0.71, 0.73, 0.71, 0.70], C: [0.5] * 5}
    proxy = {A: [0.90, 0.92, 0.91, 0.91, 0.90], B: [0.80, 0.81, 0.81, 0.82, 0.80], C: [0.99]}
    study = table({"random": random, "proxy": proxy})
    found = verdict(study)
    assert found.where.decided
    assert "(one seed)" not in found.where.text
    assert found.which.decided
    assert found.which.text.startswith(f"Use {A}")
    assert "1 pair with fewer seeds left out" in found.which.evidence
    assert f"Left out of ranks and means, for fewer seeds from every start: {C} (1 seed)." in missing(study)


def test_pairs_with_diverged_runs_that_a_mean_lacks_are_counted(table: Table) -> None:
    random = {A: [0.80, 0.81, 0.82], B: [0.70, 0.71, 0.72]}
    found = verdict(table({"random": random, "proxy": {A: [0.90, 0.92, 0.91], B: [0.9, None, 0.9]}}))
    assert "on average at the same pair (1 pair with diverged runs left out)" in found.where.evidence


def test_accuracy_that_was_not_measured_is_not_divergence(table: Table) -> None:
    study = table({"random": {A: [0.8, 0.8], B: [0.8, None]}, "proxy": {A: [0.9, 0.9], B: [0.8, 0.9]}})
    runs = tuple(replace(run, test_accuracy=None) for run in study.records.runs)
    reading = Reading(Path("constructed"), sort(replace(study.records, runs=runs)))
    found = reading.verdict
    assert "accuracy was not measured: add the probe evaluation" in found.where.text
    assert "accuracy was not measured: add the probe evaluation" in found.which.text
    assert "diverged" not in found.where.text + found.which.text
    assert "Accuracy was not measured: add the probe evaluation to the study file." in reading.cautions.sentences
    assert reading.shown == []


def test_no_common_pair(table: Table) -> None:
    found = verdict(table({"random": {A: [0.9]}, "proxy": {B: [0.9]}}))
    assert "no pair has runs from every start" in found.where.evidence


def test_pair_ahead_of_all_others(table: Table) -> None:
    found = verdict(table({"random": {A: [0.9, 0.91, 0.92], B: [0.5, 0.51, 0.53], C: [0.4, 0.41, 0.44]}}))
    assert found.which.decided
    assert "ahead of all 2 others, best in 100% of bootstrap samples" in found.which.evidence


def test_one_other_pair_is_called_so(table: Table) -> None:
    good, bad, level = [0.9, 0.91, 0.92], [0.5, 0.51, 0.53], [0.91, 0.9, 0.9]
    assert "ahead of the other pair, best in" in verdict(table({"random": {A: good, B: bad}})).which.evidence
    assert "but the other pair cannot be told apart" in verdict(table({"random": {A: good, B: level}})).which.evidence


def test_pair_level_with_some(table: Table) -> None:
    found = verdict(table({"random": {A: [0.90, 0.91, 0.92], B: [0.1, 0.1, 0.1], C: [0.91, 0.90, 0.90]}}))
    assert found.which.claim == f"Use {A}"
    assert f"1 of 2 others cannot be told apart from it ({C})" in found.which.evidence


def test_no_pair_stands_out(table: Table) -> None:
    found = verdict(table({"random": {A: [0.90, 0.91, 0.92], B: [0.92, 0.90, 0.90], C: [0.91, 0.90, 0.90]}}))
    assert (found.which.decided, found.which.claim) == (False, "No pair stands out")


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_diverged_pair_is_counted_and_never_recommended(table: Table, seed: int) -> None:
    best: list[float | None] = [0.99, 0.99, 0.99]
    best[seed] = None
    found = verdict(table({"random": {A: best, B: [0.5, 0.51, 0.52], C: [0.4, 0.41, 0.43]}}))
    assert found.which.claim == f"Use {B}"
    assert "1 pair had a diverged run" in found.which.evidence


def test_holm_counts_the_pairs(table: Table) -> None:
    """The same gap, p = 0.030 by its t of 5.7: told apart from one rival, not beside three more as close."""
    best, close = [0.90, 0.91, 0.92], [0.86, 0.88, 0.87]
    assert not verdict(table({"random": {A: best, B: close}})).which.evidence.count("told apart")
    rivals = {f"{client} + sgd": close for client in ("sgd", "nova", "gd", "mimelite")}
    assert "4 of 4 others cannot be told apart" in verdict(table({"random": {A: best} | rivals})).which.evidence


def test_all_tests_of_the_first_sentence_are_corrected_together(table: Table) -> None:
    """One pair, 1.7 points ahead with t = 5.0, p = 0.038: alone it decides. With rounds to the target, which say
    nothing, two tests are looked at, and 0.075 does not."""
    random, proxy = {A: [0.800, 0.800, 0.800]}, {A: [0.810, 0.820, 0.820]}
    assert verdict(table({"random": random, "proxy": proxy})).where.claim == "Begin from proxy"
    rounds = {"random": [50, 60, 40], "proxy": [60, 40, 50]}
    found = verdict(table({"random": random, "proxy": proxy}, rounds_to_target=rounds))
    assert (found.where.decided, found.where.claim) == (False, "The data do not say where to begin")


@pytest.mark.slow
def test_starts_that_are_equal_are_told_apart_at_most_at_the_level(table: Table) -> None:
    """Four pairs, three seeds, rounds to a target: nothing differs but noise. Three standard errors are left to chance;
    without the correction 12 % were decided."""
    rng = np.random.Generator(np.random.Philox(key=5))
    decided, trials = 0, 1500
    pairs = [A, B, C, "sgd + yogi"]
    for _ in range(trials):
        noise = rng.normal(0.8, 0.02, (2, 4, 3))
        scores = {s: dict(zip(pairs, noise[i].tolist(), strict=True)) for i, s in enumerate(("random", "proxy"))}
        rounds = {s: rng.integers(20, 90, 3).tolist() for s in scores}
        decided += verdict(table(scores, rounds_to_target=rounds)).where.decided
    assert decided / trials < 0.05 + 3 * np.sqrt(0.05 * 0.95 / trials)
