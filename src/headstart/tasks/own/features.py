"""Features of a table: columns of numbers, shifted and scaled, and columns of words as zeros and
ones.

What is learned (means, deviations, the levels of categories) is learned from the training rows.

Shape suffixes: N rows, W numbers of a column, F features.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from headstart.errors import HeadstartError
from headstart.tasks.base import Moments
from headstart.tasks.own.splits import Mask
from headstart.tasks.sources.columns import Numbers, holds_times, numbers
from headstart.tasks.sources.names import Alike, names
from headstart.tasks.sources.tables import SourceTable
from headstart.wording.phrases import some

Gaps = Literal["error", "mean", "mark"]
SOME_ROWS = 10
"""In a table of fewer rows, any whole numbers may happen to count them."""
ENOUGH_ROWS = 20
"""From so many on, whole numbers that rise from row to row hardly do so by chance."""
FEW_BREAKS = 4
"""So many rows may break what rises, or 1 % of them; in small tables a tenth."""
IDENTIFIERS = re.compile(
    r"index|level_[0-9]+|(row|record|sample|case)?[ _.-]?(id|idx|index|no|nr|num|number)"
    r"|row|row_?names?",
    re.IGNORECASE,
)
"""How columns are called that number rows, if they are whole numbers that all differ."""
OF_R = re.compile(r"X(\.[0-9]+)*")
"""And how R reads a column of row numbers that nobody named, if it rises."""
MOST_LEVELS = 1000


@dataclass(frozen=True)
class Standard:
    """What is subtracted and what divided by: one number, one for each feature or channel, or as
    training rows have.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


@dataclass(frozen=True)
class Asked:
    """What a user says of the features of a table; `chosen`: the columns are named, and not all
    others.
    """

    columns: tuple[str, ...]
    chosen: bool
    categories: tuple[str, ...]
    standard: Standard
    gaps: Gaps
    alike: Alike
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Learned:
    """What was learned from training rows, so that the same inputs can be made of another table.

    Columns of numbers, what fills the gaps of each number, shift and scale, the numbers whose gaps
    are marked, the levels of each category, and the shape of an input.
    """

    columns: tuple[str, ...]
    fill: tuple[float, ...]
    standard: Standard
    marked: tuple[int, ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]
    shape: tuple[int, ...]

    @property
    def moments(self) -> Moments:
        """By what each feature, or channel, was shifted and scaled: marks and levels by nothing."""
        more = len(self.marked) + sum(len(levels) for _, levels in self.levels)
        mean, deviation = self.standard.mean, self.standard.deviation
        return Moments((*mean, *[0.0] * more), (*deviation, *[1.0] * more))

    def asked(self, gaps: Gaps, alike: Alike) -> Asked:
        """The features of another table that are to be as these."""
        categories = tuple(name for name, _ in self.levels)
        return Asked(self.columns, True, categories, self.standard, gaps, alike, self.shape)


@dataclass(frozen=True)
class Features:
    """Inputs [N, F], or in a shape of their own, the name of each feature, and the columns that
    were left out.
    """

    inputs: npt.NDArray[np.float32]
    names: tuple[str, ...]
    left_out: tuple[str, ...]
    learned: Learned


def features_of(
    table: SourceTable, asked: Asked, train: Mask, known: Learned | None = None
) -> Features:
    """The columns of numbers, then a mark for each that has gaps, then a feature for each level of
    the categories.

    Where the user has not chosen the columns, those that count the rows are left out: a row's
    number is no property of what the row describes, and files are often sorted by their labels.
    What is `known` is not learned anew.

    Raises:
        HeadstartError: a cell that does not fit, nothing but row numbers, or as many features as
            fit no shape.
    """
    columns, left_out, called, values_NF = _numbers(table, asked)
    fill, marked = (
        (known.fill, known.marked) if known else _gaps(table, values_NF, called, train, asked.gaps)
    )
    empty_NF = np.isnan(values_NF)
    filled_NF = np.where(empty_NF, np.array(fill), values_NF) if empty_NF.any() else values_NF
    scaled, standard = _standardised(
        table, _shaped(table, filled_NF, asked.shape), called, train, asked.standard
    )
    levels = dict(known.levels) if known else {}
    blocks: list[npt.NDArray[np.float32]] = [empty_NF[:, list(marked)].astype(np.float32)]
    more = [f"{called[place]} is empty" for place in marked]
    for name in asked.categories:
        zeros_and_ones, levels[name] = _one_hot(table, name, train, asked, levels.get(name))
        blocks.append(zeros_and_ones)
        more += [f"{name}={level}" for level in levels[name]]
    if asked.shape and more:
        raise HeadstartError(
            "table.shape: expected numbers alone, got categories or marks of gaps beside them"
        )
    inputs = np.concatenate([scaled, *blocks], axis=1) if more else scaled
    learned = Learned(columns, fill, standard, marked, tuple(levels.items()), asked.shape)
    return Features(inputs, (*called, *more), left_out, learned)


