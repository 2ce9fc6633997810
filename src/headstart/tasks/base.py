"""A task: examples to train on, to validate on and to test on, and what is scored.

Shape suffixes: B rows of a batch, C classes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from headstart import trees
from headstart.errors import HeadstartError
from headstart.parts.registry import Registry
from headstart.tasks.tokens.base import Tokens


class Scores(NamedTuple):
    """Sums over what one row predicts: a row of a classifier predicts once, a row of text once a
    token.
    """

    loss_B: Tensor
    correct_B: Tensor
    count_B: Tensor


Objective = Callable[[Tensor, Tensor], Scores]


def classification(logits_BC: Tensor, labels_B: Tensor) -> Scores:
    """Cross-entropy in nats, and whether the largest logit is that of the label."""
    loss_B = -logits_BC.log_softmax(-1).gather(-1, labels_B.unsqueeze(-1)).squeeze(-1)
    correct_B = (logits_BC.argmax(-1) == labels_B).to(loss_B.dtype)
    return Scores(loss_B, correct_B, torch.ones_like(loss_B))


@dataclass(frozen=True)
class Examples:
    """Rows of inputs [N, ...] and targets [N, ...]."""

    inputs: Tensor
    targets: Tensor

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", trees.aligned(self.inputs))
        object.__setattr__(self, "targets", trees.aligned(self.targets))

    def __len__(self) -> int:
        return len(self.targets)

    @classmethod
    def joined(cls, several: "Sequence[Examples]") -> "Examples":
        """The rows of several, one after another."""
        inputs = torch.cat([rows.inputs for rows in several])
        return cls(inputs, torch.cat([rows.targets for rows in several]))

    def to(self, device: torch.device) -> "Examples":
        """The same rows on a device."""
        return Examples(self.inputs.to(device), self.targets.to(device))

    def rows_of(self, predictions: int) -> int:
        """How many rows predict so often, one at least: a row of text predicts once a token."""
        return max(1, predictions // max(1, self.targets[:1].numel()))

    def batches(self, predictions: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield inputs and targets of rows that predict at most so often at once."""
        rows = self.rows_of(predictions)
        yield from zip(torch.split(self.inputs, rows), torch.split(self.targets, rows), strict=True)


class Moments(NamedTuple):
    """Means and deviations of features, or of channels; empty where inputs are as they were."""

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()


AS_THEY_WERE = Moments()
"""Of inputs that nobody shifted or scaled."""


class Pixels(nn.Module):
    """Bytes of images [B, C, height, width] as numbers, of each channel (byte / 255 - mean) /
    deviation, in float32.

    Without `mean` nothing is subtracted, and without `deviation` nothing divided by.

    >>> images = torch.tensor([[[[0, 255]]]], dtype=torch.uint8)
    >>> Pixels(mean=[0.5], deviation=[0.25])(images).tolist()
    [[[[-2.0, 2.0]]]]
    """

    mean: Tensor | None
    deviation: Tensor | None

    def __init__(self, mean: Sequence[float] = (), deviation: Sequence[float] = ()) -> None:
        super().__init__()
        for name, values in (("mean", mean), ("deviation", deviation)):
            self.register_buffer(name, torch.tensor(values)[:, None, None] if values else None)

    @property
    def moments(self) -> Moments:
        """What is subtracted from each channel and divided by, of bytes / 255."""
        values = [
            () if one is None else one.flatten().tolist() for one in (self.mean, self.deviation)
        ]
        return Moments(*map(tuple, values))

    def forward(self, images: Tensor) -> Tensor:
        """The numbers of a batch."""
        numbers = images.to(torch.float32, copy=True).div_(255)
        if self.mean is not None:
            numbers.sub_(self.mean)
        return numbers if self.deviation is None else numbers.div_(self.deviation)


