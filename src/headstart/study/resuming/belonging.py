"""Whether a folder's runs are a study's, so that it may go on there; and what of them its new runs
go on from.

A study goes on in the folder of another one if every run there is one of its own, or one with fewer
rounds or fewer probes, and every search one of its own, or one with fewer trials. Then nothing that
is there is left out.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from headstart.errors import HeadstartError
from headstart.looks.record import Record, record_for
from headstart.probes.base import PROBES
from headstart.study.federations import federation_of
from headstart.study.file.run_spec import RunSpec
from headstart.study.file.yaml_text import read
from headstart.study.folder import added_probes
from headstart.study.folder.saved import hand_over_state
from headstart.study.folder.store import CHECKPOINT, RECORD, TUNING_FOLDER, Folder
from headstart.study.resuming.differences import differences
from headstart.study.spec import Study
from headstart.study.tuning.search import searches
from headstart.tables import STUDY_FILE

Tell = Callable[[str], None]

GROWS = ("rounds", "probes")
"""Fields of a run of which a longer study may have more."""


def refusal(study: Study, out: Path, looks: Record | None, tell: Tell) -> str:
    """Why a study may not go on in a folder with another one's study file; empty where it may.

    Args:
        study: the study that is to go on.
        out: the folder.
        looks: what the folder knows of its looks.
        tell: is given a line where its study file is written again.

    Raises:
        HeadstartError: the study lacks seeds that were looked at.
    """
    why = _of_runs(study, out, tell)
    if not why:
        record_for(study.plan, looks)
    return why


def _of_runs(study: Study, out: Path, tell: Tell) -> str:
    file = out / STUDY_FILE
    try:
        other = Study.load(file, origin=study.origin) if file.exists() else None
        if other is not None and _holds_all_of(study, other):
            return ""
    except HeadstartError:
        other = None
    done = sum(1 for _ in out.glob(f"runs/*/{RECORD}"))
    strays = _strays(study, out)
    if strays:
        if other is None and (written := _written(file, study)):
            return differences(written, _keys(study))
        if other is None:
            state = "damaged" if file.exists() else "gone"
            return f"its study.yaml is {state}, and {strays[0]} is not of this study"
        return differences(_keys(other), _keys(study)) + _hint(other, study)
    if done:
        tell(
            f"study.yaml in {out} was {'changed' if file.exists() else 'gone'}; it is written "
            f"again, as all {done} runs there are of this study"
        )
    return ""


def _keys(study: Study) -> Mapping[str, Any]:
    keys: Mapping[str, Any] = yaml.safe_load(study.resolved())
    return keys


def _written(file: Path, study: Study) -> Mapping[str, Any]:
    """What the file says of a study with values of a Python program, which only that program can
    read; else nothing.
    """
    try:
        keys = read(file) if file.exists() else {}
    except HeadstartError:
        return {}
    return keys if study.given and keys.keys() == _keys(study).keys() else {}


def _hint(other: Study, study: Study) -> str:
    tuning = study.file.tuning
    if tuning and tuning.rounds is None and other.file.rounds != study.file.rounds:
        return (
            "; searches without rounds of their own have those of the runs: with "
            f"'tuning: {{rounds: {other.file.rounds}}}' they stay as they are"
        )
    if other.file.rounds > study.file.rounds:
        return "; a longer run holds no shorter one, as the last round is measured more closely"
    return ""


def _holds_all_of(study: Study, other: Study) -> bool:
    if other.file.rounds > study.file.rounds or not set(other.probes) <= set(study.probes):
        return False
    trials = _trials(study)
    for key, number in _trials(other).items():
        if number > trials.get(key, 0):
            return False
    if other.file.rounds == study.file.rounds and other.probes == study.probes:
        return _run_keys(other) <= _run_keys(study)
    return _rests(other) <= _rests(study)


def _trials(study: Study) -> dict[str, int]:
    """The number of trials of each search of a study, by its key."""
    return {search.key: search.trials for search in searches(study)}


def _run_keys(study: Study) -> set[str]:
    return {run.key for run in _all(study)}


def _rests(study: Study, without: Sequence[str] = ()) -> set[str]:
    return {_rest(run.spec(), without) for run in _all(study)}


def _all(study: Study) -> list[RunSpec]:
    """The runs of a study, and those that they are held against."""
    return [*study.runs, *study.baselines]


def _strays(study: Study, out: Path) -> list[str]:
    """What lies in the folder and is not of the study: searches, and runs that are done."""
    searched, strays = _trials(study), []
    done = Counter(path.parent.name for path in out.glob(f"{TUNING_FOLDER}/*/*.json"))
    for name, trials in sorted(done.items()):
        if trials > searched.get(name, 0):
            strays.append(f"its search {name}")
    rests = _rests(study)
    tuned = _rests(study, without=_TUNED) if searched else set()
    rounds, probes = study.file.rounds, _each(study.runs[0].spec()["probes"])
    for key, spec in _specs(out, _run_keys(study)):
        known = _rest(spec) in rests or _rest(spec, without=_TUNED) in tuned
        if not known or spec["rounds"] > rounds or not _each(spec["probes"]) <= probes:
            strays.append(f"its run {key}")
    return strays


_TUNED = ("client", "server", "client_rate", "server_rate")


def take_up(study_keys: set[str], pending: Sequence[RunSpec], out: Path, tell: Tell) -> None:
    """Have runs begin where shorter ones in the folder were before their last round; say which
    cannot, and why.
    """
    folder = Folder(out)
    waiting = [run for run in pending if not (folder.run(run.key) / CHECKPOINT).exists()]
    shorter: dict[str, list[tuple[int, str, str]]] = {}
    if waiting:
        for key, spec in _specs(out, study_keys):
            found = spec["rounds"], key, _text(spec["probes"])
            shorter.setdefault(_rest(spec), []).append(found)
    lines: Counter[str] = Counter()
    for run in waiting:
        candidates = sorted(shorter.get(_rest(run.spec()), []), reverse=True)
        if candidates:
            lines[_taken_up(run, candidates, folder)] += 1
    for line, count in lines.items():
        tell(f"{line}: {count} {'run' if count == 1 else 'runs'}")


def _taken_up(run: RunSpec, candidates: list[tuple[int, str, str]], folder: Folder) -> str:
    """Hands the state of the longest over to the run. Returns what came of it, in words before a
    number of runs.
    """
    probes, has_shorter = _text(run.spec()["probes"]), False
    for rounds, key, theirs in candidates:
        if theirs == probes and rounds < run.rounds:
            has_shorter = True
            if hand_over_state(folder.run(key), folder.run(run.key)):
                what = f"where runs of {rounds} rounds were before their last one"
                return f"going on from round {rounds - 1}, {what}"
    if not has_shorter:
        return _measured_after(run, candidates, folder)
    return (
        "begun anew, as shorter ones kept no state to go on from (they diverged, or it was too "
        "large to keep)"
    )


_NOT_AGAIN = "not done again, as their new probes can be measured"


def _measured_after(run: RunSpec, candidates: list[tuple[int, str, str]], folder: Folder) -> str:
    """Hands over what a run measured that lacks only probes which its weights can answer."""
    for rounds, key, theirs in candidates:
        before = json.loads(theirs)
        if rounds == run.rounds and run.spec()["probes"][: len(before)] == before:
            federation = federation_of(run)
            more = [PROBES.build(probe, federation) for probe in run.probes[len(before) :]]
            if all(probe.ends_only for probe in more):
                added_probes.hand_over_rows(folder, key, run)
                return f"{_NOT_AGAIN} of the weights that they began and ended with"
    return "begun anew, as probes were added that are measured along the way"


def _specs(out: Path, but: set[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The specifications of the runs that are done, without those of some keys."""
    folder = Folder(out)
    for path in sorted(out.glob(f"runs/*/{RECORD}")):
        key = path.parent.name
        if key not in but:
            spec = folder.record(key).get("spec")
            if isinstance(spec, dict) and GROWS[0] in spec:
                yield key, spec


def _rest(spec: Mapping[str, Any], without: Sequence[str] = ()) -> str:
    return _text({name: value for name, value in spec.items() if name not in (*GROWS, *without)})


def _each(values: Sequence[Any]) -> set[str]:
    return {_text(value) for value in values}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
