"""What a study is: the grids that its file spans, and the runs that these are."""

import itertools
import os
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.rate_by_round import RATES_BY_ROUND
from headstart.errors import HeadstartError
from headstart.looks.plans import plan_of
from headstart.models.network import MODELS
from headstart.parts.origin import Origin, current, within
from headstart.parts.part_names import named_alike, read_named, refuse_name
from headstart.parts.registry import Component, Registry
from headstart.parts.validation import shown, validate
from headstart.probes.base import PROBES
from headstart.servers.base import SERVERS
from headstart.starts.base import STARTS
from headstart.study.baselines.other_training import baseline_runs, refuse_slips
from headstart.study.data import task_of
from headstart.study.file.asked import LooksAsked
from headstart.study.file.equal_rates import refuse_unequal_rates
from headstart.study.file.idle_repeats import refuse_idle_repeats
from headstart.study.file.keys import Axes, StudyFile, Tuning, UntilDecided, in_order
from headstart.study.file.most_runs import refuse_too_many_runs
from headstart.study.file.rate_rows import RateRows
from headstart.study.file.run_spec import RunSpec
from headstart.study.file.settings import RunSettings
from headstart.study.file.until_decided import refuse_what_decides_nothing
from headstart.study.file.yaml_text import read, written
from headstart.study.given.parts import as_written
from headstart.tasks.base import PARTITIONS, TASKS

FORMAT = 2
"""Of the files in a study's folder: raised when they can no longer be read as before."""

AXES: dict[str, Registry[Any]] = {
    "starts": STARTS,
    "clients": CLIENTS,
    "servers": SERVERS,
    "partitions": PARTITIONS,
    "devices": DEVICES,
}
"""The axes whose values are parts. The others are numbers, and `trainable`, which names parameters.
"""

FIELDS = {axis: axis.removesuffix("s") for axis in Axes.model_fields}
FIELDS |= {name: name for name in ("devices", "local_epochs")}
"""Of each axis, the field of a run that it gives values to."""


