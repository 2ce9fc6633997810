"""What the files of a study's parts hold: their sha256, copies of the user's own modules, and notes
about starts.
"""

from collections.abc import Sequence
from pathlib import Path

from headstart import files
from headstart.errors import HeadstartError
from headstart.parts import own_modules
from headstart.parts.origin import KEPT
from headstart.parts.registry import Component, own_file
from headstart.starts.base import STARTS
from headstart.study.data import task_of
from headstart.study.file.run_spec import PARTS, RunSpec
from headstart.study.folder.store import STARTS_FOLDER, Folder


def refuse_changed_files(runs: Sequence[RunSpec], out: Path) -> None:
    """Hold what the files of starts and tasks contained when the folder was begun, and refuse to
    mix in anything else.

    Raises:
        HeadstartError: a file has other contents now.
    """
    path = out / STARTS_FOLDER / "contents.json"
    known = files.read_record(path) if path.exists() else {}
    done = [run for run in runs if Folder(out).is_done(run.key)]
    may_be_mended = _modules(runs).keys() - _modules(done).keys()
    contents = dict(known)
    for name, content in _contents(runs).items():
        before = str(known.get(name, content))
        if before != content and name not in may_be_mended:
            raise HeadstartError(
                f"{name}: what its files hold has changed since the runs in {out} were made "
                f"(sha256 {before[:12]} then, {content[:12] or 'none'} now); put it back "
                "or choose a new folder"
            )
        if content:
            contents[name] = content
        else:
            contents.pop(name, None)
    if contents != known:
        files.write_record(path, dict(sorted(contents.items())))


def _contents(runs: Sequence[RunSpec]) -> dict[str, str]:
    """sha256 of the files of all starts and tasks, also of those tasks whose data a start is made
    of, and of the modules of parts that are the user's own, with what these import from beside
    them.
    """
    contents: dict[str, str] = {}
    tasks = {run.task for run in runs}
    for written in {run.start for run in runs}:
        start = STARTS.build(written)
        contents[str(written)] = start.content
        if start.artefact:
            tasks |= set(start.artefact.tasks)
    for name, file in _modules(runs).items():
        contents[name] = files.digest(file)
    for task in tasks:
        contents[f"task {task}"] = task_of(task).content
    return contents


def _parts(runs: Sequence[RunSpec]) -> set[Component]:
    """All parts of runs, probes too."""
    parts: set[Component] = set()
    for run in runs:
        parts |= {*run.probes, *(getattr(run, name) for name in PARTS)}
    return parts


def _modules(runs: Sequence[RunSpec]) -> dict[str, Path]:
    """The files of those parts of runs that are the user's own, and of what these import from
    beside them.
    """
    own: dict[str, Path] = {}
    for part in _parts(runs):
        if (module := own_file(part)) is not None:
            own[f"module of {part.kind} {part.name}"] = module
            for name, file in own_modules.imported_from(part.origin).items():
                own[f"module {name}"] = file
    return own


def keep_modules(runs: Sequence[RunSpec], out: Path) -> None:
    """Copies of the modules of the user's own, with which the text of the study in this folder can
    be run again.
    """
    parts = _parts(runs)
    kept: dict[str, Path] = {}
    for part in parts:
        if (file := own_file(part)) is not None and file.suffix == ".py":
            is_package = file.name == "__init__.py"
            name = part.name.partition(":")[0].replace(".", "/")
            kept[f"{name}/__init__.py" if is_package else f"{name}.py"] = file
        kept |= own_modules.imported_from(part.origin)
    for name, file in kept.items():
        with files.explained(file, "read"):
            content = file.read_bytes()
        if file != out / KEPT / name:
            files.write(out / KEPT / name, content)


def keep_notes(notes: dict[str, list[str]], out: Path) -> None:
    """Keep what is to be known of starts, by their names, for the records of their runs."""
    if notes:
        files.write_record(out / STARTS_FOLDER / "notes.json", notes)


def note_of(start: Component, out: Path) -> str | None:
    """Return what is to be known of a start, in one line; None where there is nothing."""
    path = out / STARTS_FOLDER / "notes.json"
    notes = files.read_record(path).get(str(start), []) if path.exists() else []
    return "; ".join(map(str, notes)) or None
