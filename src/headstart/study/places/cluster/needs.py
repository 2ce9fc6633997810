"""The files of a study's folder that an item needs on a node: those that are read to begin it, or
to go on with it.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from headstart import files
from headstart.study.executor_choice import FILE
from headstart.study.file.run_spec import RunSpec
from headstart.study.folder.store import HINT, RECORD, STARTS_FOLDER, TUNING_FOLDER, Folder
from headstart.study.tuning.search import Search


def contents(item: Any, out: Path) -> dict[str, bytes]:
    """Return the contents of the files that an item needs, by their names in the folder, but for
    weights that many items begin from.

    Args:
        item: a group of runs, or a search.
        out: the study's folder.
    """
    paths = [out / FILE, *out.glob(f"{STARTS_FOLDER}/*.json")]
    if isinstance(item, Search):
        paths += out.glob(f"{TUNING_FOLDER}/{item.key}/*")
    else:
        for run in item:
            paths += _of_run(run, Folder(out))
    found = {}
    for path in filter(Path.is_file, paths):
        found[path.relative_to(out).as_posix()] = path.read_bytes()
    return found


def _of_run(run: RunSpec, folder: Folder) -> Iterator[Path]:
    """The checkpoint of a run with all that belongs to it; of one that is done its record, which
    says so.
    """
    own = folder.run(run.key)
    if folder.is_done(run.key):
        yield own / RECORD
        return
    yield from own.glob("*")
    if (own / HINT).exists():
        yield from folder.run(str(files.read_record(own / HINT)["run"])).glob("*")


def weights(out: Path) -> list[Path]:
    """Return the files of weights that many items begin from."""
    return sorted(out.glob(f"{STARTS_FOLDER}/*.safetensors"))


def runs_of(item: Any) -> list[RunSpec]:
    """Return the runs of an item; of a search those of its seeds, before its values are known."""
    if isinstance(item, Search):
        return [replace(item.base, seed=seed) for seed in item.seeds]
    return list(item)