class Study:
    """A validated study: `Study(task="digits", model="mlp", starts=["random", "proxy"], ...)`.

    The keys are those of a study file (`StudyFile`). In place of names there may be values: a
    function that builds the model, the task that `own_task` makes of tensors, weights among the
    starts (see `headstart.study.given.parts`). No data are read before `population`, `runs` or
    `resolved` are asked for, and then only where the number of clients is to be counted.

    grid: the runs; where clients are to be counted their `population` is 0, and their `cohort` as
    written. plan: when it is looked at. origin: where the study was written. A program that makes a
    study by a call trusts itself: parts of its own may come from whatever it can import.

    Raises:
        HeadstartError: one line with the path in the file, for unknown keys or names, wrong types
            or ranges.
    """

    def __init__(self, *files: object, **keys: Any) -> None:
        if files:
            raise HeadstartError(
                "Study: expected keys such as task='digits' and model='mlp', "
                f"got {shown(files[0])}; a study file is read by Study.load(path)"
            )
        self.origin = current()
        named, self.given = as_written(keys)
        self.file = parsed = validate(StudyFile, named)
        self.task = read_named(TASKS, parsed.task, "task")
        self.model = read_named(MODELS, parsed.model, "model")
        executor = EXECUTORS.component(parsed.executor, "executor")
        self.executor = refuse_name(executor, "executor")
        self.by_round = {}
        for name in ("client_rate_by_round", "server_rate_by_round"):
            written = getattr(parsed, name) or "constant"
            self.by_round[name] = str(_registered_rate(written, name))
        self.probes = tuple(_read_all(PROBES, parsed.probes, "probes"))
        for i, probe in enumerate(self.probes):
            refuse_name(probe, f"probes[{i}]")
        if "evaluation" not in {probe.name for probe in self.probes}:
            raise HeadstartError(
                "probes: expected 'evaluation' among them, without which no run has an accuracy"
            )
        refuse_slips(parsed)
        if parsed.tuning:
            _check_tuning(parsed, parsed.tuning)
        grids = named_alike(list(self._grids()), AXES)
        self._called: dict[tuple[str, str], Component] = {}
        for axis in AXES:
            for part in itertools.chain.from_iterable(axes[axis] for axes in grids):
                self._called[axis, part.label] = part
        self._rate_rows = RateRows(parsed.rates, tuple(_AXIS), self._of_axis)
        refuse_too_many_runs(grids)
        self._written_population = 0 if self._is_counted(grids) else int(parsed.population)
        if self._written_population:
            self._cohort_of(self._written_population)
        spanned = itertools.chain.from_iterable(map(self._expand, grids))
        self.grid = list(dict.fromkeys(spanned))
        if parsed.tuning:
            refuse_idle_repeats(parsed.tuning, grids)
        if not parsed.rates:
            refuse_unequal_rates(self.grid)
        self.plan = plan_of(parsed.model_dump(include={"seeds", "margin", "tuning"}))
        if self.until is not None:
            refuse_what_decides_nothing(parsed, self.grid)
        self._rate_rows.refuse_unused()

    @property
    def until(self) -> UntilDecided | None:
        """How many seeds it is run for, where that is not known beforehand."""
        return self.file.seeds if isinstance(self.file.seeds, UntilDecided) else None

    @classmethod
    def load(
        cls,
        path: str | Path,
        allow: Sequence[str] = (),
        origin: Origin | None = None,
        asked: LooksAsked | None = None,
    ) -> "Study":
        """Read a study file (YAML, nothing in it is executed but what it names of the modules of
        its own).

        Args:
            path: the file. What it names is looked up beside it, then in the working folder.
            allow: modules from elsewhere that its parts may come from.
            origin: where it was written, for a copy that lies elsewhere.
            asked: what a command says of its looks, over what the file says.
        """
        if not isinstance(path, str | os.PathLike):
            raise HeadstartError(
                f"Study.load: expected the path of a study file, got {type(path).__name__}"
            )
        keys = read(Path(path))
        with within(origin or Origin.of_file(Path(path), tuple(allow))):
            try:
                return cls(**(asked.over(keys) if asked else keys))
            except HeadstartError as error:
                raise HeadstartError(f"{path}: {error}") from None

    @cached_property
    def population(self) -> int:
        """The number of clients: what the file says, where it says nothing and deals rows by owner
        that of the owners.

        So both spellings are the same runs.
        """
        return self._written_population or len(task_of(self.task).natural_clients)

    @property
    def cohort(self) -> int:
        """The clients of a round: where the file says nothing, all of them if there are fewer than
        usual.

        Raises:
            HeadstartError: the file says more than there are clients.
        """
        return self._cohort_of(self.population)

    @cached_property
    def runs(self) -> list[RunSpec]:
        """The runs of all grids, each once, in the order of the file."""
        if self._written_population:
            return self.grid
        population, cohort = self.population, self.cohort
        return [replace(run, population=population, cohort=cohort) for run in self.grid]

    @cached_property
    def baselines(self) -> dict[RunSpec, RunSpec]:
        """The runs that others are held against, where the file asks for them; each with the run
        that is.
        """
        return baseline_runs(self.runs, self.file)

    def __repr__(self) -> str:
        return f"<Study {self.file.name!r}: {self.model} on {self.task}, {len(self.runs)} runs>"

    def resolved(self) -> str:
        """The study as YAML with every default written out: equal text means an equal study."""
        with within(self.origin):
            first = f"# a study as headstart {FORMAT} read it, with every default"
            return f"{first}\n{written(self._keys())}"

    def _keys(self) -> dict[str, Any]:
        """The keys of a study file with every default, parts by their names."""
        keys = self.file.model_dump(exclude_none=True)
        for axes in (keys, *keys["also"]):
            for axis in axes.keys() & AXES.keys():
                axes[axis] = [AXES[axis].component(part).in_file for part in axes[axis]]
        for row in keys["rates"]:
            for name in row.keys() & _AXIS.keys():
                row[name] = self._of_axis(name, row[name], name).written
        keys |= {name: self.by_round[name] for name in self.by_round.keys() & keys.keys()}
        for name in ("task", "model", "executor"):
            keys[name] = getattr(self, name).in_file
        keys["probes"] = [probe.written for probe in self.probes]
        keys |= {"population": self.population, "cohort": self.cohort}
        return in_order(keys)

    def _of_axis(self, name: str, written: object, path: str) -> Component:
        """The part that a row of `rates` names, also by the name that the study gives it."""
        axis = _AXIS[name]
        called = self._called.get((axis, written)) if isinstance(written, str) else None
        return called or AXES[axis].component(written, path)

    def _grids(self) -> Iterator[dict[str, list[Any]]]:
        main = {axis: getattr(self.file, axis) for axis in Axes.model_fields}
        main["seeds"] = list(range(self.until.at_most)) if self.until else self.file.seeds
        yield self._components(main, "")
        for i, axes in enumerate(self.file.also):
            yield self._components({**main, **axes.model_dump(exclude_none=True)}, f"also[{i}].")

    def _components(self, axes: dict[str, list[Any]], path: str) -> dict[str, list[Any]]:
        read = dict(axes)
        for axis, values in axes.items():
            if axis in AXES:
                read[axis] = _read_all(AXES[axis], values, f"{path}{axis}")
            else:
                _refuse_twice(values, f"{path}{axis}")
        return read

    def _is_counted(self, grids: list[dict[str, list[Any]]]) -> bool:
        """Whether the number of clients is that of the owners whom the task names."""
        partitions = itertools.chain.from_iterable(axes["partitions"] for axes in grids)
        by_owner = "natural" in {partition.name for partition in partitions}
        is_open = "population" not in self.file.model_fields_set
        return self.file.population == "natural" or (by_owner and is_open)

    def _cohort_of(self, population: int) -> int:
        cohort = self.file.cohort
        if "cohort" not in self.file.model_fields_set:
            return min(cohort, population)
        if cohort > population:
            raise HeadstartError(
                f"cohort: expected at most the number of clients (population: {population}), got "
                f"{cohort}"
            )
        return cohort

    def _expand(self, axes: dict[str, list[Any]]) -> Iterator[RunSpec]:
        population = self._written_population
        cohort = self._cohort_of(population) if population else self.file.cohort
        alike = {field.name: getattr(self.file, field.name) for field in fields(RunSettings)}
        alike |= self.by_round
        alike |= {"task": self.task, "model": self.model, "executor": self.executor}
        alike |= {"probes": self.probes, "population": population, "cohort": cohort}
        names = [FIELDS[axis] for axis in axes]
        for values in itertools.product(*axes.values()):
            run = RunSpec(**alike, **dict(zip(names, values, strict=True)))
            yield self._with_rates(run)

    def _with_rates(self, run: RunSpec) -> RunSpec:
        """The rates of the first row that matches, by registered name or as written; else those of
        the axes.
        """
        row = self._rate_rows.of(run)
        if row is None:
            return run
        return replace(run, client_rate=row.client_rate, server_rate=row.server_rate)


