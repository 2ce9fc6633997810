"""The weights of a study's best run, or of another, as a file of the user's own: `headstart
model`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headstart import files
from headstart.errors import HeadstartError, nearest
from headstart.report.words.numbers import percent
from headstart.results.first_weights import before_training
from headstart.results.study_results import Best, Results, load
from headstart.study.folder.store import Folder
from headstart.tables import RESULTS, STUDY_FILE


@dataclass(frozen=True)
class Found:
    """The weights of a run: what their file holds, the run's row in the table, and what they are, a
    line each. `best`: the runs that it is one of, where it was not named itself.
    """

    content: bytes
    row: Mapping[str, Any]
    told: tuple[str, ...]
    best: Best | None = None


def found(
    folder: Path,
    start: str | None = None,
    pair: str | None = None,
    seed: int | None = None,
    run: str | None = None,
    of_best_round: bool = False,
    untrained: bool = False,
) -> Found:
    """Find the weights of a run.

    Args:
        folder: that of the study.
        start, pair: whose run; by default the start that the verdict names, and its best pair.
        seed: by default that with the highest accuracy.
        run: the run's own name, or how it begins, in place of these.
        of_best_round: the weights of the run's best round rather than of its last.
        untrained: the weights that the run began with, before its first round.

    Raises:
        HeadstartError: there is no such run, or its weights are damaged or gone.
    """
    if untrained and of_best_round:
        raise HeadstartError("--untrained: expected it without --best-round, as no round was run")
    results = load(folder)
    best = None
    if run is not None:
        if given := [
            name
            for name, value in (("start", start), ("pair", pair), ("seed", seed))
            if value is not None
        ]:
            raise HeadstartError(f"--run names one run; expected it without --{given[0]}")
        row = _row(results, run)
        said = [_told(row)]
    else:
        best = results.best(start, pair)
        seed = best.seed if seed is None else seed
        best.path(seed)  # there is a run of that seed, and its weights are whole
        row, said = _row(results, best.runs[seed]), [str(best), _of_seed(best, seed)]
        if results.verdict.as_it_is and best.start == results.verdict.start and not untrained:
            said.append(f"training added nothing to {best.start}: as it is with --untrained")
    if untrained:
        content, begun_from = before_training(folder, row)
        return Found(content, row, (f"before training: {begun_from}, seed {row['seed']}",), best)
    source = _file_of(folder, row["run"], of_best_round)
    if of_best_round:
        said.append(_of_round(source))
    return Found(_content(source), row, tuple(said), best)


def write(model: Found, into: Path) -> list[str]:
    """Write weights to a safetensors file, and return what they are, a line each.

    Raises:
        HeadstartError: the file is not to be written.
    """
    _refuse_foreign(into)
    files.write(into, model.content)
    said = [*model.told, *filter(None, [_scaling(into)])]
    load_it = f"module.load_state_dict(safetensors.torch.load_file({str(into)!r}))"
    return [*said, f"weights: {into}, for {load_it}"]


def _scaling(file: Path) -> str:
    """By what inputs were shifted and scaled before the model saw them; empty where nothing was."""
    from headstart.starts import weights

    found = weights.load(file).meaning
    if not found.mean:
        return ""
    of_what = "feature" if len(found.mean) == len(found.features) else "channel"
    return (
        f"inputs: (x - mean) / deviation of each {of_what}, as the study scaled them; the weights "
        "are of use with no other scale. The file's metadata has both, as lists in "
        "json.loads(metadata['headstart'])['meaning']"
    )


def _file_of(folder: Path, run: str, of_best_round: bool) -> Path:
    there = Folder(folder)
    return there.best_weights(run) if of_best_round else there.weights(run)


def _row(results: Results, run: str) -> Mapping[str, Any]:
    rows: list[dict[str, Any]] = results.runs.to_pylist()
    alike = [row for row in rows if run and row["run"].startswith(run)]
    if len(alike) != 1:
        many = "several begin so" if alike else "there is none"
        raise HeadstartError(
            f"--run: expected a run of the study, got {run!r}; {many}{nearest(run, _names(rows))}"
        )
    return alike[0]


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return [row["run"] for row in rows[:8]]


def _told(row: Mapping[str, Any]) -> str:
    rates = f"rates {row['client_rate']:g} and {row['server_rate']:g}"
    accuracy = row["test_accuracy"]
    ended = row["status"] if accuracy is None else percent(accuracy)
    return (
        f"{row['client']} + {row['server']} from {row['start']}, {rates}, seed {row['seed']}: "
        f"{ended}"
    )


def _of_seed(best: Best, seed: int) -> str:
    accuracy = best.accuracies[seed]
    is_highest = len(best.runs) > 1 and accuracy == max(best.accuracies.values())
    return f"seed {seed}: {percent(accuracy)}{', the highest of its seeds' if is_highest else ''}"


def _of_round(file: Path) -> str:
    from headstart.starts import weights

    note = weights.note_of(file)
    return (
        f"round {note['round']}: {percent(note['accuracy'])}, the highest of its rounds, by which "
        "it was chosen"
    )


def _refuse_foreign(into: Path) -> None:
    if into.suffix != ".safetensors":
        raise HeadstartError(
            "--into: expected the name of a file that ends in .safetensors, or of a folder without "
            f"a dot, got {str(into)!r}"
        )
    if into.exists() and (study := _study_around(into)) is not None:
        raise HeadstartError(
            f"{into} is there already, in the study of {study}; choose a name outside of it"
        )
    if into.is_symlink() or into.is_dir() or (into.exists() and not _is_ours(into)):
        raise HeadstartError(f"{into} is there already and no weights of ours; choose another name")


def _study_around(file: Path) -> Path | None:
    """The folder of the study that a file is part of: in its `runs` or `starts`."""
    for folder in file.resolve().parents:
        if (folder / STUDY_FILE).is_file() and (folder / RESULTS).is_dir():
            return folder
    return None


def _is_ours(file: Path) -> bool:
    from headstart.starts import weights

    try:
        weights.load(file)
    except HeadstartError:
        return False
    return True


def _content(source: Path) -> bytes:
    """What a file of weights holds, once it is seen to be whole."""
    from headstart.starts import weights

    weights.load(source)
    with files.explained(source, "read"):
        return source.read_bytes()
