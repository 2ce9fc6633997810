"""How often a verdict is true of other rows than the ones that it was judged on.

Two starts A and B are models of one law, each from a sample of its own. A study trains both a
little on a table of the same law, with fresh draws for each seed, and judges them on the test rows
of that table: the same ones for every seed. What its bounds claim is held against 50,000 further
rows, before and with what `headstart.statistics.rows` says of other rows.
"""

import argparse
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headstart.statistics.joint.decisions import Accuracies, decide
from headstart.statistics.joint.sequential import one_look
from headstart.statistics.rows import moved_at_most

Floats = NDArray[np.float64]

INPUTS, FEATURES, SAMPLE, TRAINING, TAKEN, FURTHER = 6, 40, 1500, 800, 100, 50_000
MARGIN = 0.005


@dataclass(frozen=True)
class Law:
    """Inputs, their features, and the answer that is more likely than not."""

    truth: Floats
    weights: Floats
    features: Floats

    def rows(self, number: int, draw: np.random.Generator) -> tuple[Floats, Floats]:
        """Features and answers, 1 or -1."""
        inputs = draw.standard_normal((number, INPUTS))
        score = np.tanh(inputs @ self.truth) @ self.weights
        answers = np.where(score + draw.logistic(scale=0.6, size=number) > 0, 1.0, -1.0)
        return np.tanh(inputs @ self.features), answers


def law(draw: np.random.Generator) -> Law:
    """A law, and the features that models of it have."""
    truth, weights = draw.standard_normal((INPUTS, 8)), draw.standard_normal(8)
    return Law(truth, weights, draw.standard_normal((INPUTS, FEATURES)))


def fitted(rows: Floats, answers: Floats) -> Floats:
    """The weights of least squares, drawn a little to 0."""
    return np.linalg.solve(rows.T @ rows + np.eye(FEATURES), rows.T @ answers)


def study(number: int, seeds: int, draw: np.random.Generator) -> tuple[Floats, Floats]:
    """Accuracies of both starts by seed, on the test rows and on further rows [2, seeds]."""
    of = law(draw)
    rows, answers = of.rows(TRAINING, draw)
    test, further = of.rows(number, draw), of.rows(FURTHER, draw)
    seen, true = np.empty((2, seeds)), np.empty((2, seeds))
    for start in range(2):
        before, known = of.rows(SAMPLE, draw)
        for seed in range(seeds):
            taken = draw.choice(TRAINING, TAKEN, replace=False)
            weights = fitted(
                np.concatenate([before, rows[taken]]), np.concatenate([known, answers[taken]])
            )
            for where, (inputs, right) in ((seen, test), (true, further)):
                where[start, seed] = np.mean(np.sign(inputs @ weights) == right)
    return seen, true


def shares(number: int, seeds: int, studies: int) -> list[float]:
    """Of the studies: how often the interval misses what is so of other rows; how often a start is
    ahead; of these how often no lead or the contrary is so of other rows, and how often it is said
    that other rows could undo it; and how often the lead is off by more than is said.
    """
    draw = np.random.default_rng([number, seeds])
    misses, ahead, false, warned, off = [], [], [], [], []
    for _ in range(studies):
        seen, true = study(number, seeds, draw)
        (last,) = decide(Accuracies(seen[:, None], 1 / number), one_look(seeds), MARGIN)
        lead = float(true[0].mean() - true[1].mean())
        bounds = last.starts[0, 1]
        could_move = moved_at_most(seen[0].mean(), seen[1].mean(), number)
        misses.append(not bounds.low <= lead <= bounds.high)
        off.append(abs(bounds.value - lead) > could_move)
        ahead.append(bool(last.behind))
        if last.behind:
            false.append(bounds.value * lead <= 0)
            warned.append(abs(bounds.value) < could_move)
    found = [float(np.mean(each)) if each else np.nan for each in (misses, ahead, false, warned)]
    undone = [w for w, is_false in zip(warned, false, strict=True) if is_false]
    return [*found, float(np.mean(undone)) if undone else np.nan, float(np.mean(off))]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 15])
    parser.add_argument("--rows", type=int, nargs="+", default=[200, 1000, 5000])
    asked = parser.parse_args()
    print(
        "| test rows | seeds | misses other rows | ahead | not so | said | said of those | "
        "off by more |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for rows in asked.rows:
        for seeds in asked.seeds:
            found = shares(rows, seeds, asked.studies)
            print(f"| {rows:,} | {seeds} | {' | '.join(f'{100 * each:.1f}' for each in found)} |")
