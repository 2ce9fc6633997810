"""Files are whole or not there."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from headstart import files
from headstart.errors import HeadstartError


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    files.write(path, "first")
    files.write(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, b"a" * 100_000)
    with path.open("rb") as reader:  # opened before, it reads the old file to its end
        files.write(path, b"b" * 100_000)
        assert reader.read() == b"a" * 100_000
    assert path.read_bytes() == b"b" * 100_000


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, b"old")
    code = f"""
import sys
from pathlib import Path
from headstart import files
from headstart.errors import HeadstartError
try:
    files.write(Path({str(path)!r}), b"x" * 5000)
except HeadstartError as error:
    sys.exit(str(error))
"""
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, f"cannot write {path}: File too large\n")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    """A rename as root would make `/dev/null` a file, and everything that writes there fill the
    disk.
    """
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name, kind in (("folder", "a folder"), ("pipe", "a device or a pipe")):
        with pytest.raises(
            HeadstartError,
            match=f"^cannot write .*{name}: expected a file or nothing there, got {kind}$",
        ):
            files.write(tmp_path / name, b"")
    assert (tmp_path / "pipe").is_fifo()
    (tmp_path / "link").symlink_to("file")
    files.write(tmp_path / "link", b"a link may be replaced")
    assert not (tmp_path / "file").exists()


def test_a_folder_that_is_a_file_gets_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HeadstartError) as caught:
        files.write(tmp_path / "file" / "below", b"")
    assert (
        str(caught.value)
        == f"cannot write {tmp_path / 'file' / 'below'}: a file stands where a folder should be"
    )


def test_errors_that_are_not_of_the_file_system_pass_through(tmp_path: Path) -> None:
    with pytest.raises(KeyError), files.explained(tmp_path, "read"):
        raise KeyError


def test_what_a_process_that_is_gone_left_half_written_is_swept(tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    ours = tmp_path / f".page.md.{gone.pid}.partial"
    others = [
        tmp_path / f".page.md.{os.getpid()}.partial",
        tmp_path / ".page.md.partial",
        tmp_path / ".notes.partial",
    ]
    others.append(tmp_path / f".another.md.{gone.pid}.partial")
    for path in (ours, *others):
        path.write_bytes(b"half")
    files.sweep(tmp_path, {"page.md"})
    assert not ours.exists()
    assert all(path.exists() for path in others)
    assert [files.whose_half(path) for path in (ours, *others)] == [
        "page.md",
        "page.md",
        None,
        None,
        "another.md",
    ]
