"""Pairs, settings, and which of them are compared."""

from tests.looks.conftest import DIRICHLET, HIGH, IID, LOW, runs

from headstart.looks.competitors import Pair, deciding_setting, labels


def test_the_setting_with_most_runs_decides_and_of_equals_the_plainest() -> None:
    assert deciding_setting([IID, IID, DIRICHLET]) == IID
    assert deciding_setting([IID, DIRICHLET]) == DIRICHLET
    longer = DIRICHLET._replace(local_epochs=5)
    assert deciding_setting([longer, DIRICHLET, DIRICHLET._replace(trainable="head")]) == DIRICHLET


def test_a_part_tuned_by_start_is_one_competitor() -> None:
    mild, strong = Pair("proximal(mu=0.1)", "sgd"), Pair("proximal(mu=1)", "sgd")
    apart = [*runs("random", mild, LOW), *runs("proxy", strong, HIGH)]
    assert set(labels(apart, "client").values()) == {"proximal"}
    beside = [*apart, *runs("random", strong, LOW)]
    assert set(labels(beside, "client").values()) == {"proximal(mu=0.1)", "proximal(mu=1)"}


def test_a_part_tuned_several_times_is_one_competitor() -> None:
    mild, strong = Pair("proximal(mu=0.1)", "sgd"), Pair("proximal(mu=1)", "sgd")
    again = [{**row, "seed": 1} for row in runs("random", strong, LOW[:1])]
    assert set(labels([*runs("random", mild, LOW[:1]), *again], "client").values()) == {"proximal"}
