"""What a panel is: a question, its answer in one sentence, a figure, and the tables behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headstart.report.figures.rendering import Draw
from headstart.report.runs.grid import Study
from headstart.report.words.numbers import Answer
from headstart.report.words.table import Table


@dataclass(frozen=True)
class Panel:
    """`heights` are the figure's, in inches, wide and narrow; `runs` says in words which runs of the study it shows."""

    slug: str
    heading: str
    answer: Answer
    caption: str
    draw: Draw
    heights: tuple[float, float]
    runs: str
    tables: Sequence[Table] = field(default_factory=tuple)


@dataclass(frozen=True)
class Missing:
    """A question that this study has no runs for; `need` says which."""

    slug: str
    heading: str
    need: str


Build = Callable[[Study], Panel | Missing]
