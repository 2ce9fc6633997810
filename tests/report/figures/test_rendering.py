"""Figures follow the theme, keep their ids apart, and labels do not collide."""

import functools
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from headstart.report.figures.axes import legend, room_for_legend, seed_band, spread_labels
from headstart.report.figures.dumbbells import Dumbbell, dumbbells, heights
from headstart.report.figures.rendering import (
    ROLES,
    START_STYLES,
    drawn,
    inline,
    render,
    render_all,
    style,
)


def line(figure: Any, wide: bool) -> None:
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color=START_STYLES[0][0], marker="s")
    axes.set_title("$a_b$ <script>")


def test_every_colour_of_an_inline_figure_is_a_variable() -> None:
    svg = inline(render(line, 2.0, True)["svg"], "p")
    assert "var(--start-0)" in svg
    assert not re.findall(r"(?:fill|stroke): ?#[0-9a-f]{3,6}", svg)
    assert len(set(ROLES.values())) == len(ROLES)


def test_ids_carry_the_prefix_and_every_reference_has_its_target() -> None:
    svg = inline(render(line, 2.0, True)["svg"], "p")
    ids = set(re.findall(r'id="([^"]+)"', svg))
    assert all(name.startswith("p-") for name in ids)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', svg)) <= {(i, "") for i in ids} | {
        ("", i) for i in ids
    }


def test_text_is_neither_mathematics_nor_markup() -> None:
    svg = inline(render(line, 2.0, True)["svg"], "p")
    assert "$a_b$ &lt;script&gt;" in svg


def test_what_a_drawing_raises_comes_back_from_another_process() -> None:
    def broken(figure: Any, wide: bool) -> None:
        raise ValueError("no such axis")

    with pytest.raises(ValueError, match="no such axis"):
        render_all([(line, 2.0, True), (broken, 2.0, True)], processes=2)


def test_drawing_twice_gives_the_same_bytes() -> None:
    assert render(line, 2.0, True) == render(line, 2.0, True)


def test_random_is_warm_and_others_are_not() -> None:
    warm = START_STYLES[0][0]
    assert style(["random", "proxy"], "random")[0] == warm
    assert style(["proxy", "hub"], "proxy")[0] != warm


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return float(
        np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
    )


def contrast(a: str, b: str) -> float:
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def themes() -> list[dict[str, str]]:
    from importlib import resources

    css = resources.files("headstart.report.pages").joinpath("page.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", part))
        for part in css.split("prefers-color-scheme: dark")[:2]
    )
    return [light, dark]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_text_colours_meet_aa(theme: dict[str, str]) -> None:
    text = ["ink", "muted", "link", *(f"start-{i}" for i in range(len(START_STYLES)))]
    for name in text:
        assert contrast(theme[name], theme["paper"]) >= 4.5, name  # WCAG 2.2, 1.4.3
    for name in text:
        assert contrast(theme[name], theme["card"]) >= 4.5, name


def test_light_theme_is_the_files_theme() -> None:
    light = themes()[0]
    assert {role: light[role] for role in ROLES.values()} == {
        role: colour for colour, role in ROLES.items()
    }


def test_labels_keep_their_distance_order_and_bounds() -> None:
    rng = np.random.Generator(np.random.Philox(key=1))
    for _ in range(50):
        wanted = rng.uniform(size=12).tolist()
        placed = spread_labels(wanted, 0.07, 0.0, 1.0)
        assert np.diff(np.sort(placed)).min() >= 0.07 - 1e-9
        assert np.array_equal(np.argsort(placed), np.argsort(wanted))
        assert 0 <= min(placed) <= max(placed) <= 1 + 1e-9


def test_labels_that_fit_stay_where_they_are() -> None:
    assert spread_labels([0.9, 0.1, 0.5], 0.2) == pytest.approx([0.9, 0.1, 0.5])


@pytest.mark.parametrize("wide", [True, False])
def test_what_says_diverged_stands_clear_of_the_marks(wide: bool) -> None:
    rows = [
        Dumbbell(name, {"random": (None, 0.5 + 0.1 * i), "proxy": (0.5, None)})
        for i, name in enumerate("abc")
    ]
    draw = functools.partial(
        dumbbells, starts=("random", "proxy"), rows=rows, ends=("gd", "sgd"), label="accuracy"
    )
    tall = heights(rows, ("random", "proxy"), ("gd", "sgd"))[not wide]
    with drawn(lambda figure, wide: draw(figure, wide), tall, wide) as figure:
        figure.draw_without_rendering()
        (axes,) = figure.axes
        said = [text.get_window_extent().x1 for text in axes.texts if "diverged" in text.get_text()]
        marks = [axes.transData.transform((0.5, 0))[0]]
    assert len(said) == 6
    assert max(said) < min(marks) - 4  # pixels: half a mark


