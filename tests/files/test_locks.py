"""One process at a time uses a folder; who waits gets it, or is told."""

import os
import threading
from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.files.locks import locked, locked_with_a_file

IN_USE = r"is in use by another headstart process; wait for it to end$"


@pytest.mark.parametrize("lock", [locked, locked_with_a_file])
def test_who_does_not_wait_is_told_and_who_comes_later_gets_it(tmp_path: Path, lock: type) -> None:
    with lock(tmp_path, 0.0), pytest.raises(HeadstartError, match=IN_USE), lock(tmp_path, 0.0):
        pass
    with lock(tmp_path, 0.0):
        pass


def test_who_waits_gets_it_when_the_other_ends(tmp_path: Path) -> None:
    order: list[str] = []

    def another() -> None:
        with locked(tmp_path):
            order.append("the other")

    with locked(tmp_path):
        thread = threading.Thread(target=another)
        thread.start()
        thread.join(0.2)
        order.append("the first")
    thread.join(10)
    assert order == ["the first", "the other"]


def test_a_forked_process_that_lives_on_holds_nothing(tmp_path: Path) -> None:
    ended, ends = os.pipe()
    with locked(tmp_path, 0.0):
        if (child := os.fork()) == 0:
            os.close(ends)
            os.read(ended, 1)
            os._exit(0)
    with locked(tmp_path, 0.0):
        pass
    os.close(ends)
    os.waitpid(child, 0)


def test_a_folder_whose_lock_file_is_deleted_is_still_held(tmp_path: Path) -> None:
    with locked_with_a_file(tmp_path, 0.0):
        (tmp_path / ".lock").unlink()
        with pytest.raises(HeadstartError, match=IN_USE), locked_with_a_file(tmp_path, 0.0):
            pass


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    line = r"^cannot read .*none: No such file or directory$"
    with pytest.raises(HeadstartError, match=line), locked(tmp_path / "none"):
        pass
