"""Commands that are killed at random moments, and begun again:
they end as if nobody had killed them.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from tests.campaign.damage import COMMANDS, STUDY, expecting, kept, make, tables
from tests.campaign.frame import Case, ends_well, run

LONGEST = 6.0
"""Seconds until a kill; on two cores a command takes about as long."""


def cases(seed: int, folder: Path) -> Iterator[Case]:
    from headstart.study.runner import run_study
    from headstart.study.spec import Study

    file = make(folder / "ended", STUDY).parent / "study.yaml"
    run_study(Study.load(file), folder / "ended" / "out")
    ended = tables(folder / "ended" / "out")
    before: dict[str, dict[str, bytes]] = {"run": {}}
    for command in ("report", "compare", "publish"):
        place = folder / f"before-{command}"
        shutil.copytree(folder / "ended", place)
        run(Case(command, COMMANDS[command], ends_well, place))
        before[command] = kept(place)
    draw = np.random.Generator(np.random.Philox(key=seed))
    number = 0
    while True:
        place, command = folder / f"{number:06d}", str(draw.choice(list(COMMANDS)))
        if command == "run":
            place.mkdir()
            shutil.copy(file, place)
            _same_choices(folder / "ended" / "out", place / "out")
        else:
            shutil.copytree(folder / "ended", place)
        case = Case(command, COMMANDS[command], expecting(command, before[command], ended), place)
        moments = [
            float(moment) for moment in draw.uniform(0.2, LONGEST, size=int(draw.integers(1, 4)))
        ]
        for moment in moments:
            run(replace(case, seconds=moment))
        told = ", ".join(f"{moment:.2f}" for moment in moments)
        # What lies there now is shown, or it is one line.
        if draw.random() < 0.3 and command == "run":
            yield Case(
                f"report of a run killed after {told} s", COMMANDS["report"], ends_well, place
            )
        yield replace(case, name=f"{command}, killed after {told} s")
        shutil.rmtree(place)
        number += 1


def _same_choices(ended: Path, out: Path) -> None:
    """An executor that is chosen by timing is chosen once."""
    out.mkdir()
    for name in ("executors.json", "study.yaml"):
        shutil.copy(ended / name, out)
    shutil.copytree(ended / "runs", out / "runs")
    for record in out.glob("runs/*"):
        shutil.rmtree(record)
