"""What an app and its clients told each other, as trees; and the weights that are in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headstart import trees
from headstart.trees import Tree

Records = Mapping[str, Tree]
"""The arrays of a message, by the names of their records."""

UPDATE, MESSAGE = "update", "message"
"""How the replies of our own apps call what they carry."""


@dataclass(frozen=True)
class Exchange:
    """A message to a client and its reply; `failure`: why there is none."""

    client: int
    sent: Records
    reply: Records = field(default_factory=dict)
    failure: str = ""


@dataclass(frozen=True)
class Carried:
    """All that an app did: the exchanges of each round of training, the weights that it evaluated
    after a round, and the weights after the last, where it sent them.
    """

    rounds: Sequence[Sequence[Exchange]]
    evaluated: Mapping[int, Records]
    after: Records = field(default_factory=dict)

    def weights(self, round_: int, like: Tree) -> Tree | None:
        """The global weights before a round, which is counted from 1; None where the app did not
        tell them.
        """
        if round_ <= len(self.rounds) and self.rounds[round_ - 1]:
            return weights_in(self.rounds[round_ - 1][0].sent, like)
        found = weights_in(self.after, like) if round_ == len(self.rounds) + 1 else None
        return found or weights_in(self.evaluated.get(round_ - 1, {}), like)


def weights_in(records: Records, like: Tree) -> Tree | None:
    """Find a tree of these names and forms among records, also one that lacks the names and has
    them in order.
    """
    for record in records.values():
        if all(name in record and record[name].shape == leaf.shape for name, leaf in like.items()):
            return {name: record[name] for name in like}
    forms = [leaf.shape for leaf in like.values()]
    for record in records.values():
        if [leaf.shape for leaf in record.values()] == forms:
            return dict(zip(like, record.values(), strict=True))
    return None


def described(records: Records) -> str:
    """What a message carries, in words.

    >>> import torch
    >>> described({"x": {"w": torch.zeros(2, 3), "b": torch.zeros(2)}})
    'x (2 arrays, 32 bytes)'
    """
    parts = []
    for name, record in records.items():
        arrays = f"{len(record)} array{'s' if len(record) != 1 else ''}"
        parts.append(f"{name} ({arrays}, {trees.size_in_bytes(record):,} bytes)")
    return ", ".join(parts) or "no arrays"


def distance(a: Tree, b: Tree, size: Tree) -> float:
    """|a - b| / |size|, over all leaves."""
    length = float(trees.norm(size))
    far = float(trees.norm(trees.subtract(a, b)))
    return far / length if length else far
