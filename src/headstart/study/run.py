"""One run: the rounds, the probes along the way, and what came of it."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from headstart import trees
from headstart.engine.rounds import Federation, State, advance
from headstart.probes.base import Metrics, Moment, Probe
from headstart.trees import Tree

Row = tuple[int, str, float]
"""(round, metric, value)."""


@dataclass
class Progress:
    """A run under way: its state, what probes keep of the weights (by round; each leaf under the number of its probe),
    and the rows measured so far.

    `diverged_at` is the round after which weights, local loss or a metric were no longer finite; the run ends there.
    """

    state: State
    kept: dict[int, Tree] = field(default_factory=dict)
    rows: list[Row] = field(default_factory=list)
    diverged_at: int | None = None

    @property
    def status(self) -> str:
        """How the run ended: `finished` or `diverged`."""
        return "finished" if self.diverged_at is None else "diverged"


def carry_out(
    federation: Federation,
    progress: Progress,
    rounds: int,
    every: int,
    probes: Sequence[Probe],
    after_round: Callable[[Progress], None] = lambda progress: None,
) -> Progress:
    """Go on from `progress` to round `rounds`; measure at round 0, every `every` rounds, and after the last.

    A run that diverges is a result: it ends early, with its round. The same arguments give the same bits whether
    the rounds are done in one go or in several.
    """
    if progress.state.round == 0 and not progress.rows:
        _measure(progress, Moment(progress.state, None, None), probes)
    while progress.state.round < rounds and progress.diverged_at is None:
        previous, now = progress.state, progress.state.round + 1
        watched = now % every == 0 or now == rounds
        progress.state, cohort = advance(federation, previous, watched)
        if not trees.is_finite(progress.state.x) or (cohort is not None and not math.isfinite(cohort.local_loss)):
            progress.diverged_at = now
        elif watched:
            _measure(progress, Moment(progress.state, previous, cohort, last=now == rounds), probes)
        after_round(progress)
    if progress.diverged_at is None:
        for i, probe in enumerate(probes):
            for round_, metrics in probe.look_back(_kept_by(i, progress), progress.state.x).items():
                progress.rows.extend(_rows(round_, metrics))
    return progress


def _measure(progress: Progress, moment: Moment, probes: Sequence[Probe]) -> None:
    metrics: Metrics = {}
    for probe in probes:
        metrics |= probe.measure(moment)
    if all(math.isfinite(value) for value in metrics.values()):
        progress.rows.extend(_rows(moment.state.round, metrics))
    else:
        progress.diverged_at = moment.state.round
    for i, probe in enumerate(probes):
        if probe.keep is not None:
            leaves = {f"{i}/{name}": leaf for name, leaf in probe.keep(moment.state.x).items()}
            progress.kept.setdefault(moment.state.round, {}).update(leaves)


def _kept_by(i: int, progress: Progress) -> dict[int, Tree]:
    own = f"{i}/"
    return {
        round_: {name.removeprefix(own): leaf for name, leaf in leaves.items() if name.startswith(own)}
        for round_, leaves in progress.kept.items()
    }


def _rows(round_: int, metrics: Mapping[str, float]) -> list[Row]:
    return [(round_, metric, value) for metric, value in metrics.items()]
