"""What a study decides look by look, from rows that are written down."""

from collections.abc import Sequence

from tests.looks.conftest import ADAM, EQUAL, HIGH, IID, LOW, NOVA, PLAN, SGD, runs

from headstart.looks.decided import Decided, decided
from headstart.looks.plans import Plan
from headstart.statistics.joint.sequential import until_decided

LONG = Plan(tuple(range(20)), until_decided(3, 20), margin=0.005)
"""Of looks enough that nothing is given up early."""


def of_starts(
    random: Sequence[float | None], proxy: Sequence[float | None], plan: Plan = PLAN
) -> Decided:
    return decided([*runs("random", SGD, random), *runs("proxy", SGD, proxy)], plan)


def test_a_look_takes_the_seeds_that_it_is_planned_for() -> None:
    found = of_starts(EQUAL[:4], EQUAL[3::-1], LONG)
    assert [decision.seeds for decision in found.decisions] == [3, 4]
    assert (found.starts, found.pairs, found.setting) == (("random", "proxy"), ((SGD,),), IID)
    assert (found.is_decided, found.missing) == (False, 2)


def test_starts_far_apart_are_decided_at_the_first_look() -> None:
    found = of_starts(LOW[:3], HIGH[:3])
    assert found.last is not None
    assert found.last.leader == 1
    assert found.last.behind == {0}
    assert (found.is_decided, found.missing) == (True, 0)


NOISY = [0.80, 0.90, 0.70, 0.81, 0.85], [0.90, 0.80, 0.71, 0.80, 0.80]
"""Level starts whose noise is twenty times the margin."""


def test_what_further_looks_will_hardly_decide_ends_there() -> None:
    random, proxy = NOISY
    found = of_starts(random[:4], proxy[:4])
    assert found.last is not None
    assert (found.last.seeds, found.last.where, found.last.hopeless) == (4, False, True)
    assert (found.is_decided, found.is_over, found.spared, found.missing) == (False, True, 1, 0)
    further = list(runs("random", SGD, random, status=None))
    assert [found.needs(row) for row in further] == [True] * 4 + [False]


def test_after_all_looks_no_seed_is_spared_and_with_more_of_them_a_study_goes_on() -> None:
    found = of_starts(*NOISY)
    assert (found.is_over, found.spared) == (True, 0)
    longer = Plan(tuple(range(400)), until_decided(3, 400), margin=0.05)
    random, proxy = NOISY
    rows = [*runs("random", SGD, random[:4]), *runs("proxy", SGD, proxy[:4])]
    going_on = decided(rows, longer)
    assert (going_on.is_over, going_on.spared, going_on.missing) == (False, 0, 2)


def test_a_look_that_lacks_runs_claims_nothing() -> None:
    found = of_starts(LOW[:3], HIGH[:2])
    assert (found.decisions, found.last, found.missing) == ((), None, 1)


def test_runs_that_are_planned_are_missing_till_they_end() -> None:
    planned = list(runs("proxy", ADAM, LOW[:3], status=None, test_accuracy=None, test_loss=None))
    found = decided(
        [*runs("random", SGD, LOW[:3]), *runs("random", ADAM, HIGH[:3]), *planned], PLAN
    )
    assert (found.decisions, found.missing) == ((), 3)


def test_a_worse_pair_goes_out_and_is_worse_at_all_later_looks() -> None:
    rows = [
        *runs("random", SGD, LOW[:3]),
        *runs("random", ADAM, EQUAL),
        *runs("random", NOVA, EQUAL[::-1]),
    ]
    found = decided(rows, PLAN)
    assert [decision.seeds for decision in found.decisions] == [3, 4, 5]
    assert [places.tolist() for places in found.going] == [[[False, True, True]]] * 3
    assert all(0 in decision.worse(0) for decision in found.decisions)
    assert all(
        decision.means[0, 0] == found.decisions[0].means[0, 0] for decision in found.decisions
    )
    assert found.missing == 0


def test_a_start_that_is_behind_goes_out_and_what_is_known_of_it_stays() -> None:
    rows = [
        *runs("random", SGD, LOW[:3]),
        *runs("proxy", SGD, EQUAL[:4]),
        *runs("hub", SGD, EQUAL[3::-1]),
    ]
    found = decided(rows, LONG)
    assert [decision.seeds for decision in found.decisions] == [3, 4]
    assert [places.tolist() for places in found.going] == [[[False], [True], [True]]] * 2
    first, last = found.decisions
    assert (first.behind, last.behind) == ({0}, {0})
    assert last.starts[1, 0] == first.starts[1, 0]
    assert (last.means[0, 0], last.best) == (first.means[0, 0], (0, 0, 0))
    assert (found.is_decided, found.missing) == (False, 2)
    ran = decided([*rows, *list(runs("random", SGD, [*LOW[:3], 0.99]))[3:]], LONG)
    assert [each.starts for each in ran.decisions] == [each.starts for each in found.decisions]


def test_with_the_pairs_open_the_start_that_is_behind_is_run_no_further() -> None:
    behind = [*runs("random", SGD, LOW[:3]), *runs("random", ADAM, LOW[2::-1])]
    found = decided(
        [*behind, *runs("proxy", SGD, EQUAL[:3]), *runs("proxy", ADAM, EQUAL[2::-1])], LONG
    )
    assert [places.tolist() for places in found.going] == [[[False, False], [True, True]]]
    assert found.missing == 2


def test_runs_of_a_pair_that_went_out_count_no_further() -> None:
    """A study that was run in full decides what one decides that dropped the pair."""
    others = [*runs("random", ADAM, EQUAL), *runs("random", NOVA, EQUAL[::-1])]
    short = decided([*runs("random", SGD, LOW[:3]), *others], PLAN)
    whole = decided([*runs("random", SGD, [*LOW[:3], 0.99, 0.99]), *others], PLAN)
    assert [places.tolist() for places in whole.going] == [
        places.tolist() for places in short.going
    ]
    assert [each.pairs for each in whole.decisions] == [each.pairs for each in short.decisions]


def test_a_pair_that_diverged_goes_out() -> None:
    rows = [*runs("random", SGD, [0.7, None, 0.7]), *runs("random", ADAM, EQUAL[:3])]
    found = decided(
        [*rows, *runs("proxy", SGD, EQUAL[2::-1]), *runs("proxy", ADAM, EQUAL[1:4])], LONG
    )
    assert [places.tolist() for places in found.going] == [[[False, True], [True, True]]]
    assert found.missing == 3


def test_of_pairs_that_are_one_the_first_suffices() -> None:
    rows = [
        *runs("random", SGD, EQUAL[:4]),
        *runs("random", NOVA, EQUAL[:3]),
        *runs("random", ADAM, EQUAL[3::-1]),
    ]
    found = decided(rows, PLAN)
    assert [decision.seeds for decision in found.decisions] == [3, 4]


def test_no_spread_is_no_certainty() -> None:
    alike = decided([*runs("random", SGD, [0.5] * 3), *runs("proxy", SGD, [0.501] * 3)], PLAN)
    assert alike.last is not None
    assert alike.last.behind == set()
    assert alike.last.starts[0, 1].high - alike.last.starts[0, 1].low > 0.001
