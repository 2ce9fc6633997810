"""How often a study claims what is false, and how many seeds it takes to claim what is true.

Each cell simulates studies through `headstart.statistics.joint.claims` and reads the claims of
every look: a study errs where what it claims at any of them is false, as somebody may have stopped
there, also where a later look takes it back. A claim is false where a start is called ahead that is
not, or no worse than one that is better by more than the margin; where a pair is called good that
loses more than the margin; where a pair is called worse and none is better.

`--studies 4000` is the full table, `--studies 200` a quick one. Results are added to a JSON file,
so that a run which is stopped goes on; `--print` prints what it holds.
"""

import argparse
import itertools
import json
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.claims import Claims, claims
from headstart.statistics.joint.sequential import LEVEL, Looks, grown, one_look, until_decided
from headstart.statistics.joint.winners import chances, luck

Floats = NDArray[np.float64]
CHUNK = 250
SEEDS = 20
STEP = 1 / 300
PLANS = {
    "3 to 20": until_decided(3, SEEDS),
    "3 to 10": until_decided(3, 10),
    "3": one_look(3),
    "5": one_look(5),
    "3, then 4 to 10": grown(one_look(3), tuple(range(4, 11))),
}
FIXED = Looks((SEEDS,), (LEVEL,))


@dataclass(frozen=True)
class Cell:
    """One kind of study. Spread is 1, and the margin is in units of it."""

    starts: int
    pairs: int
    noise: str
    plan: str = "3 to 20"
    truth: str = "equal"
    margin: float = 0.25

    @property
    def name(self) -> str:
        """As it stands in the file of results."""
        return (
            f"{self.starts} x {self.pairs}, {self.noise}, {self.plan}, {self.truth}, "
            f"{self.margin:g}"
        )


NOISES = (
    *(
        "normal",
        "exponential",
        "lognormal",
        "t3",
        "steps of 2 sd",
        "steps of 1 sd",
        "steps of half a sd",
    ),
    *("unequal", "one in ten unequal", "starts unequal", "collapses"),
    *("still normal", "still exponential", "still lognormal", "still collapses"),
)
"""Of a cell. Still: the first start does not vary."""


MAIN = (
    "normal",
    "exponential",
    "t3",
    "steps of half a sd",
    "unequal",
    "still exponential",
    "still collapses",
)
"""Of cells of more starts or pairs, which take long."""


def cells() -> list[Cell]:
    """All cells, the quick ones first."""
    found = []
    for pairs, starts in itertools.product((1, 4, 12), (2, 3, 6)):
        large = (starts, pairs) not in ((2, 1), (2, 4))
        found += [Cell(starts, pairs, noise) for noise in (MAIN if large else NOISES)]
        found += [
            Cell(starts, pairs, noise, truth="edge")
            for noise in ("normal", "unequal", "still exponential")
        ]
        for noise, plan in itertools.product(
            ("normal", "still exponential"), () if large else list(PLANS)[1:]
        ):
            found.append(Cell(starts, pairs, noise, plan))
        if not large:
            found.append(Cell(starts, pairs, "still exponential", "3 to 10", "edge"))
    return sorted(found, key=lambda cell: (cell.starts * cell.pairs) ** 2)


def draws(cell: Cell, generator: np.random.Generator, studies: int, seeds: int) -> Floats:
    """Noise [studies, A, P, N] of mean 0."""
    shape = (studies, cell.starts, cell.pairs, seeds)
    kind = cell.noise.removeprefix("still ")
    if kind == "exponential":
        noise = 1 - generator.exponential(size=shape)
    elif kind == "lognormal":
        noise = 1 - generator.lognormal(-0.125, 0.5, size=shape)
        noise /= np.sqrt(np.expm1(0.25))
    elif kind == "t3":
        noise = generator.standard_t(3, size=shape) / 3**0.5
    else:
        noise = generator.standard_normal(shape)
    if kind == "unequal":
        noise *= 10 ** generator.uniform(size=(studies, cell.starts, cell.pairs, 1))
    if kind == "one in ten unequal":
        noise *= np.where(
            generator.uniform(size=(studies, cell.starts, cell.pairs, 1)) < 0.1, 10.0, 1.0
        )
    if kind == "starts unequal":
        noise[:, 1:] *= 10.0
    if kind == "collapses":
        noise += COLLAPSE * (0.1 - (generator.uniform(size=shape) < 0.1))
    if cell.noise.startswith("still"):
        noise[:, 0] = 0.0
    return noise


