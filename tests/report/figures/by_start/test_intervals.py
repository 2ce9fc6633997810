"""Marks stand where their numbers are, on one scale, and say them where a pointer rests."""

import re

import numpy as np

from headstart.report.figures.by_start.intervals import (
    BestOfStart,
    heights,
    intervals_by_start,
    shown_lines,
)
from headstart.report.figures.rendering import drawn, render

RANDOM = BestOfStart("random", "FedAvg", "FedAvg", 0.90, 0.88, 0.92, 0.10)
PROXY = BestOfStart(
    "proxy", "FedAdam with full-batch clients", "FedAdam, full-batch", 0.92, 0.91, 0.93, 0.86
)
LOST = BestOfStart("hub", "", "", None, None, None, None)


def test_every_mark_and_interval_is_drawn_where_its_number_is() -> None:
    bests = [RANDOM, PROXY, LOST]
    for wide in (True, False):
        with drawn(
            lambda f, w: intervals_by_start(f, w, bests, 0.87, "test accuracy"),
            heights(bests)[0 if wide else 1],
            wide,
        ) as figure:
            (axes,) = figure.axes
            lines = [tuple(np.asarray(line.get_xdata()).tolist()) for line in axes.lines]
            constant, of_random = (0.87, 0.87), [(0.88, 0.92), (0.90,)]
            of_proxy = [(0.86, 0.86), (0.91, 0.93), (0.92,)]
            assert lines == [constant, *of_random, constant, *of_proxy, constant]
            said = [text.get_text() for text in axes.texts]
            assert "90.0% [88.0, 92.0]" in said
            assert "every pair has a diverged run" in said


def test_a_line_that_would_squeeze_the_intervals_is_left_to_the_caption() -> None:
    assert shown_lines([RANDOM, PROXY], 0.60) == {0.86}
    assert shown_lines([RANDOM, PROXY], 0.79) == {0.86, 0.79}
    assert shown_lines([LOST], 0.60) == set()


def test_values_are_titles_of_their_marks() -> None:
    named = BestOfStart("a<b", "FedAvg", "FedAvg", 0.90, 0.88, 0.92, None)
    svg = render(lambda f, w: intervals_by_start(f, w, [named], None, "test accuracy"), 1.0, True)[
        "svg"
    ].decode()
    assert re.findall("<g><title>(.*?)</title>", svg) == ["a&lt;b, FedAvg: 90.0% [88.0, 92.0]"] * 2
    assert "hover:" not in svg


def test_a_pair_that_is_too_long_for_its_line_has_one_of_its_own_and_is_not_cut() -> None:
    """ "FedAdam, FedP..." did not say which pair was recommended."""
    long = BestOfStart(
        "public customers",
        "FedAdam with FedProx clients (mu=0.1)",
        "FedAdam, FedProx",
        0.9,
        0.8,
        1.0,
        None,
    )
    bests = [RANDOM, long]
    wide, narrow = heights(bests)
    assert narrow > wide
    assert heights([RANDOM]) == (heights([RANDOM])[0],) * 2
    with drawn(
        lambda f, w: intervals_by_start(f, w, bests, None, "test accuracy"), narrow, False
    ) as figure:
        said = [text.get_text() for text in figure.axes[0].texts]
    assert {"FedAdam with FedProx clients (mu=0.1)", "FedAvg", "public customers"} <= set(said)
