"""How far another draw of test rows could move the difference of two accuracies.

Two models are judged on the same N rows, and one of them is right and the other wrong on a share D
of these. The difference d of their accuracies is the mean over rows of a value that is 1, 0 or -1,
with the variance D - d^2. So another draw of as many rows moves it by at most
1.96 sqrt((D - d^2) / N) in 95 % of draws (McNemar, Psychometrika 12 (1947), whose test has the same
D).

Where it was not kept which rows each model gets right, D is not known. It is at most

    D = p (1 - q) + q (1 - p)

where both are no less often right together than if they were so independently of each other, as two
models of one task are: some rows are hard for both. Means over seeds move less than single models.
"""

import math

from scipy import special

from headstart.statistics.intervals import LEVEL


def moved_at_most(one: float, other: float, rows: int) -> float:
    """By how much another draw of as many rows could move the difference of two accuracies.

    Args:
        one: an accuracy, as a share.
        other: that of another model on the same rows.
        rows: how many they are, each drawn independently of the others.

    >>> round(moved_at_most(0.87, 0.85, 200), 3), round(moved_at_most(0.87, 0.85, 20_000), 4)
    (0.068, 0.0068)
    """
    differ = one * (1 - other) + other * (1 - one)
    variance = max(differ - (one - other) ** 2, 0.0)
    return float(special.ndtri(0.5 + LEVEL / 2)) * math.sqrt(variance / rows)
