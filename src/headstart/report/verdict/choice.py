"""What was chosen, as one runs it again: the start, the pair, its rates and weights, and a study
file that runs only this.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import yaml

from headstart.looks.competitors import Pair, family
from headstart.report.runs.cells import Cell
from headstart.report.runs.grid import Grid
from headstart.report.runs.records import Run
from headstart.report.words.numbers import percent
from headstart.report.words.written_parts import FILE, GIVEN, parts
from headstart.wording.epochs import in_words
from headstart.wording.phrases import count

KEPT = (
    "task", "model", "population", "cohort", "batch_size", "rounds", "every", "weighting",
    "evaluate_on", "target_accuracy", "client_rate_by_round", "server_rate_by_round", "precision",
)  # fmt: skip
"""Keys of the study that the short file takes over as they are."""

IN_WORDS = {
    "random": "random weights, new for every seed",
    "checkpoint": "weights from a checkpoint",
    "proxy": "weights that the server trained first on data of its own",
    "hub": "weights from the Hugging Face hub",
    "head-first": "weights of another start, with a head that is fitted first",
    "python": "weights that a program gave",
}
"""What each kind of start is, in words."""

LONGEST = 80
"""Letters of parameters that a sentence still reads well with."""


@dataclass(frozen=True)
class Choice:
    """A start and a pair at its rates.

    Attributes:
        start: by its name in the study.
        start_in_words: what it is.
        pair: as it is compared.
        alike: the pairs that are one with it.
        client: the client optimizer with the parameters that it ran with, such as mu.
        server: the server optimizer likewise.
        weights: the file of the best seed's weights, in the folder of the study.
        picked: which seed they are of, and that it was picked.
        study: a study file that runs only this, with the seeds that ran at these rates; empty
            where a part was given by a program.
    """

    start: str
    start_in_words: str
    pair: Pair
    alike: tuple[Pair, ...]
    client: str
    server: str
    client_rate: float
    server_rate: float
    local_epochs: float
    weights: str
    picked: str
    study: str

    @property
    def rates(self) -> str:
        """The rates and the local epochs, with the parameters that the pair's name lacks."""
        told = [f"client rate {self.client_rate:g}", f"server rate {self.server_rate:g}"]
        told.append(in_words(self.local_epochs))
        told += [name for name in (self.client, self.server) if name not in self.pair]
        return ", ".join(told)


def choice(grid: Grid, cell: Cell) -> Choice:
    """What was chosen, as it was run; `cell`: the runs of its start and its pair."""
    start, run = cell.start, cell.best_run
    seeds = sorted(each.seed for each in cell.at_best_rates)
    alike: tuple[Pair, ...] = ()
    for pairs in grid.decided.pairs:
        if cell.pair in pairs:
            alike = tuple(pair for pair in pairs if pair != cell.pair)
    return Choice(
        start=start,
        start_in_words=in_plain_words(full_name(grid, start), start),
        pair=cell.pair,
        alike=alike,
        client=run.client,
        server=run.server,
        client_rate=run.client_rate,
        server_rate=run.server_rate,
        local_epochs=run.local_epochs,
        weights=f"runs/{run.run}/weights.safetensors",
        picked=picked(grid, cell),
        study=study_file(grid, start, run, seeds),
    )


def picked(grid: Grid, cell: Cell) -> str:
    """Which seed the weights are of, and that they were picked by what was measured."""
    run, alike = cell.best_run, cell.at_best_rates
    if len(cell.runs) == 1 or run.test_accuracy is None:
        return f"seed {run.seed}"
    found, mean = percent(run.test_accuracy), percent(cell.mean)
    those = "their mean"
    seeds = count(len(alike), "seed")
    if len(alike) < len(cell.runs):
        seeds += f" at these rates, which ended highest of {count(grid.records.repeats, 'tuning')},"
        those = "the mean of all tunings"
    flattered = f", which flatters it: {those} is {mean}" if found != mean else ""
    return (
        f"seed {run.seed}, picked as the highest of {seeds} by {grid.measure} ({found}{flattered})"
    )


def full_name(grid: Grid, start: str) -> str:
    """The start as the study file names it, with its parameters."""
    given = grid.records.settings
    named: list[Any] = list(given.get("starts") or ())
    for further in given.get("also") or ():
        named += further.get("starts") or ()
    written = grid.records.written_starts.get(start, start)
    for name in map(str, named):
        if start in (name, family(name), grid.records.names.called("starts", name)):
            return name
        if name.replace('"', "'") == written:
            return name
    return written


def in_plain_words(name: str, called: str = "") -> str:
    """What a start is, with the parameters that what it is `called` lacks; its name where nobody
    said. Of many parameters only the files: all stand in "How it was run".

    >>> in_plain_words("checkpoint(path='w.pt')", "checkpoint")
    "weights from a checkpoint (path='w.pt')"
    """
    words = IN_WORDS.get(family(name))
    if words is None:
        return name
    parameters = "" if name == called else name[len(family(name)) :]
    if len(parameters) > LONGEST:
        files = [PurePosixPath(str(given[FILE])).name for _, given in parts(name) if FILE in given]
        return ", ".join([words, *files])
    return f"{words} {parameters}".rstrip()


def as_it_is(grid: Grid, start: str) -> str:
    """The weights of a start before any training: its own file, or what they are."""
    name = full_name(grid, start)
    files = [str(given[FILE]) for _, given in parts(name) if FILE in given]
    if family(name) == "checkpoint" and files:
        return f"the file {files[0]}"
    return IN_WORDS.get(family(name), "the weights before the first round")


def study_file(grid: Grid, start: str, run: Run, seeds: Sequence[int]) -> str:
    """A study file that runs only this start and pair, at the rates of a run."""
    given, named = grid.records.settings, grid.records.names.in_file
    found: dict[str, Any] = {
        "name": f"chosen of {given['name']}" if given.get("name") else "chosen"
    }
    for key in KEPT:
        if given.get(key) is not None:
            found[key] = named(key, given[key]) if key in ("task", "model") else given[key]
    found |= {
        "starts": [named("starts", full_name(grid, start))],
        "clients": [named("clients", run.client)],
        "servers": [named("servers", run.server)],
        "partitions": [named("partitions", run.partition)],
        "devices": [named("devices", run.devices)],
        "local_epochs": [run.local_epochs],
        "client_rates": [run.client_rate],
        "server_rates": [run.server_rate],
        "probes": ["evaluation"],
        "seeds": list(seeds),
    }
    if run.trainable != "all":
        found["trainable"] = [run.trainable]
    if any(name == GIVEN for name, _ in parts(found)):  # which no study file can name
        return ""
    return yaml.safe_dump(found, sort_keys=False, allow_unicode=True, width=1000)
