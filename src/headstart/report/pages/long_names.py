"""Names in a sentence: those that are too long are cut in the middle, and shown whole where a
pointer rests on them; starts of several words are set apart from the words around them.
"""

import re
from collections.abc import Callable, Iterable

from markupsafe import Markup, escape

from headstart.report.runs.grid import Grid
from headstart.report.words.brief_names import brief_names, cut_in_the_middle
from headstart.report.words.methods import method
from headstart.report.words.remarks import capital

LONGEST_START, LONGEST_METHOD = 28, 48
"""Letters that a name may have in a sentence."""

Shorten = Callable[[object], Markup]


def shortening(grids: Iterable[Grid]) -> Shorten:
    """Returns what makes a sentence into markup in which the long names of some studies are cut."""
    brief: dict[str, str] = {}
    of_words: set[str] = set()
    for grid in grids:
        of_words |= {*grid.starts, *map(capital, grid.starts)}
        for start, short in brief_names(grid.starts, LONGEST_START).items():
            brief |= {start: short, capital(start): capital(short)}
        for pair, _ in grid.places():
            brief[method(pair)] = cut_in_the_middle(method(pair), LONGEST_METHOD)
    cut: dict[str, str] = {}
    for name, short in brief.items():
        if name != short or (" " in name and name in of_words):
            cut[str(escape(name))] = str(escape(short))
    longest_first = sorted(cut, key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def shorten(text: object) -> Markup:
        def with_title(found: re.Match[str]) -> str:
            if cut[found[0]] == found[0]:
                return f"<i>{found[0]}</i>"
            return f'<abbr title="{found[0]}">{cut[found[0]]}</abbr>'

        return Markup(pattern.sub(with_title, str(escape(text))))

    return shorten
