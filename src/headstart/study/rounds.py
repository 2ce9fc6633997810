"""The rounds of a run, or of several at once: FedOpt (arXiv 2003.00295, Algorithm 1) over plans, an
executor and a pair of optimizers, with the probes along the way.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from headstart import trees
from headstart.clients.base import ClientOptimizer
from headstart.engine.executors.base import Assignment, Cohort, Compute, Executor
from headstart.engine.executors.loop import by_loop
from headstart.engine.federation import Federation, State, server_step
from headstart.engine.measurements import Measurements
from headstart.engine.plan import RoundPlan
from headstart.kernels.recorded import RecordingError
from headstart.models.network import Network
from headstart.probes.base import Metrics, Moment, Probe
from headstart.probes.evaluation import measure
from headstart.tasks.base import Task
from headstart.trees import Tree


@dataclass
class Progress:
    """A run under way: its state, what probes keep of the weights (by round; each leaf under the
    number of its probe), and the rows measured so far. `earlier`: what they kept before `kept`, of
    a run that was saved.

    `diverged_at` is the round after which weights, local loss or a metric were no longer finite;
    the run ends there. `fallback` says why cohorts were computed by the loop and not by the
    executor that was asked for.
    """

    state: State
    kept: dict[int, Tree] = field(default_factory=dict)
    earlier: Mapping[int, Tree] = field(default_factory=dict)
    rows: Measurements = field(default_factory=Measurements)
    diverged_at: int | None = None
    fallback: str | None = None

    @property
    def status(self) -> str:
        """How the run ended: `finished` or `diverged`."""
        return "finished" if self.diverged_at is None else "diverged"

    @property
    def is_new(self) -> bool:
        """Whether nothing was computed or measured of it."""
        return self.state.round == 0 and not self.rows

    def goes_on_from(self, round_: int) -> bool:
        """Whether the round after this one is its next."""
        return self.diverged_at is None and self.state.round == round_


def do_rounds(
    federation: Federation,
    progress: Progress,
    rounds: int,
    every: int,
    probes: Sequence[Probe],
    after_round: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Go on from `progress` to round `rounds`; measure at round 0, every `every` rounds, and after
    the last.

    A run that diverges is a result: it ends early, with its round. The same arguments give the same
    bits whether the rounds are done in one go or in several.

    Args:
        federation: what stays the same in the run.
        progress: the run so far; it is changed in place, and returned.
        rounds: the round to go on to.
        every: so many rounds lie between two measurements.
        probes: what is measured.
        after_round: is told of the run after each round.
    """
    for _ in rounds_of([federation], {0: progress}, rounds, every, [probes]):
        after_round(progress)
    return progress


def rounds_of(
    federations: Sequence[Federation],
    under_way: Mapping[int, Progress],
    rounds: int,
    every: int,
    probes: Sequence[Sequence[Probe]],
) -> Iterator[int]:
    """Carry out runs together, and yield the number of every round after it was done and measured.

    The runs share what `advance` asks for. Each goes on from where it is, those behind first. A run
    gives the same bits whichever of the others are wanted, wherever they are, and whether or not
    they diverge.

    Args:
        federations: one for each place of the group.
        under_way: the runs that are wanted, by their places.
        rounds: the round to go on to.
        every: so many rounds lie between two measurements; the last round is always measured.
        probes: those of each place, of the same kinds in each.
    """
    beginnings = {i: Moment(one.state, None, None) for i, one in under_way.items() if one.is_new}
    _measure(under_way, beginnings, probes)
    while (last := _last_round(under_way, rounds)) < rounds:
        now = last + 1
        watched = now % every == 0 or now == rounds
        states = {i: one.state for i, one in under_way.items() if one.goes_on_from(last)}
        moments: dict[int, Moment] = {}
        for i, (state, cohort) in advance(federations, states, watched).items():
            progress = under_way[i]
            progress.state = state
            if cohort is not None and cohort.fallback is not None:
                progress.fallback = cohort.fallback
            lost = cohort is not None and not math.isfinite(cohort.local_loss)
            if lost or not trees.is_finite(state.x):
                progress.diverged_at = now
            elif watched:
                moments[i] = Moment(state, states[i], cohort, last=now == rounds)
        _measure(under_way, moments, probes)
        yield now
    for i, progress in under_way.items():
        if progress.diverged_at is None:
            _look_back(progress, probes[i])


def advance(
    federations: Sequence[Federation], states: Mapping[int, State], watched: bool = True
) -> dict[int, tuple[State, Cohort | None]]:
    """Do one round of every run that has a state here, computed at once where the executor can.

    A cohort is None where no client reported; the weights then stay as they are. Each run keeps its
    place among the federations from round to round; what comes of it does not depend on which of
    the others take part.

    Args:
        federations: one for each place; they share task, network, client optimizer, schedule and
            executor.
        states: those of the runs that take part, by their places.
        watched: whether a probe will look at the cohorts; else their alignment is left out.
    """
    widest = max(federation.clients.widest for federation in federations)
    plans = _plans(federations, states, widest)
    assignments = {}
    for place, now in plans.items():
        if now.reporting:
            assignments[place] = _assignment(
                federations[place], states[place], now, watched, widest
            )
    cohorts = federations[0].execute(assignments, len(federations)) if assignments else {}
    results = {}
    for place, now in plans.items():
        cohort = cohorts.get(place)
        results[place] = _after(federations[place], states[place], now, cohort), cohort
    return results


