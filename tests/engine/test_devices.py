"""Device settings follow their stated distributions and depend on nobody else's draw."""

import numpy as np
import pytest

from headstart.engine.devices import DEVICES, Work
from headstart.errors import HeadstartError

MANY = np.arange(20_000)


def work(
    written: str,
    local_epochs: float = 1,
    steps: int = 2,
    clients: np.ndarray = MANY,
    round_: int = 1,
) -> Work:
    devices = DEVICES.build(DEVICES.component(written))
    return devices(0, round_, clients, np.full(len(clients), steps), local_epochs)


def close(share: float, p: float) -> bool:
    """Within 4.5 standard deviations of a binomial share: wrong in fewer than 1 of 100,000
    cases.
    """
    return abs(share - p) <= 4.5 * np.sqrt(p * (1 - p) / len(MANY))


def test_equal_devices_run_all_epochs() -> None:
    done = work("equal(speed=4.0)", local_epochs=3)
    assert (done.steps_K == 6).all()
    assert done.seconds == 6 / 4


def test_uneven_epochs_are_uniform_over_their_range_for_the_given_share() -> None:
    epochs = work("uneven-epochs(share=0.3, low=1, high=5)", local_epochs=1).steps_K / 2
    for e in range(2, 6):
        assert close((epochs == e).mean(), 0.3 / 5)
    assert close((epochs == 1).mean(), 0.7 + 0.3 / 5)


def test_uneven_clients_run_whole_epochs_and_the_others_a_part_of_one() -> None:
    steps = work("uneven-epochs(share=0.3, low=2, high=3)", local_epochs=0.5, steps=5).steps_K
    assert set(steps.tolist()) == {3, 10, 15}
    assert close((steps == 3).mean(), 0.7)


def test_dropped_clients_do_no_step_and_others_all() -> None:
    steps = work("dropped(share=0.2)", local_epochs=2).steps_K
    assert set(steps) == {0, 4}
    assert close((steps == 0).mean(), 0.2)


def test_budget_gives_each_client_the_steps_that_its_speed_allows() -> None:
    done = work("budget(seconds=2.0, speed=3.0, spread=0.5)", local_epochs=10)
    assert done.steps_K.max() == 20
    # a client does fewer than k steps where its log-normal speed is below k / 2 a second
    from scipy.stats import norm

    for k in (3, 6, 12):
        assert close((done.steps_K < k).mean(), norm.cdf(np.log(k / 2 / 3.0) / 0.5))
    assert done.seconds == 2.0
    again = work("budget(seconds=2.0, speed=3.0, spread=0.5)", local_epochs=10, round_=9)
    assert np.array_equal(done.steps_K, again.steps_K), (
        "a client's speed is its own, in every round"
    )


def test_a_round_that_all_finish_early_is_shorter_than_the_budget() -> None:
    done = work("budget(seconds=100.0, speed=10.0, spread=0.0)", local_epochs=1)
    assert done.seconds == pytest.approx(0.2)


@pytest.mark.parametrize("written", ["uneven-epochs", "dropped(share=0.5)", "budget(seconds=0.15)"])
def test_a_clients_draw_does_not_depend_on_the_others(written: str) -> None:
    some = np.array([5, 17, 400])
    assert np.array_equal(
        work(written, 3, clients=some).steps_K, work(written, 3, clients=MANY[:500]).steps_K[some]
    )


def test_a_range_turned_round_is_refused() -> None:
    with pytest.raises(HeadstartError, match="expected low <= high, got low=4, high=2"):
        work("uneven-epochs(low=4, high=2)")
