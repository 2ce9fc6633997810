"""TensorBoard: a log for every run under trackers/tensorboard of the study's folder."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch.utils.tensorboard.writer import SummaryWriter

from headstart.trackers.base import fields, label

if TYPE_CHECKING:
    from headstart.engine.measurements import Row
    from headstart.study.file.run_spec import RunSpec


class TensorBoard:
    """A scalar for every metric, its step the round; the run's parameters and its record as
    text.
    """

    def __init__(self, folder: Path, settings: Mapping[str, Any]) -> None:
        self._folder = folder / "tensorboard"
        self._writers: dict[str, SummaryWriter] = {}

    def measured(self, run: "RunSpec", rows: "Sequence[Row]") -> None:
        """Add a scalar for each row."""
        writer = self._writer(run)
        for round_, metric, value in rows:
            writer.add_scalar(metric, value, round_)
        writer.flush()

    def ended(self, run: "RunSpec", record: Mapping[str, Any]) -> None:
        """Add the record, and close the run's log."""
        writer = self._writer(run)
        kept = {name: value for name, value in record.items() if name != "spec"}
        writer.add_text("record", f"```\n{json.dumps(kept, indent=1, default=str)}\n```")
        self._writers.pop(run.key).close()

    def close(self) -> None:
        """Close the logs of runs that have not ended."""
        for writer in self._writers.values():
            writer.close()

    def _writer(self, run: "RunSpec") -> SummaryWriter:
        if run.key not in self._writers:
            name = re.sub(r"[^\w.=()+-]+", "-", label(run))
            made = SummaryWriter(str(self._folder / name))
            made.add_text(
                "parameters", "\n".join(f"    {key}: {value}" for key, value in fields(run).items())
            )
            self._writers[run.key] = made
        return self._writers[run.key]
