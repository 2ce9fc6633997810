"""What files that are not ours hold, as one sha256."""

import hashlib
from pathlib import Path

import pytest

from headstart import files
from headstart.errors import HeadstartError


def test_a_digest_is_sha256_and_that_of_several_depends_on_their_order(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    (tmp_path / "b").write_bytes(b"")
    a, b = hashlib.sha256(b"abc").hexdigest(), hashlib.sha256(b"").hexdigest()
    assert files.digest(tmp_path / "a") == a
    assert (
        files.digest(tmp_path / "a", tmp_path / "b")
        == hashlib.sha256(f"{a} {b}".encode()).hexdigest()
    )
    assert files.digest(tmp_path / "a", tmp_path / "b") != files.digest(
        tmp_path / "b", tmp_path / "a"
    )
    with pytest.raises(HeadstartError, match=r"cannot read .*c: No such file"):
        files.digest(tmp_path / "c")
