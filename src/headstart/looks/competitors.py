"""What is compared in a study: pairs of optimizers, in the setting that decides."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from headstart.wording.epochs import in_words

DEFAULT_DEVICES, IID, ALL = "equal", "iid", "all"

Row = Mapping[str, Any]
"""A run as `headstart.tables.RunRow` declares it. Without a status it is planned and has not ended.
"""


class Pair(NamedTuple):
    """A client and a server optimizer."""

    client: str
    server: str

    def __str__(self) -> str:
        return f"{self.client} + {self.server}"


class Setting(NamedTuple):
    """How the clients differ, how long they train, and what is trained."""

    partition: str
    devices: str
    local_epochs: float
    trainable: str = ALL

    def __str__(self) -> str:
        devices = "equal devices" if self.devices == DEFAULT_DEVICES else self.devices
        training = "" if self.trainable == ALL else f", training {self.trainable} only"
        return f"{self.partition}, {devices}, {in_words(self.local_epochs)}{training}"


def deciding_setting(settings: Iterable[Setting]) -> Setting:
    """The setting with the most runs; of equals the plainest.

    Ties go to equal devices, heterogeneous data, all weights, fewer epochs.

    settings: that of each run.
    """
    runs = Counter(settings)

    def rank(s: Setting) -> tuple[int, bool, bool, bool, float]:
        plain = s.devices == DEFAULT_DEVICES, s.partition != IID, s.trainable == ALL
        return (runs[s], *plain, -s.local_epochs)

    return max(runs, key=rank)


def family(name: str) -> str:
    """The name of a part without its parameters."""
    return name.split("(")[0].split("@")[0]


def labels(rows: Iterable[Row], part: str) -> dict[str, str]:
    """The label of each client, or of each server, by its name in the rows.

    Where the parameters of a part were tuned by start, or several times (`proximal(mu=0.1)` here,
    `proximal(mu=1)` from another start or for another seed, never two beside each other), its
    variants are one competitor, which goes by the family's name.

    part: `client` or `server`.
    """
    beside: dict[tuple[object, ...], set[str]] = defaultdict(set)
    variants: dict[str, set[str]] = defaultdict(set)
    other = "server" if part == "client" else "client"
    for row in rows:
        name = row[part]
        place = row["start"], row[other], row["seed"], setting_of(row), family(name)
        beside[place].add(name)
        variants[family(name)].add(name)
    compared = {place[-1] for place, names in beside.items() if len(names) > 1}
    found = {}
    for kind, names in variants.items():
        for name in names:
            found[name] = kind if len(names) > 1 and kind not in compared else name
    return found


def setting_of(row: Row) -> Setting:
    """The setting of a run."""
    return Setting(row["partition"], row["devices"], row["local_epochs"], row["trainable"])