COLLAPSE = 10.0
"""By how many standard deviations a run is lower that collapses."""


def truth(cell: Cell) -> Floats:
    """What is true of each cell [A, P]: all equal, or one better by just more than the margin."""
    true = np.zeros((cell.starts, cell.pairs))
    if cell.truth == "edge":
        true[:, 0] += cell.margin * (1 + 1e-9)
        true[0] += cell.margin * (1 + 1e-9)
    return true


def false_claims(found: Claims, true: Floats) -> dict[str, NDArray[np.bool_]]:
    """Whether each study claims what is false: of starts, and of pairs."""
    tops = true.max(axis=1)
    lead = tops[:, None] - tops[None, :]
    apart = ~np.eye(len(tops), dtype=bool)
    starts = (found.ahead & apart & (lead <= 0)) | (found.no_worse & apart & (-lead > found.margin))
    loss = tops[:, None] - true
    pairs = (found.good & (loss > found.margin)) | (found.worse & (loss <= 0))
    return {"starts": starts.any(axis=(1, 2)), "pairs": pairs.any(axis=(1, 2))}


def error_rates(cell: Cell, studies: int) -> dict[str, float]:
    """The share of studies of a cell with a false claim, at any look."""
    generator = _generator(cell.name)
    looks, true, wrong = PLANS[cell.plan], truth(cell), []
    step = STEP if cell.noise.startswith("steps") else 0.0
    scale = step * {"steps of 2 sd": 0.5, "steps of 1 sd": 1.0, "steps of half a sd": 2.0}.get(
        cell.noise, 1.0
    )
    for _ in range(0, studies, CHUNK):
        values = true[..., None] + draws(cell, generator, CHUNK, looks.seeds[-1])
        margin = cell.margin
        if step:
            values = (
                np.round((0.5 + scale * (values + generator.uniform(size=(CHUNK, 1, 1, 1)))) / step)
                * step
            )
            margin *= scale
        at_looks = [false_claims(found, true) for found in claims(values, looks, margin, step)]
        starts, pairs = (
            np.any([found[kind] for found in at_looks], axis=0) for kind in ("starts", "pairs")
        )
        wrong.append([starts, pairs, starts | pairs])
    shares = np.concatenate(wrong, axis=1).mean(axis=1)
    return dict(zip(("starts", "pairs", "either"), shares.round(5).tolist(), strict=True))


def power(
    difference: float, starts: int, pairs: int, margin: float, studies: int
) -> dict[str, float]:
    """Seeds until it is decided where to begin, and how often it is found that the first start is
    ahead.

    The first is better by this many standard deviations of the difference.
    """
    generator = _generator(f"{difference} {starts} {pairs}")
    looks = PLANS["3 to 20"]
    seeds, right, ahead, fixed_right, fixed = [], [], [], [], []
    till_hopeless, still_right = [], []
    for _ in range(0, studies, CHUNK):
        values = generator.standard_normal((CHUNK, starts, pairs, SEEDS))
        values[:, 0] += difference * 2**0.5
        at_looks = claims(values, looks, margin)
        decided = np.array([found.where for found in at_looks])
        first = np.where(decided.any(axis=0), decided.argmax(axis=0), len(looks.seeds) - 1)
        seeds += np.array(looks.seeds)[first].tolist()
        leaders = np.array([found.leader for found in at_looks])[first, np.arange(CHUNK)]
        right += (decided.any(axis=0) & (leaders == 0)).tolist()
        hopeless = np.array([found.hopeless for found in at_looks]) & ~decided
        given_up = np.where(hopeless.any(axis=0), hopeless.argmax(axis=0), len(looks.seeds) - 1)
        till_hopeless += np.array(looks.seeds)[np.minimum(first, given_up)].tolist()
        still_right += (decided.any(axis=0) & (leaders == 0) & (first <= given_up)).tolist()
        ahead += np.any([found.ahead[:, 0, 1:].all(axis=1) for found in at_looks], axis=0).tolist()
        at_end = claims(values, FIXED, margin)[-1]
        fixed_right += (at_end.where & (at_end.leader == 0)).tolist()
        fixed += at_end.ahead[:, 0, 1:].all(axis=1).tolist()
    shares = np.mean(
        [
            np.divide(seeds, SEEDS),
            right,
            fixed_right,
            ahead,
            fixed,
            np.divide(till_hopeless, SEEDS),
            still_right,
        ],
        axis=1,
    )
    names = (
        "seeds",
        "decided",
        "decided by 20",
        "ahead",
        "ahead by 20",
        "seeds or hopeless",
        "decided so",
    )
    return dict(zip(names, shares.round(4).tolist(), strict=True))


