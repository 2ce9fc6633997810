"""Folders of a study of which one file was damaged: what is read from them is as before, or it is
one line.

A file is flipped in one bit, overwritten by 64 random bytes, cut, emptied, deleted, or replaced by
the file of the same name of another run or another study. Then the study is run again, reported,
compared or published.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tests.campaign.frame import Case, Ended, ends_well

STUDY = """
name: damaged
task: digits
model: logistic
starts: [random, "proxy(task='rendered-digits(examples=60)', epochs=1)"]
population: 10
cohort: 3
batch_size: 64
rounds: 3
every: 1
seeds: [0, 1]
executor: auto
probes: [evaluation, distance]
tuning: {trials: 2, rounds: 1, parameters: false}
"""
OTHER = STUDY.replace("seeds: [0, 1]", "seeds: [5, 6]").replace("cohort: 3", "cohort: 4")

COMMANDS = {
    "run": ("run", "study.yaml", "--out", "out", "--jobs", "1"),
    "report": ("report", "out"),
    "compare": ("compare", "out", "--into", "page.html"),
    "publish": ("publish", "out", "--into", "published"),
}
TIMED = ("seconds", "ended")
"""Columns that differ where a run was done again."""

TAKEN = r" in \d+ s\b"
"""What a start took, in the column that says how it was made."""

Damage = Callable[[bytes, np.random.Generator], bytes]


def flip(content: bytes, draw: np.random.Generator) -> bytes:
    place = int(draw.integers(len(content)))
    return (
        content[:place]
        + bytes([content[place] ^ 1 << int(draw.integers(8))])
        + content[place + 1 :]
    )


def overwrite(content: bytes, draw: np.random.Generator) -> bytes:
    place = int(draw.integers(len(content)))
    return content[:place] + draw.bytes(min(64, len(content) - place)) + content[place + 64 :]


def cut(content: bytes, draw: np.random.Generator) -> bytes:
    return content[: int(draw.integers(len(content)))]


def digit(content: bytes, draw: np.random.Generator) -> bytes:
    """Another digit in place of one, as who corrects a number by hand would write it."""
    places = [place for place, byte in enumerate(content) if chr(byte).isdigit()]
    if not places:
        return flip(content, draw)
    place = int(draw.choice(places))
    return content[:place] + b"%d" % ((content[place] - ord("0") + 1) % 10) + content[place + 1 :]


DAMAGES: dict[str, Damage] = {"flip": flip, "overwrite": overwrite, "cut": cut, "digit": digit}


def make(folder: Path, text: str) -> Path:
    """A study, run in `folder`, with one run that was interrupted before its last round."""
    from headstart.study.runner import run_study
    from headstart.study.spec import Study

    folder.mkdir(parents=True)
    file = folder / "study.yaml"
    file.write_text(text)
    out = Path(run_study(Study.load(file), folder / "out"))
    run = min(out.glob("runs/*/state.safetensors")).parent
    (run / "state.safetensors").rename(run / "checkpoint.safetensors")
    for name in ("run.json", "rounds.parquet", "weights.safetensors"):
        (run / name).unlink()
    return out


def damage(out: Path, whole: Path, other: Path, draw: np.random.Generator) -> str:
    """Damage one file of `out`, a copy of `whole`. Returns what was done."""
    files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != ".lock")
    path = files[int(draw.integers(len(files)))]
    name = path.relative_to(out)
    how = str(draw.choice([*DAMAGES, "delete", "empty", "exchange"]))
    if how == "delete":
        path.unlink()
    elif how == "empty":
        path.write_bytes(b"")
    elif how == "exchange":
        theirs = sorted({*whole.rglob(path.name), *other.rglob(path.name)} - {whole / name})
        if theirs:
            shutil.copy(theirs[int(draw.integers(len(theirs)))], path)
    elif content := path.read_bytes():
        path.write_bytes(DAMAGES[how](content, draw))
    return f"{how} {name}"


def tables(out: Path) -> list[pa.Table]:
    """What a study found, without what tells when and how long."""
    found = []
    for path in sorted(out.glob("results/*.parquet")):
        table = pq.read_table(path)
        table = table.drop_columns([name for name in TIMED if name in table.column_names])
        if "begun_with" in table.column_names:
            untimed = pc.replace_substring_regex(table["begun_with"], TAKEN, "")
            table = table.drop_columns(["begun_with"]).append_column("begun_with", untimed)
        found.append(table)
    return found


def kept(folder: Path) -> dict[str, bytes]:
    """What a command wrote for people: tables of a report, a page, or a published folder."""
    wanted = (
        "out/tables/*.csv",
        "page.html",
        "published/*.csv",
        "published/*.json",
        "published/tables/*.csv",
    )
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for pattern in wanted
        for path in folder.glob(pattern)
    }


def expecting(
    command: str, before: dict[str, bytes], whole: list[pa.Table]
) -> Callable[[Ended], str]:
    """One line, or the numbers of the folder that was not damaged."""

    def expectation(ended: Ended) -> str:
        if (wrong := ends_well(ended)) or ended.status != 0:
            return wrong
        if command == "run":
            ours = tables(ended.folder / "out")
            same = len(ours) == len(whole) and all(
                a.equals(b) for a, b in zip(ours, whole, strict=True)
            )
            return "" if same else "other numbers in results"
        found = kept(ended.folder)
        return (
            ""
            if found == before
            else f"other numbers in {sorted(k for k in before if found.get(k) != before[k])}"
        )

    return expectation


def cases(seed: int, folder: Path) -> Iterator[Case]:
    from tests.campaign.frame import run

    from headstart.study.runner import run_study
    from headstart.study.spec import Study

    whole, other = make(folder / "whole", STUDY), make(folder / "other", OTHER)
    ended = Path(shutil.copytree(whole, folder / "ended" / "out"))
    run_study(Study.load(folder / "whole" / "study.yaml"), ended)
    before: dict[str, dict[str, bytes]] = {"run": {}}
    for command in ("report", "compare", "publish"):
        place = folder / f"before-{command}"
        shutil.copytree(whole.parent, place)
        run(Case(command, COMMANDS[command], ends_well, place))
        before[command] = kept(place)
    draw = np.random.Generator(np.random.Philox(key=seed))
    number = 0
    while True:
        place = folder / f"{number:06d}"
        shutil.copytree(whole.parent, place)
        done = damage(place / "out", whole, other, draw)
        command = str(draw.choice(list(COMMANDS)))
        expectation = expecting(command, before[command], tables(ended))
        yield Case(f"{done}, {command}", COMMANDS[command], expectation, place)
        shutil.rmtree(place)
        number += 1
