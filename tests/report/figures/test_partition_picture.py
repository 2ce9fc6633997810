"""The picture of a partition is written in the kind that its name says."""

from pathlib import Path

import numpy as np
import pytest

from headstart.errors import HeadstartError
from headstart.report.figures.partition_picture import write_picture

COUNTS = np.array([[5, 0, 1], [0, 4, 4], [2, 2, 2]])
SIZES, SKEW = COUNTS.sum(1), np.array([0.5, 0.3, 0.1])


def test_it_names_split_median_and_means(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.svg", "digits, iid", ("x", "y", "z"), SIZES, COUNTS, SKEW, SKEW / 2)
    text = (tmp_path / "a.svg").read_text()
    for said in (
        "digits, iid",
        "median 6",
        "this partition, mean 0.30",
        "dealt at random, mean 0.15",
        "the 3 clients",
    ):
        assert said in text
    write_picture(tmp_path / "a.png", "digits, iid", ("x", "y", "z"), SIZES, COUNTS, SKEW, SKEW / 2)
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


def test_without_labels_it_shows_sizes_alone(tmp_path: Path) -> None:
    write_picture(tmp_path / "a.svg", "text, natural", (), SIZES, None, None, None)
    text = (tmp_path / "a.svg").read_text()
    assert "median 6" in text
    assert "Label" not in text


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match=r"expected a file \.svg or \.png, got 'a\.gif'"):
        write_picture(tmp_path / "a.gif", "x", (), SIZES, None, None, None)


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_of_others_is_kept_and_our_own_is_drawn_again(tmp_path: Path, kind: str) -> None:
    path, sizes = tmp_path / f"partition.{kind}", np.array([3, 2, 1])
    path.write_bytes(b"a photograph")
    with pytest.raises(HeadstartError, match="is not a picture of `headstart inspect`"):
        write_picture(path, "iid", (), sizes, None, None, None)
    assert path.read_bytes() == b"a photograph"
    path.unlink()
    write_picture(path, "iid", (), sizes, None, None, None)
    write_picture(path, "\x1b[2J\x00iid", (), sizes, None, None, None)
    if kind == "svg":
        assert "\\x1b[2J\\x00iid" in path.read_text()
