"""What starts are called that a study file does not name: as little as tells them apart."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from headstart.looks.competitors import family
from headstart.report.words.written_parts import FILE, arguments


def start_names(written: Iterable[str]) -> dict[str, str]:
    """What each start is called: its kind where it is the only one of it, else its kind with the
    parameters in which it differs; where that is the file alone, the file's name.

    >>> list(start_names(["random", "checkpoint(path='nets/a.pt')"]).values())
    ['random', 'checkpoint']
    >>> two = ["checkpoint(path='nets/a.pt', head='new')", "checkpoint(path='b.pt', head='new')"]
    >>> list(start_names(two).values())
    ['a.pt', 'b.pt']
    >>> list(start_names(["proxy", "proxy(epochs=3, rows=9)", "proxy(epochs=5, rows=9)"]).values())
    ['proxy', 'proxy(epochs=3, rows=9)', 'proxy(epochs=5, rows=9)']
    """
    by_kind: defaultdict[str, list[str]] = defaultdict(list)
    for name in dict.fromkeys(written):
        by_kind[family(name)].append(name)
    found: dict[str, str] = {}
    for kind, alike in by_kind.items():
        found |= {alike[0]: kind} if len(alike) == 1 else _apart(kind, alike)
    called = list(found.values())
    return {name: brief if called.count(brief) == 1 else name for name, brief in found.items()}


def _apart(kind: str, names: Sequence[str]) -> dict[str, str]:
    """Starts of one kind by what differs; as they are written where they have no parameters that
    can be read.
    """
    given = {name: arguments(name) for name in names}
    differing, keys = [], dict.fromkeys(itertools.chain.from_iterable(given.values()))
    for key in keys:
        if any(each.get(key) != given[names[0]].get(key) for each in given.values()):
            differing.append(key)
    if differing == [FILE]:
        return _files({name: str(each.get(FILE, "")) for name, each in given.items()})
    found = {}
    for name, each in given.items():
        told = [f"{key}={each[key]!r}" for key in differing if key in each]
        found[name] = f"{kind}({', '.join(told)})" if told else name
    return found


def _files(paths: dict[str, str]) -> dict[str, str]:
    """Files by their names, with as many of their folders as tell them apart."""
    parts = {name: PurePosixPath(path).parts for name, path in paths.items()}
    for depth in range(1, max(map(len, parts.values())) + 1):
        found = {name: "/".join(each[-depth:]) for name, each in parts.items()}
        if len(set(found.values())) == len(found):
            return found
    return {name: name for name in paths}
