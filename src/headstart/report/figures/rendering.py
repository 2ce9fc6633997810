"""Draws once with matplotlib; the page recolours the SVG through CSS variables, the files keep the
light theme.

Every colour below is unique, so that a colour in the SVG names its role. Two layouts: wide (800 px
on a screen) and narrow (a phone's 360 px), in which text keeps its size.
"""

import io
import multiprocessing
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from headstart.child_processes import IsStopping, LostError, Workers
from headstart.looks.competitors import family
from headstart.report.words.brief_names import brief_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#20252d", "#5b6470", "#dde1e6", "#fdfdfc"
ROLES = {INK: "ink", MUTED: "muted", GRID: "grid", PAPER: "paper"}
# (light colour, dash, marker): random is warm, the first other start is blue; told apart also
# without colour
START_STYLES: tuple[tuple[str, Any, str], ...] = (
    ("#b3560d", (0, (4, 1.6)), "s"),
    ("#0a6c8e", "-", "o"),
    ("#6a4c9f", (0, (1, 1.2)), "^"),
    ("#3b7a3a", (0, (6, 1.4, 1, 1.4)), "D"),
    ("#a0365f", (0, (2, 1)), "v"),
    ("#786800", (0, (8, 2)), "P"),
    ("#5b3a1e", (0, (5, 1.2, 1, 1.2, 1, 1.2)), "X"),
    ("#2b3fb5", (0, (1, 2.6)), "p"),
)
ROLES |= {colour: f"start-{i}" for i, (colour, _, _) in enumerate(START_STYLES)}
WIDTHS = {True: 8.0, False: 3.6}  # inches at 100 px
FONTS = [
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "Roboto",
    "Helvetica Neue",
    "Arial",
    "DejaVu Sans",
    "sans-serif",
]
Draw = Callable[["Figure", bool], None]
Drawing = tuple[Draw, float, bool]
"""What `render` takes."""


def style(starts: Sequence[str], start: str) -> tuple[str, Any, str]:
    """Colour, dash and marker of a start. `random` is always the warm one, in whatever order starts
    come.
    """
    offset = 0 if starts[0].split("(")[0] == "random" else 1
    return START_STYLES[(starts.index(start) + offset) % len(START_STYLES)]


def label(starts: Sequence[str], start: str, limit: int = 26) -> str:
    """A start's name in a figure: without parameters where no other start has that name.

    >>> label(["random", "checkpoint(file='a/b')"], "checkpoint(file='a/b')")
    'checkpoint'
    """
    kinds = [family(other) for other in starts]
    names = []
    for other in starts:
        names.append(family(other) if kinds.count(family(other)) == 1 else other)
    return brief_names(names, limit)[names[starts.index(start)]]


SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.6,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "headstart",
    "path.simplify": True,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.linewidth": 0.8,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "axes.titlesize": 8.8,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.titlepad": 5,
    "axes.labelsize": 8.2,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "lines.linewidth": 1.7,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
}


HOVER = "hover: "
"""How the id of an artist begins whose text is shown where a pointer rests on it."""


def hover(artist: Any, text: str) -> None:
    """Show a text where a pointer rests on an artist: the page has it as the SVG's title."""
    artist.set_gid(HOVER + text)


@contextmanager
def drawn(draw: Draw, height: float, wide: bool) -> Iterator["Figure"]:
    """The figure, in the report's theme."""
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(WIDTHS[wide], height), facecolor=PAPER, edgecolor=PAPER)
        draw(figure, wide)
        yield figure


def render(draw: Draw, height: float, wide: bool, creator: str = "") -> dict[str, bytes]:
    """The figure as `svg` (light, standalone) and, in the wide layout, `png`; both name their
    `creator`.
    """
    named: dict[str, dict[str, str | None]] = {"svg": {"Date": None}, "png": {}}
    if creator:
        named = {"svg": {"Date": None, "Creator": creator}, "png": {"Software": creator}}
    files = {}
    with drawn(draw, height, wide) as figure, warnings.catch_warnings():
        # In the PNG a box; the page has the reader's own fonts.
        warnings.filterwarnings("ignore", "Glyph .* missing")
        for kind in ("svg", "png") if wide else ("svg",):
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, dpi=150, metadata=named[kind])
            files[kind] = buffer.getvalue()
    # a hundredth of a point is less than a printer can show, and four more digits double the file
    files["svg"] = re.sub(
        rb'(?<= d=")[^"]*', lambda path: re.sub(rb"(\.\d\d)\d+", rb"\1", path[0]), files["svg"]
    )
    files["svg"] = re.sub(
        rf'<g id="{HOVER}([^"]*)">'.encode(), rb"<g><title>\1</title>", files["svg"]
    )
    families = ", ".join(f"'{name}'" if " " in name else name for name in FONTS).encode()
    files["svg"] = re.sub(rb"'DejaVu Sans'(, sans-serif)?", families, files["svg"])
    return files


COLOURS = 32
"""Of a figure in few."""


def in_few_colours(png: bytes, creator: str = "") -> bytes:
    """The picture in few colours: about a fifth of the full one, and half of its SVG."""
    from PIL import Image, PngImagePlugin

    said = PngImagePlugin.PngInfo()
    if creator:
        said.add_text("Software", creator)
    few = io.BytesIO()
    whole = Image.open(io.BytesIO(png)).convert("RGB").quantize(COLOURS)
    whole.save(few, "PNG", optimize=True, pnginfo=said)
    return few.getvalue()


def render_all(drawings: Sequence[Drawing], processes: int = 1) -> list[dict[str, bytes]]:
    """Each as `render` has it, in several processes where they can be forked: a figure is a
    closure. matplotlib is theirs alone: this process may hold a study and torch besides.

    Where they cannot be, or one of them was killed, this process draws.
    """
    if processes == 1 or sys.platform != "linux" or multiprocessing.current_process().daemon:
        return [render(*drawing) for drawing in drawings]

    def rendered(i: int, is_stopping: IsStopping) -> Iterator[tuple[int, dict[str, bytes]]]:
        yield i, render(*drawings[i])

    files: dict[int, dict[str, bytes]] = {}
    try:
        workers = Workers(min(processes, len(drawings)), rendered)
    except OSError:  # no process to be had
        return [render(*drawing) for drawing in drawings]
    try:
        files |= workers.streams(range(len(drawings)))
    except LostError:  # killed for memory
        pass
    finally:
        files |= workers.rest()
        workers.close()
    return [files.get(i) or render(*drawing) for i, drawing in enumerate(drawings)]


def inline(svg: bytes, prefix: str) -> str:
    """A standalone SVG made fit for the page: no prologue, own ids, theme colours, as wide as its
    box.
    """
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\b(id="|href="#|url\(#)', rf"\g<1>{prefix}-", text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    # The page's CSS has the same.
    text = re.sub(r"<style type=\"text/css\">.*?</style>", "", text, flags=re.DOTALL)
    text = text.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1)
    text = re.sub(r"\s*\n\s*", " ", text)
    for colour, role in ROLES.items():
        text = text.replace(colour, f"var(--{role})")
    return text
