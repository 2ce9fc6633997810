"""What every probe keeps, in a federation of four clients with a linear model."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from headstart import trees
from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.federation import Federation, begin
from headstart.engine.plan import Population, Schedule
from headstart.models.network import Network
from headstart.probes.base import Metrics, Moment, Probe
from headstart.probes.evaluation import evaluate
from headstart.servers.base import SERVERS
from headstart.study.rounds import advance
from headstart.tasks.base import Examples, Task
from headstart.testing.trees import assert_untouched, copied

Make = Callable[[Federation], Probe]
"""A probe for a federation."""

CLASSES, INPUTS, ROUNDS = 3, 4, 3


def federation() -> Federation:
    """Four clients of ten rows in three classes, of whom three train in each round."""
    generator = torch.Generator().manual_seed(5)
    inputs = torch.randn(40, INPUTS, generator=generator, dtype=torch.float64)
    rows = Examples(inputs, torch.randint(CLASSES, (40,), generator=generator))
    test = Examples(rows.inputs[:13], rows.targets[:13])
    task = Task("rows in three classes", rows, rows, test, CLASSES)
    network = Network(lambda: nn.Linear(INPUTS, CLASSES), torch.float64)
    client = CLIENTS.build(CLIENTS.component("sgd"))
    return Federation(
        network=network,
        task=task,
        clients=Population([np.arange(10 * i, 10 * i + 10) for i in range(4)]),
        client=client,
        server=SERVERS.build(SERVERS.component("sgd")),
        client_rate=0.1,
        server_rate=1.0,
        schedule=Schedule(
            cohort=3,
            local_epochs=2,
            batch_size=4,
            batching="minibatch",
            weighting="samples",
            devices=DEVICES.build(DEVICES.component("equal")),
        ),
        execute=EXECUTORS.build(EXECUTORS.component("loop")).compute_for(network, task, client),
        seed=0,
    )


def moments(of: Federation) -> Iterator[Moment]:
    """The moments of a run of three rounds that is measured after each: before the first, too."""
    state = begin(of, of.network.initial(0))
    yield Moment(state, None, None)
    for round_ in range(1, ROUNDS + 1):
        after, cohort = advance([of], {0: state})[0]
        yield Moment(after, state, cohort, last=round_ == ROUNDS)
        state = after


def measured(make: Make) -> list[Metrics]:
    """What it measures at each moment of a run."""
    of = federation()
    probe = make(of)
    return [probe.measure(moment) for moment in moments(of)]


def measures_numbers(make: Make) -> None:
    """Metrics are finite numbers by names, and something is measured of a run."""
    found = measured(make)
    for metrics in found:
        for name, value in metrics.items():
            assert isinstance(name, str)
            assert isinstance(value, float), f"{name} is no float: {value!r}"
            assert np.isfinite(value), f"{name} is {value}"
    assert any(found) or make(federation()).keep is not None, "nothing is measured"


def is_a_function_of_the_moment(make: Make) -> None:
    """Another probe measures the same of the same run; torch's generator stays as it was."""
    before = torch.get_rng_state()
    assert measured(make) == measured(make)
    assert torch.equal(torch.get_rng_state(), before), "it draws from torch's global generator"


def changes_nothing(make: Make) -> None:
    """The run goes on as if nobody had looked: no weights are changed."""
    of = federation()
    probe = make(of)
    for moment in moments(of):
        weights = [moment.state.x, moment.state.pseudo_gradient]
        copies = [copied(tree) for tree in weights]
        probe.measure(moment)
        if probe.keep is not None:
            probe.keep(moment.state.x)
        assert_untouched(weights, copies)


def answers_what_it_asks(make: Make) -> None:
    """A probe that asks for evaluations measures what comes of the answers."""
    of = federation()
    probe = make(of)
    for moment in moments(of):
        if probe.asks is not None:
            asked = probe.asks(moment)
            found = evaluate(asked.network, asked.x, asked.splits, asked.objective, asked.batch)
            assert asked.then(found) == probe.measure(moment)


def looks_back_at_what_it_kept(make: Make) -> None:
    """At the end it adds numbers to rounds of which it kept something, and to no others."""
    of = federation()
    probe = make(of)
    if probe.keep is None:
        return
    kept = {}
    for moment in moments(of):
        kept[moment.state.round] = probe.keep(moment.state.x)
        final = moment.state.x
    for round_, metrics in probe.look_back(kept, final):
        assert round_ in kept
        assert all(isinstance(value, float) for value in metrics.values())


def measures_the_ends_of_weights_alone(make: Make) -> None:
    """One that measures the ends only measures no moment between, and needs no cohort at the end:
    so it can be measured of runs that are done.
    """
    of = federation()
    probe = make(of)
    if not probe.ends_only:
        return
    first, *between, last = moments(of)
    assert [probe.measure(moment) for moment in between] == [{}] * len(between)
    at_end = replace(first.state, round=last.state.round, x=trees.contiguous(last.state.x))
    alone = probe.measure(Moment(at_end, first.state, None, last=True))
    assert alone == probe.measure(last)


CONTRACT = (
    measures_numbers,
    is_a_function_of_the_moment,
    changes_nothing,
    answers_what_it_asks,
    looks_back_at_what_it_kept,
    measures_the_ends_of_weights_alone,
)
