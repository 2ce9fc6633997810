"""A new folder is whole or not there, and nothing of another's is written over."""

from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.files.folders import new_folder, refuse_taken


def test_a_folder_takes_its_name_once_it_is_whole(tmp_path: Path) -> None:
    into = tmp_path / "a" / "b"
    with new_folder(into) as folder:
        (folder / "file").write_text("text")
        assert not into.exists()
    assert (into / "file").read_text() == "text"
    assert [path.name for path in into.parent.iterdir()] == ["b"]


def test_nothing_is_left_of_one_that_fails(tmp_path: Path) -> None:
    def fail() -> None:
        with new_folder(tmp_path / "b") as folder:
            (folder / "file").write_text("text")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("", "link"):
        with pytest.raises(HeadstartError, match="is there already; choose another name"):
            refuse_taken(tmp_path / name)
    with pytest.raises(HeadstartError, match="is there already"), new_folder(tmp_path / "c"):
        (tmp_path / "c").mkdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["c", "link"]
