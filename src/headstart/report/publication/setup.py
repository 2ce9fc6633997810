"""How a published study was set up, in the words of a row: by which file, with which rates, from
which start.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from headstart import files
from headstart.errors import HeadstartError
from headstart.tables import STUDY_FILE
from headstart.wording.phrases import count, listed

COLUMNS = ("study file", "rates", "the other start")
UNKNOWN = "not recorded"


def settings_of(folder: Path) -> Mapping[str, Any]:
    """The study file beside the findings; empty where there is none."""
    path = folder / STUDY_FILE
    if not path.exists():
        return {}
    try:
        with files.explained(path, "read"):
            found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise HeadstartError(f"{path} is damaged; publish the study again")
    return found


def cells(study: Mapping[str, Any], settings: Mapping[str, Any]) -> tuple[str, str, str]:
    """A row's cells below `COLUMNS`."""
    try:
        tuned = rates(study["run"], settings)
        return origin(study["preset"]), tuned, others(study["run"].get("starts") or ())
    except (TypeError, AttributeError) as error:
        raise HeadstartError(
            f"study.yaml of {study['title']!r} is damaged ({error}); publish the study again"
        ) from None


def origin(preset: str) -> str:
    """Which preset wrote the study file, if one did.

    >>> origin("paper all, scale cpu"), origin("")
    ('preset: paper all, scale cpu', 'its own')
    """
    return f"preset: {preset}" if preset else "its own"


def rates(run: Mapping[str, Any], settings: Mapping[str, Any]) -> str:
    """Tuned or not, and with what, counted in the trials that were recorded.

    >>> rates({"trials": 0}, {"name": "a", "client_rates": [0.1], "server_rates": [1.0]})
    'not tuned: those of the study file'
    >>> rates({"trials": 80, "seeds": [0, 1]}, {"tuning": {"trials": 20, "rounds": 100}})
    'tuned: 20 trials of 100 rounds for each start and pair, 80 trials in all'
    """
    trials, tuning = run.get("trials", 0), settings.get("tuning") or {}
    if not trials:
        tried = len(settings.get("client_rates") or [0]) * len(settings.get("server_rates") or [0])
        best = f"the best of {tried} in the judged runs" if tried > 1 else "those of the study file"
        return f"not tuned: {best}" if settings else "not tuned"
    each = tuning.get("trials")
    budget = (
        f"{count(each, 'trial')} of {tuning.get('rounds')} rounds for each start and pair, "
        if each
        else ""
    )
    seeds = tuning.get("seeds") or []
    one = len(seeds) == 1
    also = ", which is judged too" if one and seeds[0] in run["seeds"] else ""
    on = f", on {'seed' if one else 'seeds'} {listed(seeds)}{also}" if seeds else ""
    return f"tuned: {budget}{count(trials, 'trial')} in all{on}"


def others(starts: Sequence[str]) -> str:
    """Every start but random, a file by its name alone.

    >>> others(["random", "checkpoint(path='$DATA/nets/a.safetensors')"])
    "checkpoint(path='a.safetensors')"
    """
    names = [re.sub(r"'[^'()]*/([^/']+)'", r"'\1'", start) for start in starts if start != "random"]
    return listed(names) or UNKNOWN
