"""The picture of a partition: sizes, label mixes of clients, label skew against chance, clients of
each label.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headstart import files
from headstart.errors import HeadstartError
from headstart.report import written_files
from headstart.report.figures.axes import frame
from headstart.report.figures.rendering import GRID, INK, MUTED, PAPER, START_STYLES, render
from headstart.wording.escapes import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CREATOR = "headstart inspect"
SHOWN = 80
"""Clients in the picture of label mixes, evenly spaced in the order of what most of their rows are.
"""
Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
BLUE, WARM = START_STYLES[1][0], START_STYLES[0][0]


def write_picture(
    path: Path,
    name: str,
    classes: tuple[str, ...],
    sizes_K: Counts,
    counts_KC: Counts | None,
    variation_K: Floats | None,
    dealt_K: Floats | None,
) -> None:
    """Draw what `headstart inspect` measured, as SVG or PNG by the name of the file.

    Args:
        path: of the file.
        name: of the partition.
        classes: the names of the C labels.
        sizes_K: rows of each of the K clients.
        counts_KC: rows of each client and label; None where targets are no classes.
        variation_K: total variation of each client's labels from those of all, 0 to 1.
        dealt_K: the same with labels dealt at random.

    Raises:
        HeadstartError: another kind of file, it cannot be written, or a picture of others stands
            there.
    """
    kind = path.suffix.lower().lstrip(".")
    if kind not in ("svg", "png"):
        raise HeadstartError(f"--picture: expected a file .svg or .png, got {path.name!r}")
    written_files.refuse_foreign(path, CREATOR, "a picture of `headstart inspect`")
    name, classes = printable(name), tuple(map(printable, classes))

    def draw(figure: "Figure", wide: bool) -> None:
        frame(figure, left=0.75, right=0.5, top=0.82, bottom=0.55, hspace=0.46, wspace=0.3)
        figure.text(
            0.75 / 8, 1 - 0.2 / figure.get_size_inches()[1], name, fontsize=11, color=INK, va="top"
        )
        if counts_KC is None or variation_K is None or dealt_K is None:
            _sizes(figure.subplots(), sizes_K)
            return
        (first, second), (third, fourth) = figure.subplots(2, 2)
        _sizes(first, sizes_K)
        _mixes(second, counts_KC, classes)
        _skew(third, variation_K, dealt_K)
        _labels(fourth, counts_KC, classes)

    files.write(path, render(draw, 3.4 if counts_KC is None else 6.0, True, CREATOR)[kind])


def _sizes(axes: Any, sizes_K: Counts) -> None:
    axes.set_title("Rows of each client, largest first")
    sorted_K = np.sort(sizes_K)[::-1]
    share = (np.arange(len(sorted_K)) + 0.5) / len(sorted_K)
    axes.fill_between(share, 0, sorted_K, color=BLUE, alpha=0.22, lw=0, step="mid")
    axes.step(share, sorted_K, where="mid", color=BLUE)
    median = float(np.median(sorted_K))
    axes.axhline(median, color=MUTED, lw=0.9, ls=(0, (3, 2)))
    axes.text(1.0, median, f"median {median:.4g}", ha="right", va="bottom", color=MUTED, fontsize=8)
    axes.set(
        xlim=(0, 1), ylim=(0, 1.08 * sorted_K[0]), xlabel=f"share of the {len(sorted_K)} clients"
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")


def _mixes(axes: Any, counts_KC: Counts, classes: tuple[str, ...]) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    K = len(counts_KC)
    mix_KC = counts_KC / counts_KC.sum(1, keepdims=True)
    order = np.lexsort((-mix_KC.max(1), mix_KC.argmax(1)))
    chosen = order[np.linspace(0, K - 1, min(K, SHOWN)).round().astype(np.int64)]
    axes.set_title(
        "Label mix of the clients" if K <= SHOWN else f"Label mix of {SHOWN} of the clients"
    )
    colours = LinearSegmentedColormap.from_list("mix", [PAPER, "#9cc3d2", BLUE, "#06303f"])
    top = max(0.1, float(np.ceil(10 * mix_KC.max()) / 10))
    image = axes.imshow(
        mix_KC[chosen].T, aspect="auto", cmap=colours, vmin=0, vmax=top, interpolation="nearest"
    )
    axes.grid(visible=False)
    axes.set(xlabel="clients, by their main label", xticks=[])
    shown = np.arange(0, counts_KC.shape[1], -(-counts_KC.shape[1] // 12))
    axes.set_yticks(shown, [_name(classes[c]) for c in shown], fontsize=7.5)
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.03, ticks=[0, top / 2, top])
    bar.outline.set_visible(False)
    bar.ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")


def _skew(axes: Any, variation_K: Floats, dealt_K: Floats) -> None:
    axes.set_title("Label skew: distance to the labels of all")
    bins = np.linspace(0, 1, 41)
    for values, colour, text in (
        (dealt_K, MUTED, "dealt at random"),
        (variation_K, WARM, "this partition"),
    ):
        heights = np.histogram(values, bins)[0] / len(values)
        axes.stairs(heights, bins, color=colour, fill=True, alpha=0.28, lw=0)
        axes.stairs(heights, bins, color=colour, lw=1.4, label=f"{text}, mean {values.mean():.2f}")
    axes.set(xlim=(0, 1), xlabel="total variation, 0 to 1", ylabel="share of clients")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    axes.set_ylim(0, 1.3 * axes.get_ylim()[1])
    axes.legend(frameon=False, loc="upper right", fontsize=8, borderaxespad=0)


def _labels(axes: Any, counts_KC: Counts, classes: tuple[str, ...]) -> None:
    K, C = counts_KC.shape
    axes.set_title("Clients that have each label")
    share_C = (counts_KC > 0).sum(0) / K
    axes.bar(
        np.arange(C),
        share_C,
        color=BLUE,
        alpha=0.75,
        width=0.82 if C <= 30 else 1.0,
        edgecolor=PAPER,
        lw=0.4,
    )
    axes.axhline(1, color=GRID, lw=0.8)
    axes.set(xlim=(-0.6, C - 0.4), ylim=(0, 1.05), xlabel="label")
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f}%")
    shown = np.arange(0, C, -(-C // 21))
    longest = max(len(classes[c]) for c in shown)
    axes.set_xticks(shown, [_name(classes[c]) for c in shown],
                    rotation=0 if longest <= 2 or C <= 4 else 45, fontsize=7.5)  # fmt: skip


def _name(label: str) -> str:
    return label if len(label) <= 9 else label[:8] + "…"
