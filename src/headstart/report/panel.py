"""What a panel is: a question, its answer in one sentence, a figure, and the tables behind it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from headstart.report.answers import Answer
from headstart.report.figures import Draw
from headstart.report.slices import Study
from headstart.report.table import Table


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
