"""The plan is pure, paired, and uses every row once an epoch."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from headstart.engine import plan as module
from headstart.engine.devices import DEVICES
from headstart.engine.plan import AHEAD, PAD, Plans, Population, Schedule, of_clients, plan

CLIENTS = Population(
    [np.arange(100 * i, 100 * i + size) for i, size in enumerate([1, 3, 4, 5, 8, 9, 12, 18])]
)


def schedule(devices: str = "equal", **changes: Any) -> Schedule:
    base = Schedule(4, 1, 4, "minibatch", "samples", DEVICES.build(DEVICES.component(devices)))
    return replace(base, **changes)


def test_same_labels_give_the_same_plan_and_others_another() -> None:
    a, b = plan(3, 7, CLIENTS, schedule()), plan(3, 7, CLIENTS, schedule())
    assert all(np.array_equal(getattr(a, name), getattr(b, name)) for name in vars(a))
    others = [plan(4, 7, CLIENTS, schedule()), plan(3, 8, CLIENTS, schedule())]
    assert all(not np.array_equal(a.keys_K, other.keys_K) for other in others)


@pytest.mark.parametrize("places", [1, 100, 2**15])
def test_plans_drawn_ahead_are_those_drawn_alone(
    places: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AHEAD_ROWS", places)
    plans = Plans(3, CLIENTS, schedule())
    for round_, widest in [(1, 0), (2, 0), (AHEAD, 0), (AHEAD + 1, 0), (2, 0), (2, 25), (90, 25)]:
        ahead, alone = plans(round_, widest), plan(3, round_, CLIENTS, schedule(), widest)
        assert all(
            np.array_equal(getattr(ahead, name), getattr(alone, name)) for name in vars(alone)
        )


def test_only_small_plans_are_drawn_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(module, "plan", lambda *given: drawn.append(given[1]) or plan(*given))  # type: ignore[func-returns-value]
    for places, rounds in [(2**15, AHEAD), (100, 1), (200, 2)]:  # a plan has 72 or 80 places
        monkeypatch.setattr(module, "AHEAD_ROWS", places)
        drawn.clear()
        Plans(3, CLIENTS, schedule())(5)
        assert drawn == list(range(5, 5 + rounds))


@pytest.mark.parametrize("batching", ["minibatch", "full"])
def test_a_client_planned_by_itself_does_as_in_its_cohort(batching: Any) -> None:
    asked = schedule("uneven-epochs(share=0.5)", batching=batching, local_epochs=2)
    for round_ in range(1, 10):
        drawn = plan(3, round_, CLIENTS, asked)
        for k, client in enumerate(drawn.clients_K):
            rows = CLIENTS[client]
            alone = of_clients(3, round_, drawn.clients_K[k : k + 1], [rows], asked, len(rows))
            assert alone.steps_K[0] == drawn.steps_K[k]
            assert alone.keys_K[0] == drawn.keys_K[k]
            for step in range(int(drawn.steps_K[k])):
                ours, theirs = alone.rows_KSB[0, step], drawn.rows_KSB[k, step]
                assert np.array_equal(ours[ours != PAD], theirs[theirs != PAD])


def test_every_epoch_uses_every_row_of_a_client_once() -> None:
    for round_ in range(1, 20):
        drawn = plan(0, round_, CLIENTS, schedule(local_epochs=3))
        for k, client in enumerate(drawn.clients_K):
            rows, count = np.unique(drawn.rows_KSB[k][drawn.rows_KSB[k] != PAD], return_counts=True)
            assert np.array_equal(rows, CLIENTS[client])
            assert set(count) == {3}
            assert drawn.steps_K[k] == 3 * -(-len(CLIENTS[client]) // 4)
            assert np.array_equal(
                drawn.all_rows_KM[k][drawn.all_rows_KM[k] != PAD], CLIENTS[client]
            )


def test_padding_stands_behind_the_rows_of_a_batch() -> None:
    drawn = plan(0, 1, CLIENTS, schedule(local_epochs=2))
    real = drawn.rows_KSB != PAD
    assert np.array_equal(np.sort(real, axis=-1)[..., ::-1], real)


def test_more_epochs_begin_with_the_batches_of_fewer() -> None:
    few, many = (plan(0, 5, CLIENTS, schedule(local_epochs=e)) for e in (2, 6))
    assert np.array_equal(few.clients_K, many.clients_K)
    for k in range(4):
        steps = few.steps_K[k]
        assert np.array_equal(few.rows_KSB[k, :steps], many.rows_KSB[k, :steps])


def test_devices_and_batching_change_no_draw_of_the_cohort() -> None:
    drawn = [
        plan(0, 2, CLIENTS, schedule(devices))
        for devices in ("equal", "uneven-epochs", "dropped", "budget(seconds=0.2)")
    ] + [plan(0, 2, CLIENTS, schedule(batching="full"))]
    assert all(np.array_equal(drawn[0].clients_K, other.clients_K) for other in drawn)
    assert all(np.array_equal(drawn[0].keys_K, other.keys_K) for other in drawn)


def test_a_clients_batches_do_not_depend_on_who_else_takes_part() -> None:
    everyone, some = (plan(0, 1, CLIENTS, schedule(cohort=cohort)) for cohort in (8, 3))
    for k, client in enumerate(some.clients_K):
        j = list(everyone.clients_K).index(client)
        assert np.array_equal(
            some.rows_KSB[k, : some.steps_K[k]], everyone.rows_KSB[j, : everyone.steps_K[j]]
        )


def test_full_batching_gives_all_rows_in_every_step() -> None:
    drawn = plan(0, 1, CLIENTS, schedule(batching="full", local_epochs=2))
    assert drawn.steps_K.tolist() == [2] * 4
    for k, client in enumerate(drawn.clients_K):
        for s in range(2):
            assert (
                sorted(drawn.rows_KSB[k, s][drawn.rows_KSB[k, s] != PAD])
                == CLIENTS[client].tolist()
            )


@pytest.mark.parametrize("weighting", ["samples", "uniform"])
def test_weights_are_normalised_over_those_that_report(weighting: str) -> None:
    for round_ in range(1, 30):
        drawn = plan(0, round_, CLIENTS, schedule("dropped(share=0.5)", weighting=weighting))
        sizes = np.array(
            [len(CLIENTS[client]) if weighting == "samples" else 1 for client in drawn.clients_K]
        )
        mass = sizes * (drawn.steps_K > 0)
        assert np.allclose(drawn.weights_K * mass.sum(), mass, rtol=1e-15)
        assert drawn.reporting == (drawn.steps_K > 0).sum()


def test_cohorts_are_uniform_over_clients() -> None:
    rounds = 2000
    counts = np.bincount(
        np.concatenate([plan(0, r, CLIENTS, schedule()).clients_K for r in range(rounds)]),
        minlength=len(CLIENTS),
    )
    p = 4 / len(CLIENTS)
    # P(any beyond) < 6e-5.
    assert np.abs(counts - rounds * p).max() < 4.5 * np.sqrt(rounds * p * (1 - p))


def test_orders_are_uniform_and_differ_between_clients_rounds_and_epochs() -> None:
    """Each of a row's places in an epoch is as likely as any other (chi-squared, P(worse) =
    1e-6).
    """
    from scipy.stats import chi2

    rounds, size = 400, 12
    counts = np.zeros((size, size))
    seen = set()
    for round_ in range(1, rounds + 1):
        drawn = plan(0, round_, CLIENTS, schedule(cohort=8, local_epochs=2, batch_size=100))
        for epoch in range(2):
            order = drawn.rows_KSB[6, epoch, :size] - 600
            counts[np.arange(size), order] += 1
            seen.add(tuple(order))
    assert len(seen) == 2 * rounds  # of 12! orders
    statistic = ((counts - 2 * rounds / size) ** 2 / (2 * rounds / size)).sum()
    assert statistic < chi2.isf(1e-6, (size - 1) ** 2)


def test_half_an_epoch_is_the_first_half_of_its_batches_rounded_up() -> None:
    """Ten rows in batches of four are three steps; half of them are two, of four rows each."""
    clients = Population([np.arange(10), np.arange(10, 14), np.arange(14, 15)])
    half, whole = (plan(0, 3, clients, schedule(cohort=3, local_epochs=e)) for e in (0.5, 1))
    assert (half.steps_K.tolist(), whole.steps_K.tolist()) == ([2, 1, 1], [3, 1, 1])
    assert half.rows_KSB.shape == (3, 2, 4)
    assert np.array_equal(half.rows_KSB, whole.rows_KSB[:, :2])
    assert np.array_equal(half.weights_K, np.array([10, 4, 1]) / 15)
    more = plan(0, 3, clients, schedule(cohort=3, local_epochs=1.5))
    assert more.steps_K.tolist() == [5, 2, 2]
    assert np.array_equal(
        more.rows_KSB[:, :3][whole.rows_KSB != PAD], whole.rows_KSB[whole.rows_KSB != PAD]
    )


def test_gradient_descent_takes_its_one_step_also_in_a_part_of_an_epoch() -> None:
    drawn = plan(0, 1, CLIENTS, schedule(batching="full", local_epochs=0.5))
    assert drawn.steps_K.tolist() == [1, 1, 1, 1]
