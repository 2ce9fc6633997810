"""With what: a set of pairs that are as good as any, those to avoid, and those that are open."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.report.judgement.reading import Reading
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.headlines import Headlines
from headstart.report.verdict.outlook import outlook
from headstart.report.verdict.sentences import Sentence
from headstart.report.verdict.sureness import how_sure
from headstart.report.verdict.where import where_to_begin
from headstart.report.verdict.which import cell_to_take, with_what
from headstart.tables import BaselineRow

Table = Callable[..., Grid]
A, B, C = "sgd + adam", "sgd + sgd", "gd + adam"
FEDADAM, FEDAVG, FULL_BATCH = "FedAdam", "FedAvg", "FedAdam with full-batch clients"
OPEN = "It is not decided with what"
SEEDS = 6


def one(table: Table, pairs: Mapping[str, Sequence[float | None]], **given: object) -> Grid:
    return table({"random": pairs}, **given)


def test_the_pair_that_is_ahead_of_all_others(table: Table) -> None:
    grid = one(table, {A: [0.90, 0.91, 0.92], B: [0.50, 0.51, 0.52], C: [0.40, 0.412, 0.42]})
    found = with_what(grid, "random")
    assert (found.decided, found.claim) == (True, f"Use {FEDADAM}")
    assert (found.names, found.avoid, found.open) == ((FEDADAM,), (FEDAVG, FULL_BATCH), ())
    assert found.evidence.startswith(
        "91.0% from random, ahead of each of the 2 others, of the nearest by +40.0 points"
    )


def test_pairs_that_are_level_are_named_together_and_the_poor_one_is_to_be_avoided(
    table: Table,
) -> None:
    level = [0.900, 0.911, 0.899, 0.902, 0.905, 0.904]
    other = [0.901, 0.910, 0.899, 0.903, 0.905, 0.904]
    found = with_what(
        one(table, {A: level, B: other, C: [0.5, 0.51, 0.5, 0.52, 0.49, 0.5]}), "random"
    )
    assert (found.decided, found.claim) == (True, f"Use {FEDAVG} or {FEDADAM}")
    assert (found.names, found.avoid, found.open) == ((FEDAVG, FEDADAM), (FULL_BATCH,), ())
    assert "no pair is better than these by more than 0.5 points" in found.evidence
    assert found.evidence.endswith(f"avoid {FULL_BATCH}")


def test_the_pair_to_take_is_the_one_that_is_named_first(table: Table) -> None:
    """FedAdam has the higher mean; where only FedAvg is shown to be good, that is the one."""
    grid = one(table, {A: [0.90, 0.93, 0.91], B: [0.90, 0.901, 0.902]})
    for names, pair in (((FEDAVG,), B), ((FEDADAM, FEDAVG), A), ((), A)):
        cell = cell_to_take(grid, "random", Sentence(True, "Use it", names=names))
        assert cell is not None
        assert str(cell.pair) == pair
    assert cell_to_take(one(table, {A: [None, None]}), "random", Sentence(False, "Nothing")) is None


def test_what_may_be_as_good_is_said_in_words(table: Table) -> None:
    """FedAvg is never half a point behind, and FedAdam may be."""
    steady = [0.8943, 0.8951, 0.8932, 0.8937, 0.8946, 0.8939, 0.8941, 0.8948]
    jumping = [value + 0.0009 for value in steady]
    jumping[2] -= 0.006
    grid = one(table, {A: jumping, B: steady, C: [0.5, 0.51, 0.5, 0.52, 0.49, 0.5, 0.51, 0.5]})
    found = with_what(grid, "random")
    assert (found.names, found.open) == ((FEDAVG,), (FEDADAM,))
    assert found.evidence.endswith(
        f"avoid {FULL_BATCH}; {FEDADAM} may be as good, which is not decided"
    )


def test_while_accuracy_rises_pairs_are_level_for_so_many_rounds(table: Table) -> None:
    level = [0.900, 0.911, 0.899, 0.902, 0.905, 0.904]
    other = [0.901, 0.910, 0.899, 0.903, 0.905, 0.904]
    found = with_what(one(table, {A: level, B: other}), "random", rising="it rises")
    assert found.decided
    assert found.claim == f"Use {FEDAVG} or {FEDADAM}, as far as these rounds tell"


def test_one_bad_pair_recommends_none_of_the_others(table: Table) -> None:
    """It used to be "Use X" as soon as one pair was told apart."""
    grid = one(table, {A: [0.90, 0.93, 0.91], B: [0.92, 0.90, 0.925], C: [0.40, 0.41, 0.42]})
    found = with_what(grid, "random")
    assert (found.decided, found.claim) == (False, f"{OPEN}; avoid {FULL_BATCH}")
    assert (found.avoid, set(found.open)) == ((FULL_BATCH,), {FEDADAM, FEDAVG})


def test_what_so_few_seeds_can_tell_apart_is_said(table: Table) -> None:
    """The difference is 1.5 points with an sd of 1.8."""
    grid = one(table, {A: [0.90, 0.92, 0.91], B: [0.88, 0.925, 0.88]})
    found = with_what(grid, "random")
    assert (found.decided, found.claim, found.names) == (False, OPEN, (FEDADAM,))
    last = grid.decided.last
    assert last is not None
    chance, luck = last.chances[0, 0], last.luck[0, 0]
    assert found.evidence.startswith(
        f"{FEDADAM} leads with 91.0% from random (the best of 2 pairs that are not told apart: "
        f"were they equal, {100 * luck:.1g} points of it would be luck), "
        f"and is the best with a chance of {100 * chance:.0f}%; "
        "1 other may be as good"
    )
    bounds = last.pairs[0, 0, 1]
    half = 100 * (bounds.high - bounds.low) / 2
    assert found.evidence.endswith(
        f"3 seeds tell pairs apart only where they differ by about {half:.1f} points or more"
    )


def test_the_accuracy_that_leads_is_that_of_its_seeds(table: Table) -> None:
    """Beside a pair that varies by 11 points it was printed below all of its own seeds: 42.1 %."""
    steady, wild = [0.449, 0.4475, 0.4544], [0.32, 0.50, 0.40]
    found = with_what(one(table, {A: steady, B: wild}), "random")
    assert found.evidence.startswith(f"{FEDADAM} leads with 45.0% from random, and is the best")


def test_pairs_that_are_one_are_named_together_and_counted_once(table: Table) -> None:
    best = [0.90, 0.91, 0.92]
    grid = one(table, {A: best, "nova + adam": best, B: [0.50, 0.51, 0.52]})
    found = with_what(grid, "random")
    assert found.claim == f"Use {FEDADAM} (FedAdam with FedNova clients is the same)"
    assert found.avoid == (FEDAVG,)
    assert "ahead of the other pair by" in found.evidence


def test_only_one_pair(table: Table) -> None:
    found = with_what(one(table, {A: [0.90, 0.91, 0.92]}), "random")
    assert found.text == f"Only one pair, {FEDADAM}, was run: 91.0% from random."
    assert (found.decided, found.names) == (False, (FEDADAM,))


def test_pairs_with_diverged_runs_are_counted(table: Table) -> None:
    grid = one(table, {A: [0.90, 0.91, 0.92], B: [0.50, 0.51, 0.52], C: [0.99, None, 0.99]})
    found = with_what(grid, "random")
    assert found.claim == f"Use {FEDADAM}"
    assert found.evidence.endswith("1 pair had a diverged run")
    lost = with_what(one(table, {A: [None, 0.9, 0.9], B: [0.9, None, 0.9]}), "random")
    assert lost.text == "No pair can be recommended from random: every pair has a diverged run."


def test_nothing_is_recommended_before_the_first_look(table: Table) -> None:
    missing = with_what(one(table, {A: [0.9, 0.91], B: [0.5, 0.51]}, seeds=[0, 1, 2]), "random")
    assert (
        missing.text
        == "No pair is recommended yet: 2 runs of its first look, at 3 seeds, are missing."
    )
    grid = one(table, {A: [0.8, 0.81]})
    runs = tuple(replace(run, test_accuracy=None) for run in grid.records.runs)
    unmeasured = with_what(sort(replace(grid.records, runs=runs)), "random")
    assert "accuracy was not measured" in unmeasured.text


def test_no_pair_is_of_use_where_nothing_was_learned(table: Table) -> None:
    grid = one(table, {A: [0.90, 0.91, 0.92], B: [0.50, 0.51, 0.52]})
    assert not with_what(grid, "random", floor="no better than constant").decided
    found = with_what(grid, "random", untrained="training added nothing")
    assert (
        found.text
        == "Use random as it is, without training: no pair improves on its weights by more than "
        "0.5 points."
    )


def test_of_equal_pairs_and_one_bad_one_hardly_ever_one_is_named(table: Table) -> None:
    """Eleven equal pairs and one 25 points worse: "Use X" was claimed in every study of five
    seeds.
    """
    draw = np.random.Generator(np.random.Philox(key=11))
    named = 0
    for study in (0.8 + draw.normal(0, 0.02, (60, 12, 5))).tolist():
        study[11] = [value - 0.25 for value in study[11]]
        pairs = {f"c{i} + sgd": values for i, values in enumerate(study)}
        named += with_what(one(table, pairs), "random").decided
    assert named <= 60 * 0.05 + 3 * (60 * 0.05 * 0.95) ** 0.5


def test_accuracies_in_steps_of_a_test_row_are_no_certainty(table: Table) -> None:
    """Of 400 test rows: three seeds that agree exactly are no proof;
    "Use P" was false in 9 to 12 %.
    """
    draw = np.random.Generator(np.random.Philox(key=12))
    named, studies = 0, 200
    for study in np.round(400 * (0.9 + draw.normal(0, 0.001, (studies, 2, 3)))) / 400:
        grid = one(table, dict(zip((A, B), study.tolist(), strict=True)))
        runs = tuple(replace(run, test_predictions=400) for run in grid.records.runs)
        found = with_what(sort(replace(grid.records, runs=runs)), "random")
        named += bool(found.avoid)
    assert named / studies <= 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5


def test_the_accuracy_that_is_printed_of_the_best_of_many_equal_pairs_is_not_too_high(
    table: Table,
) -> None:
    """Two starts, twelve equal pairs, three seeds with a standard deviation of 2 points: the
    highest mean is too high by 2.2 points, less the luck that the sentence tells by .3 at most.
    """
    generator, printed, highest, chances = np.random.default_rng(0), [], [], []
    for _ in range(100):
        values = 0.8 + 0.02 * generator.standard_normal((2, 12, 3))
        accuracies = {}
        for start, of_start in zip(("random", "proxy"), values.tolist(), strict=True):
            accuracies[start] = {
                f"c{place} + adam": of_pair for place, of_pair in enumerate(of_start)
            }
        grid = table(accuracies)
        last = grid.decided.last
        assert last is not None
        assert last.leader is not None
        said = with_what(grid, grid.decided.starts[last.leader]).text
        found = re.search(
            r"leads with ([\d.]+)% .* equal, ([\d.]+) points? of .* a chance of (\d+)%", said
        )
        assert found, said
        printed.append(float(found[1]) - float(found[2]))
        chances.append(float(found[3]))
        highest.append(100 * float(values.mean(axis=2).max()))
    assert np.mean(highest) - 80 > 2
    assert abs(np.mean(printed) - 80) < 0.3
    assert np.mean(chances) < 25  # each has 8 %


def test_under_repeats_of_the_tuning_it_counts_tunings(table: Table) -> None:
    """Six seeds at the rates of three tunings are three results."""
    random, proxy = [0.80, 0.82, 0.81, 0.80, 0.82, 0.81], [0.83, 0.82, 0.83, 0.83, 0.82, 0.83]
    pairs = {
        "random": {"sgd + adam": random, "sgd + sgd": proxy},
        "proxy": {"sgd + adam": proxy, "sgd + sgd": random},
    }
    grid = table(pairs, tuning={"trials": 3, "repeats": 3})
    assert grid.decided.unit == "tuning"
    assert "3 tunings" in with_what(grid, "random").text
    assert "after 3 tunings" in where_to_begin(grid).text
    assert "at 3 tunings" in how_sure(grid, "random")
    left = outlook(grid, "random", "out", Headlines())
    assert "A new folder with 40 tunings" in left.sentence
    assert "--until" not in left.command


@pytest.mark.parametrize(("constant", "is_said"), [(0.6, True), (0.3, False)])
def test_the_constant_answer_stands_beside_an_accuracy_that_is_mostly_that(
    table: Table, constant: float, is_said: bool
) -> None:
    grid = one(table, {A: [0.80, 0.81, 0.82]})
    row: dict[str, Any] = dict.fromkeys(BaselineRow.__dataclass_fields__)
    held = BaselineRow(**row | {"baseline": "constant", "accuracy": constant, "loss": 1.0})
    said = Reading(Path(), sort(replace(grid.records, baselines=(held,)))).verdict.which.text
    assert said.endswith("one and the same answer to every row gets 60.0% right.") == is_said
