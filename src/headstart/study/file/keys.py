"""A study file: its keys with their types and defaults.

A study file is YAML (`yaml_text` reads it), and nothing in it is executed. Its axes (starts, what
is trained, clients, servers, partitions, devices, local epochs, rates) span the main grid; every
entry of `also` spans a further one in which the axes that it does not name are those of the main
grid.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationInfo,
    create_model,
    model_serializer,
    model_validator,
)

from headstart.looks.plans import MARGIN
from headstart.paper.findings import FINDINGS
from headstart.parts.validation import validate
from headstart.study.file.settings import Count, PerRun, RunSettings
from headstart.study.file.trainable import readable
from headstart.wording.epochs import whole_or_part

LONGEST = 1_000_000
"""Values of an axis, more of which are not even listed."""


def _as_list(value: object) -> object:
    if isinstance(value, range) and len(value) > LONGEST:
        raise ValueError(f"expected at most {LONGEST:,} values, got {len(value):,}")
    return list(value) if isinstance(value, list | tuple | range) else [value]


USUAL_COHORT = 10
"""Clients of a round where nothing is said; all of them where there are fewer."""

Epochs = Annotated[float, Field(gt=0), AfterValidator(whole_or_part)]
Rate = Annotated[float, Field(gt=0)]
Seed = Annotated[int, Field(ge=0)]
Trainable = Annotated[str, AfterValidator(readable)]
Names = Annotated[list[Any], BeforeValidator(_as_list), Field(min_length=1)]
NumbersOfEpochs = Annotated[list[Epochs], BeforeValidator(_as_list), Field(min_length=1)]
Rates = Annotated[list[Rate], BeforeValidator(_as_list), Field(min_length=1)]
Trainables = Annotated[list[Trainable], BeforeValidator(_as_list), Field(min_length=1)]
Baselines = Annotated[
    list[Literal["centralised", "local"]],
    BeforeValidator(_as_list),
    Field(min_length=1, max_length=2),
]
Seeds = Annotated[list[Seed], BeforeValidator(_as_list), Field(min_length=1)]


WIDTH = 1.01
"""A range that is tuned over must be wider than this factor: what is tried is rounded to three
digits.
"""


def _refuse_narrow(low: float, high: float) -> None:
    if low >= high:
        raise ValueError(f"expected a range [low, high] with low < high, got [{low:g}, {high:g}]")
    if high < low * WIDTH:
        raise ValueError(f"expected a range that is wider than 1 %, got [{low!r}, {high!r}]")


class Strict(BaseModel):
    """Unknown keys are refused, and a type is only what it says: true is no number."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Axes(Strict):
    """The axes of a further grid; what is left out is as in the main grid."""

    starts: Names | None = None
    trainable: Trainables | None = None
    clients: Names | None = None
    servers: Names | None = None
    partitions: Names | None = None
    devices: Names | None = None
    local_epochs: NumbersOfEpochs | None = None
    client_rates: Rates | None = None
    server_rates: Rates | None = None
    seeds: Seeds | None = None


class RateRow(Strict):
    """Learning rates for the runs that it matches; a bare name matches with any parameters, what is
    left out all.

    `chosen_on: test`: they were picked by results on the test split, which the page then says.
    """

    start: Any = None
    trainable: Trainable | None = None
    client: Any = None
    server: Any = None
    partition: Any = None
    devices: Any = None
    local_epochs: Epochs | None = None
    client_rate: Rate
    server_rate: Rate
    chosen_on: Literal["test", "validation"] | None = None


class Around(Strict):
    """A range about what the file itself says for a pair: from it divided by `around` to it times
    `around`, so that servers whose rates differ by orders of magnitude are searched as widely.
    """

    around: Annotated[float, Field(ge=WIDTH, le=1e6)]

    def span(self, rate: float) -> tuple[float, float]:
        """The ends of the range about a rate."""
        return rate / self.around, rate * self.around


class Between(Strict):
    """A range that is the same for every pair."""

    low: Rate
    high: Rate

    def span(self, rate: float) -> tuple[float, float]:
        """The ends of the range, whatever the file says for a pair."""
        return self.low, self.high

    @model_serializer
    def _as_written(self) -> list[float]:
        return [self.low, self.high]


def _range(value: object, about: ValidationInfo) -> Around | Between:
    if isinstance(value, Around | Between):
        return value
    if isinstance(value, Mapping):
        return validate(Around, value, f"tuning.{about.field_name}")
    if not isinstance(value, list) or len(value) != 2:
        raise ValueError(f"expected a range [low, high] or {{around: 5}}, got {value!r}")
    ends = validate(
        Between, dict(zip(("low", "high"), value, strict=True)), f"tuning.{about.field_name}"
    )
    _refuse_narrow(ends.low, ends.high)
    return ends


