"""Command lines with odd paths and options: each command, with what it is not made for in each of
its places.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from tests.campaign.frame import Case, ends_well

STUDY = """
task: digits
model: logistic
population: 6
cohort: 2
rounds: 1
seeds: [0]
probes: evaluation
executor: loop
"""

PATHS = (
    """
study.yaml|visits.csv|nothing|nothing/deep/er|pipe|link|loop|empty|folder|folder/study.yaml
.|| |-|--|~|é|*|%s|{0}
`<script>`|study.yaml/x
""".strip()
    .replace("\n", "|")
    .split("|")
)
PATHS += ["\udcff\udcfe", "x" * 300, "\x1b[2J", "a\nb", "\u202e"]

DEVICES = [
    "/dev/zero",
    "/dev/null",
    "/dev/full",
    "/dev/stdin",
    "/proc/self/mem",
    "/proc/self/environ",
]
"""Only to be read: what is written is written in the folder."""

OPTIONS = [
    "",
    "0",
    "1",
    "-1",
    "99999999999999999999",
    "1.5",
    "nan",
    "inf",
    "x",
    "\udcff",
    "\x1b[2J",
    "os:abort",
    "é",
]

COMMANDS = (
    """
check R|check study.yaml --allow O|run R --out W --jobs 1|run study.yaml --out W --jobs 1
report W|compare W W --into W
run study.yaml --out out --jobs O|run study.yaml --out out --checkpoint-seconds O --jobs 1
publish W --into W
findings R --into W|inspect R|inspect study.yaml --picture W|inspect --task O
inspect --task digits --partition O
inspect --task digits --population O|inspect --task digits --seed O|init R --out W
init visits.csv --out W
init visits.csv --label O|init visits.csv --client O --out new.yaml|list O|bench O
bench digits-mlp --executor O --rounds 1|bench digits-mlp --device O --rounds 1|O R|W O
paper O --task O --out W --write-only|paper ranking --task digits --scale O --out W --write-only
""".strip()
    .replace("\n", "|")
    .split("|")
)
"""`R` is a path that is read, `W` one that may be written, and `O` the value of an option."""


def cases(seed: int, folder: Path) -> Iterator[Case]:
    """One odd command line after another."""
    draw = np.random.Generator(np.random.Philox(key=seed))
    number = 0
    while True:
        _fill(folder)
        written = COMMANDS[draw.integers(len(COMMANDS))].split()
        odd = {"R": [*PATHS, *DEVICES], "W": PATHS, "O": OPTIONS}
        command = tuple(
            odd[word][draw.integers(len(odd[word]))] if word in odd else word for word in written
        )
        yield Case(f"{seed}-{number} {command!a}", command, ends_well, folder, 120.0)
        number += 1


def _fill(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    (folder / "study.yaml").write_text(STUDY)
    rows = "".join(f"c{i % 6},{i % 7},{'no' if i % 7 > 3 else 'yes'}\n" for i in range(60))
    (folder / "visits.csv").write_text(f"client,x,label\n{rows}")
    (folder / "empty").mkdir()
    (folder / "folder").mkdir()
    (folder / "folder" / "study.yaml").write_text(STUDY)
    (folder / "link").symlink_to("gone")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")
