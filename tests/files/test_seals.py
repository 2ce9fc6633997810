"""A file that has changed is not read for what it was."""

import os
from pathlib import Path
from typing import Any

import pytest

from headstart import files
from headstart.errors import HeadstartError


def record_at(path: Any) -> Any:
    files.write_record(
        path, {"number": 0.1, "text": "Köln \U0001f41f", "none": None, "list": [1, [2]]}
    )
    return path


def test_a_record_comes_back_as_it_was_written(tmp_path: Path) -> None:
    expected = {"number": 0.1, "text": "Köln \U0001f41f", "none": None, "list": [1, [2]]}
    assert files.read_record(record_at(tmp_path / "a.json")) == expected


def test_a_bit_flipped_anywhere_in_a_record_is_noticed(tmp_path: Path) -> None:
    path = record_at(tmp_path / "a.json")
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = whole[place] ^ 1 << place % 8
        path.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
        with pytest.raises(HeadstartError) as caught:
            files.read_record(path, "run again")
        assert str(caught.value).startswith(f"{path} is damaged (")
        assert str(caught.value).endswith("); run again")
        assert "\n" not in str(caught.value)


def test_a_record_that_is_cut_gone_or_of_older_times_is_noticed(tmp_path: Path) -> None:
    path = record_at(tmp_path / "a.json")
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(HeadstartError, match="is damaged"):
            files.read_record(path)
    path.write_text('{"number": 0.1}')
    with pytest.raises(HeadstartError, match="as files of an older version have none"):
        files.read_record(path)
    path.unlink()
    with pytest.raises(
        HeadstartError, match=r"is damaged \(No such file or directory\); delete it and run again"
    ):
        files.read_record(path)


def test_a_text_that_looks_like_a_seal_is_none(tmp_path: Path) -> None:
    looks_like = f'headstart.sha256": "{"1" * 64}'
    record = {
        "title": f'"{looks_like}"',
        "note": f"headstart.sha256: {'0' * 64}",
        "headstart": {"sha256": "0" * 64},
    }
    record["inner"] = {"headstart.sha256": "0" * 64}
    files.write_record(tmp_path / "a.json", record)
    assert files.read_record(tmp_path / "a.json") == record


def test_a_pipe_in_place_of_a_file_does_not_wait_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(
        HeadstartError, match=r"is damaged \(it is a pipe, a socket or a device\); "
    ):
        files.read_record(tmp_path / "a.json")
