"""What is kept in memory of files that were read."""

from pathlib import Path
from typing import Any

from headstart.parts.caches import cached
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