def _numbers(values: Tensor | None) -> tuple[float, ...]:
    return () if values is None else tuple(values.flatten().tolist())


Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class ClientRows(Sequence[Rows]):
    """The rows of each of K clients as one array, cut at `starts` [K + 1]: cheap however many
    clients there are.

    `order` holds the rows of client 0, then those of client 1, ...; none where the rows lie sorted
    by client.

    >>> clients = ClientRows.of_owners(np.array([7, 3, 7]))
    >>> [rows.tolist() for rows in clients]
    [[1], [0, 2]]
    """

    starts: Rows
    order: Rows | None = None

    @classmethod
    def of_owners(cls, owners_N: Rows, population: int | None = None) -> "ClientRows":
        """Clients from the owner of each row: each owner that occurs, or those numbered 0 to
        population - 1.
        """
        if population is None:
            sizes = np.unique(owners_N, return_counts=True)[1]
        else:
            sizes = np.bincount(owners_N, minlength=population)
        return cls(np.concatenate([[0], np.cumsum(sizes)]), np.argsort(owners_N, kind="stable"))

    @property
    def sizes(self) -> Rows:
        """How many rows each client has [K]."""
        return np.diff(self.starts)

    @overload
    def __getitem__(self, index: int) -> Rows: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Rows]: ...
    def __getitem__(self, index: int | slice) -> Rows | Sequence[Rows]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"client {index} of {len(self)}")
        index %= len(self)
        first, end = int(self.starts[index]), int(self.starts[index + 1])
        return np.arange(first, end) if self.order is None else self.order[first:end]

    def __len__(self) -> int:
        return len(self.starts) - 1


@dataclass(frozen=True)
class Task:
    """Data, loss and metrics.

    `train` is what partitions give to clients; `validation` is for tuning and `test` for the
    reported numbers, and neither overlaps another. `outputs` is the width of the model's output.
    `owners` [N] names the natural client of each training row, where the source has one, or is the
    rows of each such client; `test_owners` and `validation_owners` are the numbers of those of the
    other splits' rows, where they are known. `classes`: the names of the labels 0, 1, ..., where
    the source has some. `mapped`: the rows are read from files as they are used, so that several
    processes share them as it is. `tokens` is how text became numbers, in tasks of text. `content`:
    a sha256 of the files that it was read from, empty without any. `prepare` makes the module,
    without parameters, that turns a batch of inputs into what a model takes: images are kept as
    bytes, a quarter of float32. `features`: the names of the numbers of an input, where the source
    has some. `notes`: what who looks at a study should know of how the rows were read, a line each:
    which columns are features. `owners_named`: whether the study says whose rows are whose, so that
    a study which deals them otherwise is told of it.
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples
    outputs: int
    objective: Objective = classification
    owners: Rows | ClientRows | None = None
    classes: tuple[str, ...] = ()
    mapped: bool = False
    tokens: Tokens | None = None
    content: str = ""
    prepare: Callable[[], nn.Module] = nn.Identity
    test_owners: Rows | None = None
    validation_owners: Rows | None = None
    notes: tuple[str, ...] = ()
    features: tuple[str, ...] = ()
    owners_named: bool = False

    def __repr__(self) -> str:
        rows = (
            f"{len(self.train)} training, {len(self.validation)} validation and {len(self.test)} "
            "test rows"
        )
        return (
            f"<Task {self.name!r}: {rows}, inputs {list(self.input_shape)}, {self.outputs} outputs>"
        )

    def to(self, device: torch.device) -> "Task":
        """The same task with its rows on a device, where all of them must fit."""
        splits = {name: getattr(self, name).to(device) for name in ("train", "validation", "test")}
        return replace(self, **splits)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return tuple(self.train.inputs.shape[1:])

    @property
    def moments(self) -> Moments:
        """By what the inputs that a model takes are shifted and scaled, kept or prepared so."""
        prepared = self.prepare()
        return prepared.moments if isinstance(prepared, Pixels) else AS_THEY_WERE

    @property
    def natural_clients(self) -> ClientRows:
        """The rows of each owner that the source names.

        Raises:
            HeadstartError: it names none.
        """
        if self.owners is None:
            raise HeadstartError(
                f"'natural' needs to know whose each row is, but task {self.name!r} has no owners; "
                "use the partition 'iid' or 'dirichlet', and a number as population"
            )
        return (
            self.owners
            if isinstance(self.owners, ClientRows)
            else ClientRows.of_owners(self.owners)
        )


Partition = Callable[[Task, int, int], Sequence[Rows]]
"""(task, number of clients, seed) -> the training rows of each client; every row is used exactly
once.
"""

TASKS: Registry[Task] = Registry("task", "headstart.tasks", Task, rooms=("own",))
PARTITIONS: Registry[Partition] = Registry("partition", "headstart.tasks.partitions")
