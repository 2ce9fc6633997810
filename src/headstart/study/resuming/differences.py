"""How two studies differ, as data: key by key, not line by line."""

from collections.abc import Iterator, Mapping
from typing import Any

from headstart.wording.phrases import some

MOST = 3
"""Differences that one line tells."""

OF_NO_RUN = (
    "name",
    "title",
    "preset",
    "target_accuracy",
    "margins",
    "data_mib",
    "keep_weights",
)
"""Keys that change no run."""


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """What differs between the study in a folder and this one, in the words of one line.

    >>> differences({"rounds": 40, "every": 5}, {"rounds": 20, "every": 5})
    'rounds: there 40, here 20'
    >>> differences({"probes": ["a"]}, {"probes": ["a", "b"], "tuning": {"trials": 3}})
    'tuning: only here; probes: here also b'
    >>> differences({"seeds": {"until": "decided"}}, {"seeds": [0, 1]})
    'seeds: there until decided, here [0, 1]'
    """
    told: list[str] = []
    for key in {**there, **here}:
        if key not in OF_NO_RUN:
            told += _of(key, there, here)
    told.sort(key=lambda each: "here also" in each)  # what was added is rarely what is wrong
    more = f"; and {len(told) - MOST} more" if len(told) > MOST else ""
    return "; ".join(told[:MOST]) + more or "in what no key says"


def _of(
    key: str, there: Mapping[str, Any], here: Mapping[str, Any], above: str = ""
) -> Iterator[str]:
    a, b, name = there.get(key), here.get(key), above + key
    if a == b:
        return
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        for inner in {**a, **b}:
            yield from _of(inner, a, b, f"{name}.")
    elif isinstance(a, list) and isinstance(b, list):
        yield from _of_lists(name, a, b)
    elif isinstance(a, list | Mapping) and b is None:
        yield f"{name}: only there"
    elif isinstance(b, list | Mapping) and a is None:
        yield f"{name}: only here"
    else:
        yield f"{name}: there {_shown(a)}, here {_shown(b)}"


def _of_lists(name: str, there: list[Any], here: list[Any]) -> Iterator[str]:
    gone, new = [x for x in there if x not in here], [x for x in here if x not in there]
    if gone and new and len(there) == len(here) == 1:
        yield f"{name}: there {_shown(there[0])}, here {_shown(here[0])}"
    else:
        if gone:
            yield f"{name}: there also {some([*map(_shown, gone)], MOST)}"
        if new:
            yield f"{name}: here also {some([*map(_shown, new)], MOST)}"
    if not gone and not new:
        yield f"{name}: in another order"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return "nothing" if value is None else str(value)
