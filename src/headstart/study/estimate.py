"""How long a study will take, from timing a few of its real rounds."""

import time
from collections.abc import Sequence

from headstart.engine.rounds import advance, begin
from headstart.probes.base import PROBES, Moment, Probe
from headstart.registry import Component
from headstart.study.federations import federation_of, one_thread
from headstart.study.search import searches
from headstart.study.spec import RunSpec, Study

TIMED_ROUNDS = 2


def estimate_seconds(study: Study) -> float:
    """Seconds of one process for all runs, without starts and report.

    One run for each client optimizer, device setting, number of local epochs and trainable part does three rounds; the
    first, which includes tracing, is not counted. Trials of a tuning count as if none were pruned.
    """
    measured: dict[tuple[Component, Component, int, str], float] = {}
    with one_thread():
        for run in study.runs:
            kind = _kind(run)
            if kind not in measured:
                measured[kind] = _seconds_of_run(run)
        tuned = [(s, _seconds_of_run(s.base)) for s in searches(study)]
    trials = sum(seconds * search.trials * len(search.seeds) for search, seconds in tuned)
    return trials + sum(measured[_kind(run)] for run in study.runs)


def _kind(run: RunSpec) -> tuple[Component, Component, int, str]:
    return run.client, run.devices, run.local_epochs, run.trainable


def _seconds_of_run(run: RunSpec) -> float:
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    first = begin(federation, federation.network.initial(0))
    state, cohort = advance(federation, first)
    began = time.perf_counter()
    for _ in range(TIMED_ROUNDS):
        previous = state
        state, cohort = advance(federation, state)
    per_round = (time.perf_counter() - began) / TIMED_ROUNDS
    start, between, end = (
        _seconds_of_probes(probes, moment)
        for moment in (
            Moment(first, None, None),
            Moment(state, previous, cohort),
            Moment(state, previous, cohort, True),
        )
    )
    return run.rounds * per_round + start + max(0.0, run.rounds / run.every - 1) * between + end


def _seconds_of_probes(probes: Sequence[Probe], moment: Moment) -> float:
    began = time.perf_counter()
    for probe in probes:
        probe.measure(moment)
    return time.perf_counter() - began
