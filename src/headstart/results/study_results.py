"""`results = headstart.load("out")`: what a folder of a study holds, without torch."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from headstart import tables as sealed_tables
from headstart.errors import HeadstartError, nearest
from headstart.report.judgement.reading import Reading
from headstart.report.judgement.reading import read as read_study
from headstart.report.panels.base import Answer, Missing, Panel
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.runs.standings import Standing
from headstart.report.verdict.verdict import Verdict
from headstart.report.words.numbers import percent
from headstart.results.notebook import Page, drawn, results_as_html
from headstart.statistics.intervals import Estimate, t_interval, within
from headstart.study.folder.store import Folder
from headstart.tables import BASELINE_RUNS, BASELINES, LOOKS, TRIALS
from headstart.wording.phrases import count

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor


@dataclass(frozen=True)
class Best:
    """The pair with the highest mean accuracy from a start, its rates, and how accurate it was over
    the seeds.

    It was picked on the same runs that measured it, so `accuracy` is a little optimistic. Where a
    study was tuned several times, each tuning counts once in it, and rates and `seed` are of the
    one whose seeds ended highest. `accuracies` has the run of each seed.
    """

    start: str
    client: str
    server: str
    client_rate: float
    server_rate: float
    accuracy: Estimate
    runs: Mapping[int, str]
    folder: Path
    accuracies: Mapping[int, float]
    seed: int

    def path(self, seed: int | None = None, *, of_best_round: bool = False) -> Path:
        """The file of the weights that a run ended with, or of its best round: by default of the
        seed with the highest accuracy.

        Raises:
            HeadstartError: there is no run of that seed, or its weights are gone or have changed,
                or those of its best round were not kept.
        """
        if seed is None:
            seed = self.seed
        if seed not in self.runs:
            raise HeadstartError(
                f"seed: expected one of {', '.join(map(str, self.runs))}, got {seed!r}"
            )
        folder = Folder(self.folder)
        return (
            folder.best_weights(self.runs[seed])
            if of_best_round
            else folder.weights(self.runs[seed])
        )

    def weights(self, seed: int | None = None) -> "dict[str, Tensor]":
        """The weights in that file, for `module.load_state_dict`."""
        from headstart.starts.weights import load

        return load(self.path(seed)).state_dict()

    def __str__(self) -> str:
        rates = f"rates {self.client_rate:g} and {self.server_rate:g}"
        unit = "seed" if self.accuracy.n == len(self.runs) else "tuning"
        accuracy = interval(self.accuracy, unit)
        return f"{self.client} + {self.server} from {self.start}, {rates}: {accuracy}"

    def __repr__(self) -> str:
        return f"<{self}>"


class Results(os.PathLike[str]):
    """What a study's folder holds. Stands for the folder wherever a path is expected."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reading: Reading = read_study(folder)

    @cached_property
    def runs(self) -> pa.Table:
        """A row a run: what it was, how it ended, its final accuracy, its cost. `.to_pandas()`
        makes it a data frame.
        """
        return self._tables.runs

    @cached_property
    def rounds(self) -> pa.Table:
        """Every metric of every measured round: run, round, metric, value. `run` is that of the
        table of runs.
        """
        return self._tables.rounds

    @cached_property
    def trials(self) -> pa.Table:
        """The trials of the tuning; no rows where the study had none."""
        return TRIALS.empty_table() if self._tables.trials is None else self._tables.trials

    @cached_property
    def baselines(self) -> pa.Table:
        """What needs no training: the constant answer and chance."""
        found = self._tables.baselines
        return BASELINES.empty_table() if found is None else found

    @cached_property
    def baseline_runs(self) -> pa.Table:
        """The runs of other training, each with the run that is held against it; no rows where the
        study asked for none.
        """
        found = self._tables.baseline_runs
        return BASELINE_RUNS.empty_table() if found is None else found

    @cached_property
    def looks(self) -> pa.Table:
        """What was decided at each look: a row for two starts, or for two pairs from a start."""
        return LOOKS.empty_table() if self._tables.looks is None else self._tables.looks

    @property
    def settings(self) -> Mapping[str, Any]:
        """The study file, with every default."""
        return self._grid.records.settings

    @property
    def starts(self) -> tuple[str, ...]:
        """The starts that were run."""
        return self._grid.starts

    @property
    def verdict(self) -> Verdict:
        """Where to begin and with what: `.text`; `.where` and `.which` with `.decided`, `.names`,
        `.avoid` and `.open`; `.choice` with rates and weights; `.outlook` with what is left to do.
        """
        return self._reading.verdict

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """What the data say to each question of the report, by the panel's name: `.says`,
        `.sentence`, `.judged`.
        """
        return {panel.slug: panel.answer for panel in self._reading.shown}

    def best(self, start: str | None = None, pair: str | None = None) -> Best:
        """The best pair from a start, or the one that is named: by default the start and the pair
        that the verdict names, or leans to.

        Raises:
            HeadstartError: no such start or pair was run, or none ended without a diverged run.
        """
        chosen = self._reading.start if start is None else start
        if start is None and pair is None and self.verdict.choice:
            pair = str(self.verdict.choice.pair)
        if chosen not in self.starts:
            raise HeadstartError(
                f"start: unknown start {chosen!r}{nearest(str(chosen), self.starts)}"
            )
        found = self._grid.standings[chosen]
        if found.best is None:
            raise HeadstartError(f"no pair from {chosen} has an accuracy: {_why_none(found)}")
        place = found.best if pair is None else _place_of(pair, found)
        optimizers, cell = found.pairs[place], found.cells[place]
        run = cell.best_run
        return Best(
            start=chosen,
            client=optimizers.client,
            server=optimizers.server,
            client_rate=run.client_rate,
            server_rate=run.server_rate,
            accuracy=mean_accuracy(cell),
            runs={run.seed: run.run for run in cell.runs},
            folder=self.folder,
            accuracies=cell.by_seed("test_accuracy"),
            seed=run.seed,
        )

    def plot(self, panel: str, *, wide: bool = True) -> "Figure":
        """A figure of the report, as matplotlib has it; `answers` names what there is.

        Raises:
            HeadstartError: there is no such panel, or this study has no runs for it.
        """
        found = self._panels.get(panel)
        if found is None:
            raise HeadstartError(
                f"panel: unknown panel {panel!r}{nearest(str(panel), self._panels)}"
            )
        if isinstance(found, Missing):
            raise HeadstartError(
                f"panel: this study cannot show {panel!r}, which needs {found.need}"
            )
        return drawn(found, wide)

    def report(self, processes: int = 1) -> Page:
        """Write the report anew, and return its page, which shows itself in a notebook."""
        from headstart.report.pages.study_page import write

        return Page(write(self.folder, processes))

    @cached_property
    def _tables(self) -> sealed_tables.StudyTables:
        return sealed_tables.read_results(self.folder)

    @property
    def _grid(self) -> Grid:
        return self._reading.grid

    @property
    def _panels(self) -> dict[str, Panel | Missing]:
        return {panel.slug: panel for panel in self._reading.panels}

    def __fspath__(self) -> str:
        return str(self.folder)

    def __truediv__(self, name: str | os.PathLike[str]) -> Path:
        return self.folder / name

    def __repr__(self) -> str:
        done, planned = len(self._grid.records.runs), self._grid.records.planned
        many = f"{done} runs" if planned in (None, done) else f"{done} of {planned} runs"
        return f"<Results of {str(self.folder)!r}: {many}. {self.verdict.where.claim}.>"

    def _repr_html_(self) -> str:
        rows = []
        for start, standing in self._grid.standings.items():
            for i in standing.ranked():
                rows.append((start, str(standing.pairs[i]), _accuracy(standing.cells[i])))
        return results_as_html(repr(self)[1:-1], self.verdict, rows)


