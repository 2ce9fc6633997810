"""What a study that runs until it has decided cannot have."""

from collections.abc import Sequence
from dataclasses import replace

from headstart.errors import HeadstartError
from headstart.study.file.keys import StudyFile
from headstart.study.file.run_spec import RunSpec


def refuse_what_decides_nothing(file: StudyFile, runs: Sequence[RunSpec]) -> None:
    """Refuse seeds of single grids, and rates among which the runs that decide would choose.

    Raises:
        HeadstartError: the file has one of them.
    """
    for i, axes in enumerate(file.also):
        if axes.seeds is not None:
            raise HeadstartError(
                f"also[{i}].seeds: expected none, as the study runs until it has decided; remove "
                "them, or list the seeds of the study"
            )
    rates: dict[RunSpec, RunSpec] = {}
    for run in runs:
        rest = replace(run, client_rate=1.0, server_rate=1.0)
        if rates.setdefault(rest, run) is not run:
            raise HeadstartError(
                f"client_rates, server_rates: {run.start}, {run.client}, {run.server} has several, "
                "and a study that runs until it has decided needs one of each; let `tuning` choose"
            )