def _plans(
    federations: Sequence[Federation], states: Mapping[int, State], widest: int
) -> dict[int, RoundPlan]:
    """Runs with the same seed and clients have the same round; all are padded to `widest` rows."""
    drawn: dict[tuple[int, int, int], RoundPlan] = {}
    plans = {}
    for place, state in states.items():
        federation, round_ = federations[place], state.round + 1
        known = federation.seed, id(federation.clients), round_
        if known not in drawn:
            drawn[known] = federation.plans(round_, widest)
        plans[place] = drawn[known]
    return plans


def _assignment(
    federation: Federation, state: State, now: RoundPlan, watched: bool, widest: int
) -> Assignment:
    fresh = federation.client.memory(state.x)
    memories = [state.memories.get(int(client), fresh) for client in now.clients_K]
    rate = federation.client_rate * federation.client_rate_by_round(now.round)

    def upcoming() -> RoundPlan:
        return federation.plans(now.round + 1, widest)

    return Assignment(state.x, state.shared, memories, rate, now, watched, upcoming)


def _after(federation: Federation, state: State, now: RoundPlan, cohort: Cohort | None) -> State:
    sent = trees.size_in_bytes(state.x) + trees.size_in_bytes(state.shared)
    state = replace(
        state,
        round=now.round,
        bytes_down=state.bytes_down + len(now.clients_K) * sent,
        simulated_seconds=state.simulated_seconds + now.seconds,
    )
    if cohort is None:
        return state
    share = now.reporting / len(federation.clients)
    rate = federation.server_rate * federation.server_rate_by_round(now.round)
    means = cohort.mean_update, cohort.mean_message
    state = server_step(federation.client, federation.server, state, means, share, rate)
    keeps = any(cohort.memories)
    met = {}
    for client, kept in zip(now.clients_K, cohort.memories, strict=True):
        met[int(client)] = trees.contiguous(kept)
    upload = sum(map(trees.size_in_bytes, means))
    return replace(
        state,
        memories={**state.memories, **met} if keeps else state.memories,
        bytes_up=state.bytes_up + now.reporting * upload,
    )


def or_by_loop(
    executor: Executor, network: Network, task: Task, client: ClientOptimizer
) -> Compute:
    """Compute with an executor, and with the loop what that cannot record; the cohorts say why.

    It is decided anew for every cohort, so that what comes of a round does not depend on the rounds
    before it: a run that is interrupted and resumed ends in the same bits.
    """
    first = executor.compute_for(network, task, client)
    if not executor.uses_recordings:
        return first
    loop = by_loop(network, task, client)

    def compute(assignments: Mapping[int, Assignment], places: int) -> dict[int, Cohort]:
        try:
            return first(assignments, places)
        except RecordingError as error:
            cohorts = loop(assignments, places)
            why = str(error)
        return {place: replace(cohort, fallback=why) for place, cohort in cohorts.items()}

    return compute


def _last_round(under_way: Mapping[int, Progress], rounds: int) -> int:
    """The round that the runs behind all others have done; `rounds` where none goes on."""
    going = [one.state.round for one in under_way.values() if one.diverged_at is None]
    return min([*going, rounds])


def _look_back(progress: Progress, probes: Sequence[Probe]) -> None:
    for i, probe in enumerate(probes):
        for round_, metrics in probe.look_back(_KeptBy(i, progress), progress.state.x):
            progress.rows.extend((round_, metric, value) for metric, value in metrics.items())


def _measure(
    under_way: Mapping[int, Progress],
    moments: Mapping[int, Moment],
    probes: Sequence[Sequence[Probe]],
) -> None:
    """Measure the runs that have a moment here."""
    found: dict[int, Metrics] = {i: {} for i in moments}
    for of_a_kind in zip(*probes, strict=True):
        for i, metrics in measure(of_a_kind, moments).items():
            found[i] |= metrics
    for i, moment in moments.items():
        progress = under_way[i]
        if all(map(math.isfinite, found[i].values())):
            round_ = moment.state.round
            progress.rows.extend((round_, metric, value) for metric, value in found[i].items())
        else:
            progress.diverged_at = moment.state.round
        for number, probe in enumerate(probes[i]):
            if probe.keep is not None:
                kept = progress.kept.setdefault(moment.state.round, {})
                for name, leaf in probe.keep(moment.state.x).items():
                    kept[f"{number}/{name}"] = leaf


class _KeptBy(Mapping[int, Tree]):
    """What one probe of a run kept, by round; read from the disk when it is asked for, where it
    lies there.
    """

    def __init__(self, probe: int, progress: Progress) -> None:
        self._own, self._parts = f"{probe}/", (progress.earlier, progress.kept)

    def __getitem__(self, round_: int) -> Tree:
        earlier, kept = self._parts
        leaves, own = kept[round_] if round_ in kept else earlier[round_], self._own
        return {
            name.removeprefix(own): leaf for name, leaf in leaves.items() if name.startswith(own)
        }

    def __iter__(self) -> Iterator[int]:
        for part in self._parts:
            yield from part

    def __len__(self) -> int:
        return sum(map(len, self._parts))