def winners(pairs: int, seeds: int, spread: str, studies: int) -> dict[str, float]:
    """How much too high the highest mean of two starts is, in points, where nothing differs and the
    standard deviation is 2 points; or where it is .3 for every other pair and 11 for the rest. Less
    the luck that is said beside it; and the chance to be best that it is given.
    """
    generator = _generator(f"winners {pairs} {seeds}")
    values = generator.standard_normal((studies, 2 * pairs, seeds))
    values *= 2.0 if spread == "even" else np.where(np.arange(2 * pairs) % 2, 11.0, 0.3)[:, None]
    means = values.mean(axis=-1)
    leads = means.argmax(axis=1)
    tops = means.max(axis=1)
    by = np.array([luck(of_study)[first] for of_study, first in zip(values, leads, strict=True)])
    best = [chances(of_study[:pairs]).max() for of_study in values[:500]]
    steady = np.full(studies, spread == "even") | (leads % 2 == 0)
    return {
        "mean": float(tops.mean()),
        "less luck": float((tops - by).mean()),
        "rms of the mean": float(np.sqrt((tops**2).mean())),
        "luck of a steady one": float(by[steady].mean()) if steady.any() else 0.0,
        "chance": float(np.mean(best)),
    }


def tables(known: dict[str, Any]) -> str:
    """What the file holds, as the tables of docs/trust.md."""
    sizes = [f"{starts} x {pairs}" for pairs, starts in itertools.product((1, 4, 12), (2, 3, 6))]
    sizes = [size for size in sizes if any(name.startswith(f"{size}, ") for name in known)]
    rows: dict[str, dict[str, str]] = {}
    studies: dict[str, str] = {}
    for name, row in known.items():
        size, _, rest = name.partition(", ")
        if "either" in row:
            rows.setdefault(rest.removesuffix(", 0.25"), {})[size] = f"{100 * row['either']:.1f}"
            studies[size] = f"{row['studies']:,}"
    lines = [f"| noise, looks, truth | {' | '.join(sizes)} |", "|---|" + "---:|" * len(sizes)]
    for rest, row in {"studies": studies, **rows}.items():
        lines.append(f"| {rest} | " + " | ".join(row.get(size, "") for size in sizes) + " |")
    for kind in ("power", "winners"):
        of_kind = {
            name.removeprefix(kind): row for name, row in known.items() if name.startswith(kind)
        }
        columns = list(next(iter(of_kind.values()))) if of_kind else []
        lines += ["", f"| {kind} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
        for name, row in of_kind.items():
            lines.append(
                f"| {name.strip()} | " + " | ".join(_written(row[key]) for key in columns) + " |"
            )
    return "\n".join(lines)


def _written(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _generator(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))


def main() -> None:
    """Simulate what the file does not hold yet."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--into", type=Path, default=Path("trust.json"))
    parser.add_argument("--only", default="", help="only cells whose name has this")
    parser.add_argument("--print", action="store_true", dest="printed")
    arguments = parser.parse_args()
    known: dict[str, Any] = (
        json.loads(arguments.into.read_text()) if arguments.into.exists() else {}
    )
    if arguments.printed:
        print(tables(known))
        return
    tasks: dict[str, Any] = {}
    for spread, pairs, seeds in itertools.product(("even", "uneven"), (1, 4, 12), (3, 5, 10)):
        tasks[f"winners {pairs} at {seeds}, {spread}"] = (winners, pairs, seeds, spread)
    for cell in cells():
        tasks[cell.name] = (error_rates, cell)
    for (starts, pairs), margin in itertools.product(((2, 1), (2, 4), (2, 12)), (0.0, 0.25)):
        for difference in (2.0, 1.0, 0.5, 0.0):
            name = f"power {difference:g}, {starts} x {pairs}, margin {margin:g}"
            tasks[name] = (power, difference, starts, pairs, margin)
    for name, (function, *given) in tasks.items():
        if arguments.only in name and name not in known:
            began = time.monotonic()
            known[name] = {"studies": arguments.studies, **function(*given, arguments.studies)}
            arguments.into.write_text(json.dumps(known, indent=0))
            print(name, known[name], f"{time.monotonic() - began:.1f} s", flush=True)


if __name__ == "__main__":
    main()
