"""What speaks against the paper, asked of the published tables: docs/contrary.md.

    python benchmarks/contrary.py docs/results/* --into docs/contrary.md

It reads what `recount.py` reads, imports nothing of Headstart, and writes the tables between the
page's markers. Folders without tables are left out.
"""

import argparse
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from published_study import IID, BySeed, Estimate, Pair, Place, Study, family, interval, paired

BEGIN, END = "<!-- begin contrary.py: {} -->", "<!-- end contrary.py -->"
NEAR = 0.005
"""An accuracy this close to the last one counts as there: half a point."""


class Asked(NamedTuple):
    """A published study, the start that is held against its first,
    and the pair that is looked at.
    """

    name: str
    study: Study
    first: str
    other: str
    pair: Pair

    def place(self, start: str, partition: str | None = None) -> Place:
        """The runs of the pair from a start, in the usual setting or with another partition."""
        base = self.study.base
        return start, self.pair, base if partition is None else (partition, *base[1:])


def asked(folder: Path) -> Asked | None:
    """FedAdam with SGD clients where it was run, as in the paper, else the best pair."""
    study = Study(folder)
    between = study.between()
    if between is None:
        return None
    plain = [pair for pair in study.pairs() if tuple(map(family, pair)) == ("sgd", "adam")]
    pair = plain[0] if plain else study.best(between[1])
    return Asked(folder.name, study, *between, pair) if pair else None


def drift(a: Asked) -> list[str] | None:
    """Drift or aggregation: ratios of means over rounds, the other start to the first."""
    cells = [a.name]
    for metric in ("local_drift", "client_spread", "aggregate_noise"):
        both = [a.study.over_rounds(a.place(start), metric) for start in (a.other, a.first)]
        logs = [{seed: math.log(x) for seed, x in each.items() if x > 0} for each in both]
        ratio = paired(*logs)
        if ratio is None:
            return None
        cells.append(_shown(ratio, math.exp, "{:.2f}"))
    return cells


def skew(a: Asked) -> list[str] | None:
    """What skewed clients cost from each start: accuracy on IID ones less accuracy as it is."""
    if a.place(a.other, IID) not in a.study.cells or a.study.base[0] == IID:
        return None
    cells = [a.name]
    for start in (a.first, a.other):
        even = a.study.accuracy(a.place(start, IID))
        lost = paired(even, a.study.accuracy(a.place(start)))
        if lost is None:
            return None
        cells.append(_shown(lost, _points, "{:+.1f}"))
    return cells


def rounds(a: Asked) -> list[str] | None:
    """How soon a start is where it ends, and what is left to gain after the first rounds."""
    cells, every = [a.name], ""
    for start in (a.first, a.other):
        left, near = {}, {}
        for run in a.study.cells[a.place(start)]:
            curve = a.study.curve(run, "test_accuracy")
            if len(curve) < 3:
                return None
            every, last = str(curve[1][0]), curve[-1][1]
            left[run["seed"]] = last - curve[1][1]
            near[run["seed"]] = float(next(at for at, x in curve if x >= last - NEAR))
        cells += [
            _shown(interval(left.values()), _points, "{:+.1f}"),
            f"{np.median(list(near.values())):.0f}",
        ]
    return [cells[0], every, *cells[1:]]


def worst(a: Asked) -> list[str] | None:
    """Accuracy of the tenth of clients that are served worst, and how many are worse off."""
    ends = []
    for start in (a.first, a.other):
        runs = a.study.cells[a.place(start)]
        ends.append({run["seed"]: a.study.clients.get(run["run"], {}) for run in runs})
    seeds = sorted(seed for seed in ends[0].keys() & ends[1].keys() if ends[0][seed])
    if not seeds:
        return None
    tenths: list[BySeed] = []
    for end in ends:
        tenths.append({seed: float(np.quantile(list(end[seed].values()), 0.1)) for seed in seeds})
    harmed = []
    for seed in seeds:
        shared = ends[0][seed].keys() & ends[1][seed].keys()
        harmed.append(float(np.mean([ends[1][seed][c] < ends[0][seed][c] for c in shared])))
    gained = paired(tenths[1], tenths[0])
    if gained is None:
        return None
    shown = [_shown(interval(each.values()), _points, "{:.1f}") for each in tenths]
    share = _shown(interval(harmed), _points, "{:.0f}")
    return [a.name, *shown, _shown(gained, _points, "{:+.1f}"), share]


class Section(NamedTuple):
    """A table of the page: its columns, and what a study has to say in it."""

    columns: Sequence[str]
    row: Callable[[Asked], list[str] | None]


SECTIONS: Mapping[str, Section] = {
    "drift": Section(
        ["study", "local drift", "spread of clients", "noise of the aggregate"], drift
    ),
    "skew": Section(["study", "cost from random weights", "cost from pre-trained ones"], skew),
    "rounds": Section(
        [
            "study",
            "first measured after",
            "random: still to gain",
            "rounds",
            "pre-trained: still to gain",
            "rounds",
        ],
        rounds,
    ),
    "worst": Section(
        [
            "study",
            "worst tenth, random",
            "worst tenth, pre-trained",
            "gain",
            "% of clients worse off",
        ],
        worst,
    ),
}


def table(section: Section, studies: Sequence[Asked]) -> str:
    """One section in Markdown."""
    rows = [row for row in map(section.row, studies) if row is not None]
    if not rows:
        return "No study that was published with its tables asks this yet."
    lines = [section.columns, ["---"] * len(section.columns), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def filled(page: str, studies: Sequence[Asked]) -> str:
    """The page with its tables written anew, and all else as it was."""
    for name, section in SECTIONS.items():
        before, begin, rest = page.partition(BEGIN.format(name) + "\n")
        _, end, after = rest.partition(END)
        page = f"{before}{begin}{table(section, studies)}\n{end}{after}"
    return page


def _points(value: float) -> float:
    return 100 * value


def _shown(e: Estimate, unit: Callable[[float], float], form: str) -> str:
    value = form.format(unit(e.value))
    if e.low is None or e.high is None:
        return value
    return f"{value} \\[{form.format(unit(e.low))}, {form.format(unit(e.high))}\\]"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--into", type=Path, required=True)
    arguments = parser.parse_args()
    published = [each for each in arguments.folders if (each / "results/runs.parquet").exists()]
    studies = [found for found in map(asked, sorted(published)) if found is not None]
    arguments.into.write_text(filled(arguments.into.read_text(), studies))


if __name__ == "__main__":
    main()
