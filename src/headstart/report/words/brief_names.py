"""Names in few letters, where a sentence or a figure has no room for more."""

from collections.abc import Sequence

from headstart.looks.competitors import family

CUT = "\u2026"

LEAST = 6
"""Letters that are left of what differs."""


def cut_in_the_middle(name: str, limit: int) -> str:
    """The name in so many letters, its end kept: there names of files differ most.

    >>> cut_in_the_middle("checkpoint(path='nets/letters.pt')", 21), cut_in_the_middle("hub", 21)
    ("checkpoint\u2026tters.pt')", 'hub')
    """
    if len(name) <= limit:
        return name
    end = limit // 2
    return f"{name[: limit - 1 - end]}{CUT}{name[-end:]}"


def brief_names(names: Sequence[str], limit: int) -> dict[str, str]:
    """Each name in so many letters, no two of them alike.

    They are cut in the middle, or where they would then be alike, before they begin to differ, or
    else numbered.

    >>> list(brief_names(["hub", "proxy(epochs=10, task='digits')"], 12).values())
    ['hub', "proxy\u2026gits')"]
    >>> nets = ["file(path='letters-2024.pt')", "file(path='digits-2024.pt')"]
    >>> list(brief_names(nets, 16).values())
    ['file(\u2026letters-2\u2026', 'file(\u2026digits-20\u2026']
    """
    in_the_middle = {name: cut_in_the_middle(name, limit) for name in names}
    apart = {name: _where_they_differ(name, names, limit) for name in names}
    for brief in (in_the_middle, apart):
        if len(set(brief.values())) == len(brief):
            return brief
    numbered = {}
    for i, name in enumerate(names, 1):
        numbered[name] = name if len(name) <= limit else f"{family(name)[: limit - 4]} {i}"
    return numbered


def _where_they_differ(name: str, names: Sequence[str], limit: int) -> str:
    """The kind of a part, and its parameters from where they begin to differ."""
    alike = [other for other in names if family(other) == family(name)]
    if len(name) <= limit or len(alike) == 1:
        return cut_in_the_middle(name, limit)
    head = f"{family(name)}({CUT}"
    least, most, same = min(alike), max(alike), 0
    while least[same : same + 1] == most[same : same + 1]:
        same += 1
    rest = name[same:]
    if limit - len(head) < LEAST:
        head = CUT
    room = limit - len(head)
    return head + (rest if len(rest) <= room else f"{rest[: room - 1]}{CUT}")