def _numbers(
    table: SourceTable, asked: Asked
) -> tuple[tuple[str, ...], tuple[str, ...], list[str], Numbers]:
    """The columns of numbers, those left out, and the name and the numbers [N, F] of each
    feature.
    """
    blocks, called, left_out = [], [], []
    for name in asked.columns:
        if not asked.chosen and holds_times(table.column(name).type):
            raise HeadstartError(
                f"{table.path}: column {name!r} holds times; name it in features to take it as "
                "seconds since 1970, or name the others to leave it out"
            )
        values_NW = numbers(table, name, asked.gaps != "error")
        if not asked.chosen and counts_rows(table, name, values_NW):
            left_out.append(name)
            continue
        blocks.append(values_NW)
        called += (
            [name]
            if values_NW.shape[1] == 1
            else [f"{name}[{i}]" for i in range(values_NW.shape[1])]
        )
    if not blocks and not asked.categories:
        raise HeadstartError(
            f"{table.path}: no column is left for inputs: {', '.join(map(repr, left_out))} only "
            f"count{'s' if len(left_out) == 1 else ''} the rows; if that is meant, name it in "
            "features"
        )
    columns = tuple(name for name in asked.columns if name not in left_out)
    values_NF = np.concatenate(blocks, axis=1) if blocks else np.zeros((len(table), 0))
    return columns, tuple(left_out), called, values_NF


