"""What is kept in memory of files that were read."""

from pathlib import Path
from typing import Any

import pytest

from headstart.parts.caches import cached, forget_changed, reads
from headstart.parts.origin import Origin, current, within


def test_what_is_kept_of_a_function_is_kept_by_folder(tmp_path: Path) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    calls = []

    @cached(maxsize=2)
    def opened(*, path: Any) -> Any:
        calls.append(path)
        return current().folder

    for folder in (*folders, *folders):
        with within(Origin(folder)):
            assert opened(path="a.csv") == folder
    assert calls == ["a.csv"] * 2


@pytest.mark.parametrize("written", ["a.csv", "./folder", "/a.csv"])
def test_a_file_is_read_again_only_once_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    path = Path(written.replace("/a.csv", str(tmp_path / "a.csv")))
    file = path / "part.csv" if path.name == "folder" else path
    file.write_text("1")
    calls = []

    @cached(maxsize=2)
    def opened(*, path: Any) -> Any:
        calls.append(path)
        reads(path)

    for text in ("1", "1", "22"):
        if file.read_text() != text:
            file.write_text(text)
        forget_changed()
        opened(path=path)
    assert len(calls) == 2
