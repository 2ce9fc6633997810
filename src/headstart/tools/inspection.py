"""What a partition of rows over clients looks like: how large clients are, and how far their labels
are from the whole's.

Shape suffixes: N rows, K clients, C classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
SATURATED = 0.5
"""A skew that is this large by chance alone, of at most 1, has little room to show another."""
DEALS, ROWS_DEALT = 20, 4_000_000
"""So many times the labels are dealt at random, fewer where there are so many rows that it would
take long.
"""
QUANTILES = {
    "min": 0.0,
    "5%": 0.05,
    "25%": 0.25,
    "median": 0.5,
    "75%": 0.75,
    "95%": 0.95,
    "max": 1.0,
}


@dataclass(frozen=True)
class Inspection:
    """Measures of one partition.

    sizes_K: rows of each client; counts_KC: its rows of each class, none where targets are no
    classes. variation_K: the total variation distance of its label mix q to that of all rows p, 1/2
    sum_c |q_c - p_c|. dealt_K: the same for clients of these sizes with the labels dealt at random,
    once: what size alone explains. likeness: how many times as often two rows of one client have
    the same label as two of all rows; 1 on average where labels are dealt at random, however few
    rows a client has. None where no client has two rows, or no label. likeness_dealt: the same
    where labels are dealt at random, some times. notes: what is to be known of how the rows were
    read.
    """

    name: str
    classes: tuple[str, ...]
    sizes_K: Ints
    counts_KC: Ints | None
    variation_K: Floats | None
    dealt_K: Floats | None
    likeness: float | None = None
    likeness_dealt: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def saturated(self) -> bool:
        """Whether clients have so few rows for so many labels that their mixes are far from the
        whole's anyhow.
        """
        return self.dealt_K is not None and bool(self.dealt_K.mean() > SATURATED)

    @property
    def gini(self) -> float:
        """The Gini coefficient of sizes: 0 where all are equal, towards 1 where one client has all
        rows.
        """
        return gini(self.sizes_K)

    @property
    def labels_held(self) -> Ints | None:
        """How many different labels each client has."""
        return None if self.counts_KC is None else np.asarray((self.counts_KC > 0).sum(1))

    @property
    def clients_holding(self) -> Ints | None:
        """How many clients have each label."""
        return None if self.counts_KC is None else np.asarray((self.counts_KC > 0).sum(0))

    def as_json(self) -> dict[str, Any]:
        """The measures as plain numbers and lists."""
        found: dict[str, Any] = {
            "partition": self.name,
            "clients": len(self.sizes_K),
            "rows": int(self.sizes_K.sum()),
            "sizes": {**_summary(self.sizes_K), "gini": self.gini},
        }
        if self.notes:
            found["notes"] = list(self.notes)
        if self.variation_K is None or self.dealt_K is None or self.counts_KC is None:
            return found
        labels_K, clients_C = (self.counts_KC > 0).sum(1), (self.counts_KC > 0).sum(0)
        rows_C = self.counts_KC.sum(0)
        per_label = []
        for label, rows, clients in zip(self.classes, rows_C, clients_C, strict=True):
            per_label.append({"label": label, "rows": int(rows), "clients": int(clients)})
        return {
            **found,
            "total_variation": _summary(self.variation_K),
            "earth_movers_distance": _summary(2 * self.variation_K),
            "total_variation_if_dealt_at_random": _summary(self.dealt_K),
            "saturated": self.saturated,
            "likeness": self.likeness,
            "likeness_if_dealt_at_random": list(self.likeness_dealt),
            "labels_per_client": _summary(labels_K),
            "per_label": per_label,
        }


def inspect(
    name: str,
    sizes_K: Ints,
    rows_N: Ints,
    labels: Ints | None,
    classes: Sequence[str],
    draw: np.random.Generator,
    notes: Sequence[str] = (),
) -> Inspection:
    """Measure a partition.

    Args:
        name: what it is called in tables and pictures.
        sizes_K: rows of each client, at least 1 each.
        rows_N: the rows of client 0, then those of client 1, ...
        labels: the class of each row, 0 to C - 1, or None where targets are no classes.
        classes: the names of the C classes.
        draw: deals the labels at random, for comparison.
        notes: what is to be known of how the rows were read.

    The earth mover's distance of Zhao et al. (arXiv 1806.00582, section 3.2) between the labels of
    a client and all of them is sum_c |q_c - p_c|: labels are names, any two of which are equally
    far, so it is twice the total variation.

    >>> found = inspect("by hand", np.array([2, 2]), np.arange(4), np.array([0, 0, 0, 1]), "ab",
    ...                 np.random.Generator(np.random.Philox(0)))
    >>> found.variation_K.tolist(), found.labels_held.tolist(), found.clients_holding.tolist()
    ([0.25, 0.25], [1, 2], [2, 1])
    """
    if labels is None:
        return Inspection(name, tuple(classes), sizes_K, None, None, None, notes=tuple(notes))
    owned_N = labels[rows_N]
    counts_KC = _counts(sizes_K, owned_N, len(classes))
    dealt_KC = _counts(sizes_K, draw.permutation(owned_N), len(classes))
    like = likeness(counts_KC)
    deals = max(2, min(DEALS, ROWS_DEALT // len(owned_N))) if like is not None else 0
    at_random = []
    for _ in range(deals):
        dealt = likeness(_counts(sizes_K, draw.permutation(owned_N), len(classes)))
        if dealt is not None:
            at_random.append(dealt)
    return Inspection(
        name,
        tuple(classes),
        sizes_K,
        counts_KC,
        _variation(counts_KC),
        _variation(dealt_KC),
        like,
        tuple(at_random),
        tuple(notes),
    )


def likeness(counts_KC: Ints) -> float | None:
    """How many times as often two rows of one client have the same label as two of all rows.

    sum_kc n_kc (n_kc - 1) / sum_k n_k (n_k - 1), over the same of all rows. Pairs are drawn without
    putting back, so that it is 1 on average for labels dealt at random, where the variation grows
    with fewer rows.

    >>> likeness(np.array([[2, 0], [0, 2]])), likeness(np.array([[1, 1], [1, 1]]))
    (3.0, 0.0)
    >>> likeness(np.array([[1, 0], [0, 1]])) is None
    True
    """
    sizes_K, rows_C = counts_KC.sum(1).astype(float), counts_KC.sum(0).astype(float)
    pairs, same = (sizes_K * (sizes_K - 1)).sum(), (rows_C * (rows_C - 1)).sum()
    if not pairs or not same:
        return None
    rows = sizes_K.sum()
    within = (counts_KC * (counts_KC - 1.0)).sum() / pairs
    return float(within / (same / (rows * (rows - 1))))


def gini(sizes_K: Ints) -> float:
    """sum_ij |n_i - n_j| / (2 K^2 mean(n)), from sorted sizes.

    >>> gini(np.array([3, 3, 3])), gini(np.array([0, 0, 0, 8]))
    (0.0, 0.75)
    """
    K, sorted_K = len(sizes_K), np.sort(sizes_K)
    return float(((2 * np.arange(1, K + 1) - K - 1) * sorted_K).sum() / (K * sorted_K.sum()))


def quantiles(values: npt.NDArray[Any]) -> dict[str, float]:
    """The quantiles that tables show."""
    return dict(zip(QUANTILES, np.quantile(values, list(QUANTILES.values())).tolist(), strict=True))


def _summary(values: npt.NDArray[Any]) -> dict[str, float]:
    """The quantiles and the mean."""
    return {**quantiles(values), "mean": float(values.mean())}


def lines(found: Inspection) -> list[str]:
    """The measures as a table to read."""
    rows = [("", *QUANTILES, "mean"), ("rows of a client", *_row(found.sizes_K, "{:.4g}"))]
    if (
        found.variation_K is not None
        and found.dealt_K is not None
        and found.labels_held is not None
    ):
        rows += [
            ("labels of a client", *_row(found.labels_held, "{:.3g}")),
            ("label skew (total variation)", *_row(found.variation_K, "{:.3f}")),
            ("  if dealt at random", *_row(found.dealt_K, "{:.3f}")),
            ("earth mover's distance (twice)", *_row(2 * found.variation_K, "{:.3f}")),
        ]
    text = [f"{name:<31}" + ("{:>8}" * len(cells)).format(*cells) for name, *cells in rows]
    head = (
        f"{found.name}: {len(found.sizes_K)} clients, {found.sizes_K.sum()} rows, Gini of sizes "
        f"{found.gini:.3f}"
    )
    head_and_notes = [head, *map("  {}".format, found.notes)]
    if found.counts_KC is None or found.clients_holding is None:
        return [*head_and_notes, *text, "  no label skew: targets are no classes"]
    text += _likeness_lines(found)
    clients_C, rows_C = found.clients_holding, found.counts_KC.sum(0)
    if len(found.classes) > 20:
        rarest, widest = int(clients_C.argmin()), int(clients_C.argmax())
        text.append(
            f"rarest: {_short(found.classes[rarest])}, {clients_C[rarest]} clients; "
            f"widest: {_short(found.classes[widest])}, {clients_C[widest]} clients"
        )
        return [*head_and_notes, *text]
    for label, label_rows, clients in zip(found.classes, rows_C, clients_C, strict=True):
        text.append(f"{_short(label):<16} {label_rows:>9} rows {clients:>8} clients")
    return [*head_and_notes, *text]


def _likeness_lines(found: Inspection) -> list[str]:
    made = []
    if found.likeness is not None and found.likeness_dealt:
        low, high = min(found.likeness_dealt), max(found.likeness_dealt)
        made.append(
            f"two rows of a client have the same label {found.likeness:.2f} times as often as two "
            f"of all rows (dealt at random: {low:.2f} to {high:.2f})"
        )
    if found.saturated and found.dealt_K is not None:
        advice = "; go by the line above" if made else ""
        made.append(
            "  note: clients have few rows for so many labels: dealt at random their skew is "
            f"{found.dealt_K.mean():.3f} already, so that it can hardly show more{advice}"
        )
    return made


def _row(values: npt.NDArray[Any], form: str) -> list[str]:
    return [form.format(value) for value in (*quantiles(values).values(), values.mean())]


def _short(label: str) -> str:
    return label if len(label) <= 16 else label[:15] + "…"


def _counts(sizes_K: Ints, owned_N: Ints, classes: int) -> Ints:
    K = len(sizes_K)
    flat = np.repeat(np.arange(K), sizes_K) * classes + owned_N
    return np.bincount(flat, minlength=K * classes).reshape(K, classes)


def _variation(counts_KC: Ints) -> Floats:
    whole_C = counts_KC.sum(0) / counts_KC.sum()
    return np.asarray(np.abs(counts_KC / counts_KC.sum(1, keepdims=True) - whole_C).sum(1) / 2)
