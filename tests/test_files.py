"""Files are whole or not there."""

import hashlib
import os
import resource
import subprocess
import sys

import pytest

from headstart import files
from headstart.errors import HeadstartError


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    files.write(path, "first")
    files.write(path, b"second")
    assert path.read_bytes() == b"second"
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_never_sees_half_a_file(tmp_path):
    path = tmp_path / "file"
    files.write(path, b"a" * 100_000)
    with path.open("rb") as reader:  # opened before, it reads the old file to its end
        files.write(path, b"b" * 100_000)
        assert reader.read() == b"a" * 100_000
    assert path.read_bytes() == b"b" * 100_000


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path):
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


def test_a_folder_that_is_a_file_gets_one_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(HeadstartError) as caught:
        files.write(tmp_path / "file" / "below", b"")
    assert str(caught.value) == f"cannot write {tmp_path / 'file' / 'below'}: a file stands where a folder should be"


def test_errors_that_are_not_of_the_file_system_pass_through(tmp_path):
    with pytest.raises(KeyError), files.explained(tmp_path, "read"):
        raise KeyError


def test_a_digest_is_sha256_and_that_of_several_depends_on_their_order(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"")
    a, b = hashlib.sha256(b"abc").hexdigest(), hashlib.sha256(b"").hexdigest()
    assert files.digest(tmp_path / "a") == a
    assert files.digest(tmp_path / "a", tmp_path / "b") == hashlib.sha256(f"{a} {b}".encode()).hexdigest()
    assert files.digest(tmp_path / "a", tmp_path / "b") != files.digest(tmp_path / "b", tmp_path / "a")
    with pytest.raises(HeadstartError, match=r"cannot read .*c: No such file"):
        files.digest(tmp_path / "c")