def load(folder: str | os.PathLike[str]) -> Results:
    """The results of a study, from the folder that it ran in. Torch is not loaded.

    Raises:
        HeadstartError: the folder holds none, or a table is damaged.
    """
    if not isinstance(folder, str | os.PathLike):
        raise HeadstartError(f"load: expected the folder of a study, got {type(folder).__name__}")
    path = Path(folder)
    if not path.is_dir():
        raise HeadstartError(
            f"load: expected the folder of a study, got {str(path)!r}, which is none"
        )
    return Results(path)


def mean_accuracy(cell: Cell) -> Estimate:
    """Student's interval for the mean over seeds, of which nothing lies below 0 or above 1."""
    return within(t_interval(cell.accuracy.values()), 0.0, 1.0)


def interval(estimate: Estimate, unit: str = "seed") -> str:
    """An accuracy with its interval, where there is one; `unit`: of what its values are.

    >>> interval(Estimate(0.9, 0.88, 0.92, 3)), interval(Estimate(0.9, None, None, 1))
    ('90.0% [88.0, 92.0] over 3 seeds', '90.0% over 1 seed')
    """
    seeds = f"over {count(estimate.n, unit)}"
    if estimate.low is None or estimate.high is None:
        return f"{percent(estimate.value)} {seeds}"
    return (
        f"{percent(estimate.value)} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}] {seeds}"
    )


def _place_of(pair: str, found: Standing) -> int:
    """The place of a pair that is written as the report writes it, `sgd + adam`."""
    names = ["".join(str(one).split()) for one in found.pairs]
    written = "".join(str(pair).split())
    if written not in names:
        known = ", ".join(map(str, found.pairs))
        raise HeadstartError(f"pair: expected one of {known}, got {pair!r}")
    place = names.index(written)
    if not found.cells[place].accuracy:
        raise HeadstartError(
            f"{found.pairs[place]} from {found.start} has no accuracy: a run of it diverged"
        )
    return place


def _why_none(found: Standing) -> str:
    """Why a start has no best pair."""
    if not found.cells:
        return "no pair was run from every start"
    return "each diverged" if found.measured else "accuracy was not measured"


def _accuracy(cell: Cell) -> str:
    return interval(mean_accuracy(cell)) if cell.accuracy else f"{cell.diverged} diverged"
