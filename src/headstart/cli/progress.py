"""Progress of a study: a bar with the time left on a terminal, plain lines elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from headstart.terminal import say
from headstart.wording.escapes import printable
from headstart.wording.phrases import count, listed, open_questions

if TYPE_CHECKING:
    from headstart.study.events import Measured
    from headstart.study.looking.stages import Looked
    from headstart.study.places.pace import Advance
    from headstart.study.runner import Watch

SECONDS_BETWEEN_LINES = 10.0


@contextmanager
def watching(runs: int, searches: int = 0) -> Iterator["Watch"]:
    """Yields a watcher of a study, which shows every run that ends; before them every search."""
    from headstart.study.events import Measured
    from headstart.study.looking.stages import Looked

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _plain_lines(searches)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(
        *columns, TextColumn("left:"), TimeRemainingColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task(all_of(runs, searches), total=1.0)

        def show(event: "Measured | Advance | Looked") -> None:
            if isinstance(event, Measured):
                return
            if isinstance(event, Looked):
                bar.console.print(_told(event), markup=False, highlight=False)
                return
            bar.update(task, completed=event.share, description=done_of(event, searches))
            if event.status != "finished":
                told = printable(f"{event.run}: {event.status}")
                bar.console.print(told, markup=False, highlight=False)

        yield show


def all_of(runs: int, searches: int) -> str:
    """What a study consists of.

    >>> all_of(12, 4), all_of(1, 0)
    ('4 searches, 12 runs', '1 run')
    """
    if not searches:
        return count(runs, "run")
    return f"{searches} {'search' if searches == 1 else 'searches'}, {count(runs, 'run')}"


def done_of(event: "Advance", searches: int) -> str:
    """How much has ended: of the searches, which come first, and of the runs."""
    done = f"{max(event.done - searches, 0)} of {event.total - searches} runs"
    return f"{min(event.done, searches)} of {searches} searches, {done}" if searches else done


def _plain_lines(searches: int = 0) -> "Watch":
    from headstart.study.events import Measured
    from headstart.study.looking.stages import Looked

    began = last = time.perf_counter()

    def tell(event: "Measured | Advance | Looked") -> None:
        nonlocal last
        if isinstance(event, Measured):
            return
        if isinstance(event, Looked):
            say(_told(event))
            return
        now = time.perf_counter()
        if event.status != "finished":
            say(f"{event.run}: {event.status}")
        if event.more:  # runs that are computed at once end at once: one line for all of them
            return
        if event.done == event.total or now - last >= SECONDS_BETWEEN_LINES:
            so_far = f"{done_of(event, searches)}, {now - began:.0f} s"
            say(so_far if event.done == event.total else f"{so_far}, about {event.left:.0f} s left")
            last = now

    return tell


def _told(look: "Looked") -> str:
    """What came of a look, in a line: whether more seeds are needed. What it has decided is for the
    verdict to say.

    >>> from headstart.study.looking.stages import Looked
    >>> _told(Looked(3, 5, where=True, which=False, is_last=False))
    'look 3, 5 seeds: with what is not decided yet'
    """
    what = listed(open_questions(look.where, look.which))
    if not what:
        found = "no more seeds are needed"
    elif look.spared:
        more = count(look.spared, "more seed")
        found = f"{what} is not decided, and {more} would hardly decide it: it ends"
    elif look.is_last:
        found = f"{what} is not decided, and no more seeds may be run"
    else:
        found = f"{what} is not decided yet"
    return f"look {look.look}, {look.seeds} seeds: {found}"