@pytest.mark.parametrize("wide", [True, False])
def test_one_row_has_room_below_the_names_of_many_starts(wide: bool) -> None:
    """Which take several lines of a narrow figure, and left no room at all."""
    many = ("random", "stack-exchange", *(f"a start of a longer name {i}" for i in range(4)))
    for starts in (many[:2], many):
        rows = [Dumbbell("adam", dict.fromkeys(starts, (0.4, 0.5)))]
        ends = "equal devices", "uneven-epochs(share=0.3, low=1, high=5)"
        tall = heights(rows, starts, ends)[not wide]
        draw = functools.partial(dumbbells, starts=starts, rows=rows, ends=ends, label="accuracy")
        with drawn(draw, tall, wide) as figure:
            (axes,) = figure.axes
            assert axes.get_position().height * tall > 0.05 + 0.06 * len(starts)


def test_a_seed_that_diverged_is_a_line_of_its_own_to_a_cross() -> None:
    whole, short = (np.arange(3), np.array([0.1, 0.2, 0.3])), (np.arange(1), np.array([0.1]))
    with drawn(
        lambda figure, wide: seed_band(figure.subplots(), [whole, short], "red", "-", True),
        2.0,
        True,
    ) as figure:
        lines = [(line.get_xdata().tolist(), line.get_marker()) for line in figure.axes[0].lines]  # type: ignore[union-attr]
        assert not figure.axes[0].collections  # no band
    assert lines == [([0, 1, 2], "None"), ([0], "None"), ([0], "x")]


def test_fonts_are_named_once_and_paths_are_short() -> None:
    svg = render(line, 2.0, True)["svg"].decode()
    assert max(style.count("Roboto") for style in re.findall(r'style="[^"]*"', svg)) == 1
    assert not re.search(r' d="[^"]*\.\d{3}', svg)


def test_letters_that_the_font_has_not_are_drawn_without_a_word() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        svg = render(lambda figure, wide: figure.text(0, 0, "東京"), 2.0, True)["svg"].decode()  # type: ignore[arg-type]
    assert (told, "東京" in svg) == ([], True)


def test_a_worker_that_is_killed_costs_no_figure() -> None:
    here = os.getpid()

    def fatal_elsewhere(figure: Any, wide: bool) -> None:
        line(figure, wide)
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)

    assert render_all([(line, 2.0, True), (fatal_elsewhere, 2.0, False)], processes=2) == [
        render(line, 2.0, True), render(line, 2.0, False)
    ]  # fmt: skip


ENDLESS = """
import os, pathlib, sys, time
from headstart.report.figures.rendering import render_all
def draw(figure, wide):
    pathlib.Path(sys.argv[1], str(os.getpid())).touch()
    time.sleep(100)
render_all([(draw, 2.0, True)] * 8, processes=2)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_the_process_that_they_draw_for(tmp_path: Path, number: int) -> None:
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS, str(tmp_path)])
    try:
        wait_until(lambda: len(list(tmp_path.iterdir())) == 2)
    finally:
        parent.send_signal(number)
        parent.wait()
    workers = [int(path.name) for path in tmp_path.iterdir()]
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


def wait_until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_eight_starts_look_different() -> None:
    starts = [f"start {i}" for i in range(8)]
    looks = [style(starts, start) for start in starts]
    for kind in zip(*looks, strict=True):
        assert len(set(map(str, kind))) == 8


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("many", [2, 5, 8])
def test_the_legend_of_many_starts_stays_in_its_figure(many: int, wide: bool) -> None:
    starts = [
        "random",
        *(f"checkpoint(path='/nets/a-long-name-{i}.safetensors')" for i in range(many - 1)),
    ]

    def draw(figure: Any, wide: bool) -> None:
        legend(figure, starts, 0.5)

    with drawn(draw, 3.0, wide) as figure:
        figure.canvas.draw()
        box = figure.legends[0].get_window_extent()
        width, height = figure.get_size_inches() * figure.dpi
    assert box.x1 <= width
    assert height - box.y0 <= room_for_legend(wide, starts) * figure.dpi