_AXIS = {FIELDS[axis]: axis for axis in AXES}


def _registered_rate(written: object, path: str) -> Component:
    """A rate by round, by its registered name: runs name it by its text alone, which says nothing
    of a folder.
    """
    part = RATES_BY_ROUND.component(written, path)
    if ":" in part.name:
        raise HeadstartError(f"{path}: expected a registered {part.kind}, got {part.name!r}")
    return part


def _read_all(registry: Registry[Any], written: Sequence[object], path: str) -> list[Component]:
    parts = [read_named(registry, part, f"{path}[{i}]") for i, part in enumerate(written)]
    _refuse_twice(parts, path)
    return parts


def _check_tuning(file: StudyFile, tuning: Tuning) -> None:
    for axis in ("client_rates", "server_rates"):
        for axes in (file, *file.also):
            if len(getattr(axes, axis) or [0]) > 1:
                raise HeadstartError(
                    f"{axis}: expected one value, as `tuning` searches for it, got several"
                )
    if file.evaluate_on == "validation":
        raise HeadstartError(
            "evaluate_on: expected test, as `tuning` chooses by the validation split, "
            "got validation"
        )
    _refuse_twice(tuning.seeds, "tuning.seeds")
    if len(tuning.seeds) % tuning.repeats:
        raise HeadstartError(
            f"tuning.seeds: expected as many for each of {tuning.repeats} repeats, got "
            f"{len(tuning.seeds)}"
        )
    _refuse_twice(tuning.each, "tuning.each")


def _refuse_twice(values: Sequence[Hashable], path: str) -> None:
    before: set[Hashable] = set()
    for i, value in enumerate(values):
        if value in before:
            raise HeadstartError(f"{path}[{i}]: {value} is there twice; remove one")
        before.add(value)