def counts_rows(table: SourceTable, name: str, values_NW: Numbers) -> bool:
    """Whether a column seems to be the numbers of the rows, by its values or by its name and these.

    By the values alone: it counts through each file, from whichever number on and in whichever
    order, or it rises or falls by whole steps from row to row. Few breaks are allowed, as where it
    counts anew or a row is there twice.
    """
    if values_NW.shape[1] != 1 or len(table) < SOME_ROWS:
        return False
    steps, levels = _steps(values_NW[:, 0], table.starts)
    if 2 * len(steps) < len(table):
        return False
    few = min(max(len(table) // 100, FEW_BREAKS), len(table) // 10)
    breaks = few if len(table) >= ENOUGH_ROWS else 0
    whole = bool((steps % 1 == 0).all())
    repeats = len(steps) - len(levels) > breaks
    turns = min((steps <= 0).sum(), (steps >= 0).sum()) > breaks
    if whole and not repeats and IDENTIFIERS.fullmatch(name):
        return True
    if len(table) >= ENOUGH_ROWS or OF_R.fullmatch(name):
        even = not repeats and (np.abs(levels - levels[0]) <= 1e-6 * levels[0]).all()
        return bool(even or (whole and not turns))
    return bool(not repeats and (levels == 1).all() and (values_NW % 1 == 0).all())


def _steps(values: Numbers, starts: npt.NDArray[np.int64]) -> tuple[Numbers, Numbers]:
    """From one number to the next of each file, in the order of the rows, and among those that
    differ in the order of their size.
    """
    steps, levels = [], []
    for first, end in pairwise([*starts.tolist(), len(values)]):
        numbers = values[first:end]
        numbers = numbers[~np.isnan(numbers)]
        ordered = np.sort(numbers)
        rises = ordered[1:] - ordered[:-1]
        steps.append(numbers[1:] - numbers[:-1])
        levels.append(rises[rises > 0])
    return np.concatenate(steps), np.concatenate(levels)


def moments(
    inputs: npt.NDArray[Any], train: Mask, standard: Standard
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What is subtracted and divided by, of each feature or channel of images [F]."""
    width, bytes_ = inputs.shape[1], inputs.dtype == np.uint8
    mean, deviation = standard.mean, standard.deviation
    for name, values in (("mean", mean), ("deviation", deviation)):
        if len(values) not in (0, 1, width):
            raise HeadstartError(
                f"table.{name}: expected one number, or {width}, got {len(values)}"
            )
    if deviation and min(deviation) <= 0:
        raise HeadstartError(f"table.deviation: expected numbers > 0, got {min(deviation)}")
    first, second = np.zeros(width), np.zeros(width)
    if (not mean or not deviation) and width:
        rows = np.flatnonzero(train)
        axes = (0, *range(2, inputs.ndim))
        blocks = [
            inputs[chunk] / (255 if bytes_ else 1)
            for chunk in np.array_split(rows, len(rows) // 4096 + 1)
        ]
        each = len(rows) * inputs[0, 0].size
        low, high = (
            np.min([b.min(axes) for b in blocks], axis=0),
            np.max([b.max(axes) for b in blocks], axis=0),
        )
        first = np.sum([block.sum(axes) for block in blocks], axis=0) / each
        first = np.where(low == high, low, first)  # a mean of equal numbers may be off by rounding
        shape = (width, *[1] * (inputs.ndim - 2))
        second = (
            np.sum([((block - first.reshape(shape)) ** 2).sum(axes) for block in blocks], axis=0)
            / each
        )
    shift = np.broadcast_to(mean, width) if mean else first
    scale = (
        np.broadcast_to(deviation, width)
        if deviation
        else np.where(second > 0, np.sqrt(second), 1.0)
    )
    return shift, scale


def _gaps(
    table: SourceTable, values_NF: Numbers, called: Sequence[str], train: Mask, gaps: Gaps
) -> tuple[tuple[float, ...], tuple[int, ...]]:
    """The mean of the training rows, to put into the gaps of each number, and the numbers whose
    gaps are marked.

    Numbers without a gap in a training row have no mark: nothing could be learned of it.
    """
    empty_NF = np.isnan(values_NF[train])
    known_F = (~empty_NF).sum(0)
    if not known_F.all():
        place = int((known_F == 0).argmax())
        raise HeadstartError(
            f"{table.path}: no training row has anything in column {called[place]!r}; leave it "
            "out of the features"
        )
    means_F = np.where(empty_NF, 0.0, values_NF[train]).sum(0) / known_F
    marked = np.flatnonzero(empty_NF.any(0)).tolist() if gaps == "mark" else []
    return tuple(means_F.tolist()), tuple(marked)


def _shaped(table: SourceTable, values_NF: Numbers, shape: tuple[int, ...]) -> Numbers:
    if not shape:
        return values_NF
    if int(np.prod(shape)) != values_NF.shape[1]:
        raise HeadstartError(
            f"{table.path}: expected {int(np.prod(shape))} numbers a row for the shape "
            f"{'x'.join(map(str, shape))}, got {values_NF.shape[1]}; name the columns in features"
        )
    return values_NF.reshape(len(values_NF), *shape)


def _standardised(
    table: SourceTable, values: Numbers, called: Sequence[str], train: Mask, standard: Standard
) -> tuple[npt.NDArray[np.float32], Standard]:
    """Shifted and scaled in float64, since times in seconds differ where float32 is cut; and by
    what.
    """
    shift, scale = moments(values, train, standard)
    sides = (len(shift), *[1] * (values.ndim - 2))
    with np.errstate(over="ignore"):
        scaled = ((values - shift.reshape(sides)) / scale.reshape(sides)).astype(np.float32)
    if not np.isfinite(scaled).all():
        row, place = (int(i) for i in np.argwhere(~np.isfinite(scaled.reshape(len(scaled), -1)))[0])
        channel = place // (len(called) // len(shift))
        raise HeadstartError(
            f"{table.at(row)} is beyond float32 in column {called[place]!r}, less "
            f"{shift[channel]:g} and divided by {scale[channel]:g}; leave the row out, or give "
            "mean and deviation"
        )
    return scaled, Standard(tuple(shift.tolist()), tuple(scale.tolist()))


def _one_hot(
    table: SourceTable, column: str, train: Mask, asked: Asked, levels: tuple[str, ...] | None
) -> tuple[npt.NDArray[np.float32], tuple[str, ...]]:
    """A feature [N, levels] for each name that a training row has; a row with another name, or
    none, is all zeros.
    """
    places, called = names(table, column, asked.alike, asked.gaps != "error")
    if levels is None:
        levels = tuple(called[place] for place in np.unique(places[train & (places >= 0)]).tolist())
    if len(levels) > MOST_LEVELS:
        raise HeadstartError(
            f"{table.path}: column {column!r} has {len(levels)} different names in training rows, "
            f"expected at most {MOST_LEVELS} of a category; leave it out, or gather them in groups"
        )
    place_of = {name: place for place, name in enumerate(called)}
    # No row has a place below -1.
    held = np.array([place_of.get(level, -2) for level in levels], np.int64)
    return (places[:, None] == held).astype(np.float32), levels


def names_of(called: Iterable[str], most: int = 8) -> str:
    """Write the names of columns for a line, blank ones quoted: the first few, and how many more.

    >>> names_of(["a", " "]), names_of(["a", "b", "c", "d"], most=2)
    ("a, ' '", 'a, b and 2 more')
    """
    quoted = [name if name.strip() else repr(name) for name in called]
    return some(quoted, most) if len(quoted) > most else ", ".join(quoted)
