"""The rounds of a run, or of several at once, the probes along the way, and what came of them."""

import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from headstart import trees
from headstart.engine.journal import Row
from headstart.engine.rounds import Federation, State, advance_together
from headstart.probes.base import Metrics, Moment, Probe
from headstart.probes.evaluation import measure_together
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
    rows: list[Row] = field(default_factory=list)
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


def carry_out(
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
    """
    for _ in rounds_of([federation], [progress], rounds, every, [probes]):
        after_round(progress)
    return progress


def rounds_of(
    federations: Sequence[Federation],
    under_way: Sequence[Progress | None],
    rounds: int,
    every: int,
    probes: Sequence[Sequence[Probe]],
) -> Iterator[int]:
    """Carry out runs together, and yield the number of every round after it was done and measured.

    The runs share what `advance_together` asks for. Each goes on from where it is, those behind
    first. A run gives the same bits whichever of the others are wanted, wherever they are, and
    whether or not they diverge.

    Args:
        federations: one for each place of the group.
        under_way: the run at each place; None stands for one that is not wanted.
        rounds: the round to go on to.
        every: so many rounds lie between two measurements; the last round is always measured.
        probes: those of each place, of the same kinds in each.
    """
    beginnings = [
        Moment(one.state, None, None) if one is not None and one.is_new else None
        for one in under_way
    ]
    _measure(under_way, beginnings, probes)
    while (last := _last_round(under_way, rounds)) < rounds:
        now = last + 1
        watched = now % every == 0 or now == rounds
        states = [
            one.state if one is not None and one.goes_on_from(last) else None for one in under_way
        ]
        results = advance_together(federations, states, watched)
        moments: list[Moment | None] = [None] * len(under_way)
        for i, (progress, result) in enumerate(zip(under_way, results, strict=True)):
            if progress is None or result is None:
                continue
            progress.state, cohort = result
            progress.fallback = (cohort and cohort.fallback) or progress.fallback
            if not (
                trees.is_finite(progress.state.x)
                and (cohort is None or math.isfinite(cohort.local_loss))
            ):
                progress.diverged_at = now
            elif watched:
                moments[i] = Moment(progress.state, states[i], cohort, last=now == rounds)
        _measure(under_way, moments, probes)
        yield now
    for progress, measured in zip(under_way, probes, strict=True):
        if progress is not None and progress.diverged_at is None:
            _look_back(progress, measured)


def _last_round(under_way: Sequence[Progress | None], rounds: int) -> int:
    """The round that the runs behind all others have done; `rounds` where none goes on."""
    going = [one.state.round for one in under_way if one is not None and one.diverged_at is None]
    return min([*going, rounds])


def _look_back(progress: Progress, probes: Sequence[Probe]) -> None:
    for i, probe in enumerate(probes):
        for round_, metrics in probe.look_back(_KeptBy(i, progress), progress.state.x).items():
            progress.rows.extend(_rows(round_, metrics))


def _measure(
    under_way: Sequence[Progress | None],
    moments: Sequence[Moment | None],
    probes: Sequence[Sequence[Probe]],
) -> None:
    """Of every run that has a moment here."""
    if not any(moments):
        return
    found: list[Metrics] = [{} for _ in moments]
    for of_a_kind in zip(*probes, strict=True):
        for metrics, more in zip(found, measure_together(of_a_kind, moments), strict=True):
            metrics |= more
    for progress, moment, metrics, own in zip(under_way, moments, found, probes, strict=True):
        if progress is None or moment is None:
            continue
        if all(math.isfinite(value) for value in metrics.values()):
            progress.rows.extend(_rows(moment.state.round, metrics))
        else:
            progress.diverged_at = moment.state.round
        for i, probe in enumerate(own):
            if probe.keep is not None:
                leaves = {f"{i}/{name}": leaf for name, leaf in probe.keep(moment.state.x).items()}
                progress.kept.setdefault(moment.state.round, {}).update(leaves)


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


def _rows(round_: int, metrics: Mapping[str, float]) -> list[Row]:
    return [(round_, sys.intern(metric), value) for metric, value in metrics.items()]
