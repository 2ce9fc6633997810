"""How long a study will take, from timing a few of its real rounds."""

import time

from headstart.engine.rounds import advance, begin
from headstart.probes.base import PROBES, Moment
from headstart.registry import Component
from headstart.study.federations import federation_of, one_thread
from headstart.study.search import searches
from headstart.study.spec import RunSpec, Study

TIMED_ROUNDS = 2


def estimate_seconds(study: Study) -> float:
    """Seconds of one process for all runs, without starts and report.

    One run for each client optimizer, device setting and number of local epochs does three rounds; the first, which
    includes tracing, is not counted. Trials of a tuning count as if none were pruned.
    """
    measured: dict[tuple[Component, Component, int], float] = {}
    with one_thread():
        for run in study.runs:
            kind = (run.client, run.devices, run.local_epochs)
            if kind not in measured:
                measured[kind] = _seconds_of_run(run)
        tuned = [(s, _seconds_of_run(s.base)) for s in searches(study)]
    trials = sum(seconds * search.trials * len(search.seeds) for search, seconds in tuned)
    return trials + sum(measured[run.client, run.devices, run.local_epochs] for run in study.runs)


def _seconds_of_run(run: RunSpec) -> float:
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    state, cohort = advance(federation, begin(federation, federation.network.initial(0)))
    began = time.perf_counter()
    for _ in range(TIMED_ROUNDS):
        previous = state
        state, cohort = advance(federation, state)
    rounds_done = time.perf_counter()
    for probe in probes:
        probe.measure(Moment(state, previous, cohort))
    per_round = (rounds_done - began) / TIMED_ROUNDS
    return run.rounds * per_round + (run.rounds / run.every) * (time.perf_counter() - rounds_done)