Range = Annotated[Any, PlainValidator(_range)]

FIRST_TUNING_SEED = 1_000_000
"""Where a file names no tuning seeds they are counted from here, far from those that are judged."""

SEEDS_OF_A_TRIAL = 3
"""Tuning seeds of each repeat where a file names none. Ours."""


class Tuning(Strict):
    """What every pair and start is tuned with: the same number of trials, seeds and rounds, on the
    validation split.

    It is tuned `repeats` times, each time with seeds of its own: `seeds` are those of all repeats,
    dealt in equal parts.
    """

    trials: Count = 20
    repeats: Annotated[int, Field(ge=1, le=1000)] = 1
    seeds: Seeds = []
    rounds: Count | None = None
    prune: bool = True
    client_rate: Range = Between(low=1e-3, high=10.0)
    server_rate: Range = Between(low=1e-3, high=10.0)
    parameters: bool = True
    each: list[Literal["partition", "devices", "local_epochs"]] = []

    @model_validator(mode="after")
    def _name_seeds(self) -> "Tuning":
        if not self.seeds:
            last = FIRST_TUNING_SEED + SEEDS_OF_A_TRIAL * self.repeats
            self.seeds = list(range(FIRST_TUNING_SEED, last))
        return self

    def seeds_of(self, repeat: int) -> list[int]:
        """The tuning seeds of one repeat."""
        each = len(self.seeds) // self.repeats
        return self.seeds[repeat * each : (repeat + 1) * each]

    def repeat_of(self, seed: int) -> int:
        """The repeat whose rates a judged seed is run with: they are dealt in turn."""
        return seed % self.repeats


MOST_LOOKS = 200
"""Seeds of a study that runs until it has decided. A look takes a moment, and shares the error."""


def _first_or_more(at_most: int, given: ValidationInfo) -> int:
    first = given.data.get("first", at_most)
    if at_most < first:
        raise ValueError(f"expected first ({first}) or more, got {at_most}")
    return at_most


class UntilDecided(Strict):
    """Seeds 0, 1, 2, ... until the study has decided: it is looked at after `first` of them, and
    after each further one.
    """

    until: Literal["decided"]
    first: Annotated[int, Field(ge=2)] = 3
    at_most: Annotated[int, Field(ge=2, le=MOST_LOOKS), AfterValidator(_first_or_more)] = 20


class _Listed(Strict):
    seeds: Seeds


def _listed_or_until(value: object) -> list[int] | UntilDecided:
    if isinstance(value, Mapping):
        return validate(UntilDecided, value, "seeds")
    return validate(_Listed, {"seeds": value}).seeds


_AMOUNTS: dict[str, Any] = {
    slug: (Annotated[float, Field(gt=0, le=100)] | None, None)
    for slug, finding in FINDINGS.items()
    if finding.margin
}
Margins = create_model("Margins", __base__=Strict, **_AMOUNTS)
"""What does not matter, by finding, in the unit that `paper.findings` gives it."""


class StudyFile(Strict, RunSettings):  # type: ignore[misc]  # it is no dataclass
    """The keys of a study file, with their defaults; those that are fields of each run are in
    `RunSettings`.
    """

    name: str = "study"
    title: str = ""
    preset: str | None = None
    task: Any
    model: Any
    starts: Names = ["random"]
    trainable: Trainables = ["all"]
    clients: Names = ["sgd"]
    servers: Names = ["sgd"]
    partitions: Names = ["iid"]
    devices: Names = ["equal"]
    local_epochs: NumbersOfEpochs = [1]
    client_rates: Rates = [0.1]
    server_rates: Rates = [1.0]
    seeds: Annotated[Any, PlainValidator(_listed_or_until)] = [0, 1, 2]
    margin: Annotated[float, Field(ge=0, le=100)] = MARGIN
    margins: Margins | None = None  # type: ignore[valid-type]
    population: Count | Literal["natural"] = 100
    cohort: Count = USUAL_COHORT
    probes: Names = ["evaluation", "alignment", "distance"]
    target_accuracy: Annotated[float, Field(gt=0, le=1)] | None = None
    executor: Any = "stacked"
    per_run: PerRun | None = None
    client_rate_by_round: Any = None
    server_rate_by_round: Any = None
    baselines: Baselines | None = None
    local_clients: Count | None = None
    tuning: Tuning | None = None
    rates: list[RateRow] = []
    also: list[Axes] = []


def in_order(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys as a person writes them: the grid, what its runs are set to, and what is done with
    them.
    """
    own = list(StudyFile.__annotations__)
    grid = own[: own.index("probes")]
    order = dict.fromkeys([*grid, *(field.name for field in fields(RunSettings)), *own])
    return {name: keys[name] for name in order if name in keys}
