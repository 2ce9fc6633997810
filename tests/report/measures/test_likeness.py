"""Which pairs have the same results, and which only the same accuracies."""

from collections.abc import Callable
from dataclasses import replace

from headstart.looks.competitors import Pair
from headstart.report.measures.likeness import likeness
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort

A, B, C = "sgd + adam", "nova + adam", "gd + adam"


def test_losses_tell_apart_what_accuracies_do_not(table: Callable[..., Grid]) -> None:
    grid = table({"random": {A: [0.8, 0.9], B: [0.8, 0.9], C: [0.8, 0.9]}})
    runs = [replace(run, test_loss=float(run.client == "gd")) for run in grid.records.runs]
    found = likeness(sort(replace(grid.records, runs=tuple(runs))))
    sgd, nova, gd = (Pair(client, "adam") for client in ("sgd", "nova", "gd"))
    assert found.same == [[sgd, nova]]
    assert found.equal == [[sgd, nova, gd]]


def test_pairs_that_differ_in_a_seed_are_not_alike(table: Callable[..., Grid]) -> None:
    found = likeness(table({"random": {A: [0.8, 0.9], B: [0.8, 0.91]}}))
    assert (found.same, found.equal) == ([], [])
