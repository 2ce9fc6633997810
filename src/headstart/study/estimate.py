"""How long a study will take, from timing a few of its real rounds."""

import time
from collections.abc import Sequence

from headstart.engine.executors.base import Cohort
from headstart.engine.rounds import State, advance_together, begin
from headstart.probes.base import PROBES, Moment, Probe
from headstart.registry import Component
from headstart.study.federations import federation_of, one_thread
from headstart.study.groups import Group, groups_of
from headstart.study.search import searches
from headstart.study.spec import RunSpec, Study

TIMED_ROUNDS = 2


def estimate_seconds(study: Study) -> float:
    """Seconds of one process for all runs, without starts and report.

    One group of runs for each client optimizer, device setting, number of local epochs, trainable part and size does
    three rounds; the first, which includes tracing, is not counted. Trials of a tuning count as if none were pruned.
    """
    measured: dict[tuple[Component, Component, int, str, int], float] = {}
    groups = groups_of(study.runs)
    with one_thread():
        for group in groups:
            kind = _kind(group)
            if kind not in measured:
                measured[kind] = _seconds_of_run(group[0], len(group))
        tuned = [(s, _seconds_of_run(s.base)) for s in searches(study)]
    trials = sum(seconds * search.trials * len(search.seeds) for search, seconds in tuned)
    return trials + sum(len(group) * measured[_kind(group)] for group in groups)


def _kind(group: Group) -> tuple[Component, Component, int, str, int]:
    run = group[0]
    return run.client, run.devices, run.local_epochs, run.trainable, len(group)


def _seconds_of_run(run: RunSpec, at_once: int = 1) -> float:
    """Of a run, computed with others like it."""
    federation = federation_of(run)
    probes = [PROBES.build(probe, federation) for probe in run.probes]
    first = begin(federation, federation.network.initial(0))

    def advanced(state: State) -> tuple[State, Cohort | None]:
        (result, *_) = advance_together([federation] * at_once, [state] * at_once)
        assert result is not None, "only who has no state has none afterwards"
        return result

    state, cohort = advanced(first)
    began = time.perf_counter()
    for _ in range(TIMED_ROUNDS):
        previous = state
        state, cohort = advanced(state)
    per_round = (time.perf_counter() - began) / TIMED_ROUNDS / at_once
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
