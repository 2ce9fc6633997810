"""How long a study will take, from timing a part of one round of each client optimizer and a part
of each probe.

What is timed is small (`TIMED_ROWS`), and the rest is in proportion: training to the places for
rows that a round has, evaluation to the rows evaluated, curvature to its sample. So an estimate
takes seconds, after what loading the data and the first call of a model take.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from headstart.engine.devices import equal
from headstart.engine.executors.base import EXECUTORS, Cohort
from headstart.engine.federation import Federation, State, begin
from headstart.engine.plan import Population, plan
from headstart.kernels.threads import torch_threads
from headstart.parts.registry import Component
from headstart.probes.base import PROBES, Moment
from headstart.probes.evaluation import evaluate
from headstart.study.federations import federation_of
from headstart.study.file.run_spec import RunSpec
from headstart.study.groups import groups_of
from headstart.study.rounds import advance
from headstart.study.spec import Study
from headstart.study.tuning.search import searches
from headstart.tasks.base import Examples
from headstart.trees import Tree

TIMED_ROWS = 128
"""Rows of a timed round, over its cohort, and of a timed evaluation; but at least a batch of each
client.
"""

TIMED_PROBE_ROWS = 32
"""Rows of a timed curvature, which costs some hundred times more a row."""

PLANNED_ROUNDS = 3
"""Rounds that are drawn, not computed, to see how many places for rows one has."""

TIMED_EPOCHS = 10
"""Local epochs that are timed and drawn at most; more of them cost in proportion."""

HOW = (
    f"timed: a round of each client optimizer on about {TIMED_ROWS} rows, each probe on a part of "
    "its rows"
)


def estimate_seconds(study: Study) -> float:
    """Seconds of one process for all runs, without starts and report. Trials count as if none were
    pruned.
    """
    measured: dict[tuple[object, ...], _Costs] = {}
    at_once: dict[RunSpec, int] = {}
    for group in groups_of([*study.runs, *study.baselines]):
        at_once |= dict.fromkeys(group, len(group))
    with torch_threads(1):

        def costs_of(run: RunSpec) -> _Costs:
            kind = (run.client, at_once.get(run, 1), run.baseline, run.trainable)
            if kind not in measured:
                alike = [
                    costs
                    for (*_, trainable), costs in measured.items()
                    if trainable == run.trainable
                ]
                measured[kind] = _Costs(run, at_once.get(run, 1), *alike[:1])
            return measured[kind]

        whole, begun = 0.0, set()
        for run in [*study.runs, *study.baselines]:
            # Curvature remembers where runs begin alike.
            alike = (run.start, run.trainable, run.partition, run.seed)
            whole += costs_of(run).seconds(run) - (
                costs_of(run).others(run)[0] if alike in begun else 0.0
            )
            begun.add(alike)
        trials = sum(
            costs_of(search.base).seconds(search.base) * search.trials * len(search.seeds)
            for search in searches(study)
        )
        return whole + trials


class _Costs:
    """What a place for a row costs in training, a row in evaluation, and the other probes before,
    between and last.
    """

    def __init__(self, run: RunSpec, at_once: int, alike: "_Costs | None" = None) -> None:
        federation = federation_of(
            replace(run, evaluate_on="test", local_epochs=min(run.local_epochs, TIMED_EPOCHS))
        )
        begun, moments, self.place = _timed_round(federation, run, at_once)
        self.places: dict[tuple[object, ...], float] = {}
        self.row: float
        self.whole: dict[str, int]
        self.probes: dict[Component, NDArray[np.float64]]
        if alike is not None:  # probes cost the same whatever the client optimizer
            self.row, self.whole, self.probes = alike.row, alike.whole, alike.probes
            return
        task = federation.task
        rows = np.linspace(0, len(task.test) - 1, min(TIMED_ROWS, len(task.test))).astype(int)
        some = Examples(task.test.inputs[rows], task.test.targets[rows])
        self.row = _seconds(
            lambda: evaluate(federation.network, begun, [some], task.objective, len(some))
        ) / len(some)
        self.whole = {"test": len(task.test), "validation": len(task.validation)}
        self.probes = {}
        for component in run.probes:
            if component.name != "evaluation":
                part, times = _part(component, TIMED_PROBE_ROWS)
                # The first calls, which take longer, are not timed.
                smaller, _ = _part(component, TIMED_PROBE_ROWS // 2)
                PROBES.build(smaller, federation).measure(moments[0])
                measure = PROBES.build(part, federation).measure
                self.probes[component] = np.array(
                    [times * _seconds(partial(measure, moment)) for moment in moments]
                )

    def others(self, run: RunSpec) -> NDArray[np.float64]:
        """Of all probes but evaluation: before the first round, each time between, after
        the last.
        """
        return sum(
            (self.probes[probe] for probe in run.probes if probe in self.probes), np.zeros(3)
        )

    def seconds(self, run: RunSpec) -> float:
        """Of a whole run of this kind."""
        first, each, last = self.others(run)
        for probe in run.probes:
            if probe.name == "evaluation":
                given, whole = dict(probe.parameters), self.whole[run.evaluate_on]
                train, some = int(given["train_rows"]), int(given.get("test_rows", 0))
                first, last = (seconds + self.row * (whole + train) for seconds in (first, last))
                each += self.row * (min(some or whole, whole) + train)
        between = -(-run.rounds // run.every) - 1
        return float(run.rounds * self.place * self._places(run) + first + between * each + last)

    def _places(self, run: RunSpec) -> float:
        kind = (run.devices, run.local_epochs, run.partition, run.baseline)
        if kind not in self.places:
            epochs = min(run.local_epochs, TIMED_EPOCHS)
            federation = federation_of(replace(run, local_epochs=epochs))
            waits = EXECUTORS.build(run.executor).waits
            drawn = [_places(federation, round_, waits) for round_ in range(1, PLANNED_ROUNDS + 1)]
            self.places[kind] = float(np.mean(drawn)) * run.local_epochs / epochs
        return self.places[kind]


def _timed_round(
    federation: Federation, run: RunSpec, at_once: int
) -> tuple[Tree, tuple[Moment, Moment, Moment], float]:
    """Weights, the moments of probes, and the seconds of a place, of two small rounds of so many
    runs; the first round, which includes tracing, is not counted.
    """
    rows = max(TIMED_ROWS // run.cohort, min(run.batch_size, federation.clients.widest))
    population = Population([client[:rows] for client in federation.clients])
    everybody = replace(federation.schedule, devices=equal())  # who is dropped takes no time
    small = replace(federation, clients=population, schedule=everybody)
    first = begin(small, small.network.initial(0))

    def advanced(state: State) -> tuple[State, Cohort | None]:
        return advance([small] * at_once, dict.fromkeys(range(at_once), state))[0]

    previous, _ = advanced(first)
    began = time.perf_counter()
    state, cohort = advanced(previous)
    waits = EXECUTORS.build(run.executor).waits
    place = (time.perf_counter() - began) / at_once / _places(small, state.round, waits)
    moments = (
        Moment(first, None, None),
        Moment(state, previous, cohort),
        Moment(state, previous, cohort, True),
    )
    return first.x, moments, place


def _places(federation: Federation, round_: int, waits: bool) -> int:
    """Places for rows in a round, filled or not, of local steps and of gradients at x. Clients may
    wait for the one with most steps.
    """
    now = plan(federation.seed, round_, federation.clients, federation.schedule)
    steps = now.rows_KSB.size if waits else int(now.steps_K.sum()) * now.rows_KSB.shape[-1]
    return steps + (now.all_rows_KM.size if federation.client.wants_grad_at_x else 0)


def _part(probe: Component, most: int) -> tuple[Component, float]:
    """The probe on fewer rows, where it has such a parameter, and how many times more it costs as
    it is.
    """
    rows = dict(probe.parameters).get("rows", 0)
    if rows <= most:
        return probe, 1.0
    return PROBES.varied(probe, {"rows": most}), rows / most


def _seconds(compute: Callable[[], object]) -> float:
    began = time.perf_counter()
    compute()
    return time.perf_counter() - began
