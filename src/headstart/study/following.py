"""What runs measure, while they are under way: from the processes that compute them to who follows the study.

A worker appends rows to a file of its own, which nobody waits for; the process that has the study reads what is new.
"""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from headstart.engine.journal import Row

Tell = Callable[[str, Sequence[Row]], None]
"""Is told the key of a run and what was measured of it since the last time."""


def nobody(key: str, rows: Sequence[Row]) -> None:
    """For studies that nobody follows."""


class Feed:
    """A folder with a file for each worker, which holds one line for each thing told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, int] = {}

    def tell(self, key: str, rows: Sequence[Row]) -> None:
        """In a worker: append the rows, whole lines at a time."""
        line = json.dumps([key, rows]) + "\n"
        with (self.folder / f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(line)

    def news(self) -> Iterator[tuple[str, list[Row]]]:
        """What was told since the last time; of a line that is not whole yet, nothing."""
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                content = file.read()
            whole = content[: content.rfind(b"\n") + 1]
            self._read[path] = self._read.get(path, 0) + len(whole)
            for line in whole.splitlines():
                key, rows = json.loads(line)
                yield key, [(int(round_), str(metric), float(value)) for round_, metric, value in rows]
