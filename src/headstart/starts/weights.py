"""Weights as the folder of a study keeps them: by the names of the module, with what they mean.

A file is a plain safetensors file that `module.load_state_dict(safetensors.torch.load_file(path))`
takes, buffers and the second names of tied tensors included. Its header also says what the outputs
and inputs stand for, so that a head is never taken for one of other classes, and holds the file's
own sha256, by which damage is noticed.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import safetensors

from headstart import files, trees
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.tasks.base import Task
from headstart.trees import Tree

HEADER = "headstart"
"""The entry of a safetensors file's metadata that is ours."""


@dataclass(frozen=True)
class Meaning:
    """What the numbers stand for that a model gives and takes; empty where nobody said.

    `classes`: the names of its outputs. `tokens`: a sha256 of the vocabulary that its inputs are
    numbers of. `features`: the names of the numbers of an input. `mean`, `deviation`: what was
    subtracted from each feature or channel, and what it was then divided by.
    """

    classes: tuple[str, ...] = ()
    tokens: str = ""
    features: tuple[str, ...] = ()
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    @classmethod
    def of(cls, task: Task) -> "Meaning":
        """The meaning of a task's numbers."""
        named = task.classes if len(task.classes) == task.outputs else ()
        tokens = task.tokens.content if task.tokens else ""
        return cls(named, tokens, task.features, *task.moments)

    def held_to(self, task: Task) -> str:
        """What to say where a task's inputs are called otherwise; empty where they are not, or have
        no names.

        Raises:
            HeadstartError: they are other words, or the same features in another order.
        """
        asked = Meaning.of(task)
        if self.tokens and asked.tokens and self.tokens != asked.tokens:
            raise HeadstartError(
                f"its weights were learnt on another vocabulary than that of task {task.name!r}; "
                "the same number would be another word"
            )
        if not self.features or not asked.features or self.features == asked.features:
            return ""
        if sorted(self.features) == sorted(asked.features):
            theirs, ours = _first_other(self.features, asked.features)
            raise HeadstartError(
                f"its weights were learnt on the same features in another order: {theirs!r} "
                f"where task {task.name!r} has {ours!r}; name the features in one order in both"
            )
        theirs, ours = _first_other(self.features, asked.features)
        return f"its inputs were called otherwise: {theirs!r} where the task has {ours!r}"


def _first_other(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[str, str]:
    pairs = itertools.zip_longest(these, those, fillvalue="nothing")
    return next((this, that) for this, that in pairs if this != that)


class Weights(NamedTuple):
    """The parameters and buffers of a module, what they mean, the second names of those that are
    tied, and a line on how they were made, empty where nobody wrote one.
    """

    state: Tree
    meaning: Meaning = Meaning()
    tied: Mapping[str, str] = {}
    origin: str = ""

    def state_dict(self) -> Tree:
        """The weights by every name that the module knows them by, as its `load_state_dict` wants
        them.
        """
        second = {
            second: self.state[name] for second, name in self.tied.items() if name in self.state
        }
        return {**self.state, **second}

    @classmethod
    def of(cls, state: Tree, network: Network, task: Task) -> "Weights":
        """The weights of a network, trained on a task."""
        return cls(state, Meaning.of(task), network.tied)


NOTHING = Weights({})
"""What a start has in hand that nobody trained before."""


def content(weights: Weights, note: dict[str, Any]) -> bytes:
    """Return the file of weights, with a note that JSON can hold."""
    state = {name: leaf.detach().cpu().contiguous() for name, leaf in weights.state.items()}
    header = {
        "note": note,
        "order": list(state),
        "tied": dict(weights.tied),
        "meaning": asdict(weights.meaning),
        "origin": weights.origin,
    }
    tensors = {
        name: leaf.clone() for name, leaf in weights._replace(state=state).state_dict().items()
    }
    metadata = {HEADER: json.dumps(header), files.SEAL: files.UNSEALED}
    return files.sealed(trees.as_safetensors(tensors, metadata))


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Give the tensors of a file of `content`, and its header, to read in the block.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    try:
        files.verify(path)
        with safetensors.safe_open(path, framework="pt") as opened:
            yield opened, json.loads(opened.metadata()[HEADER])
    except (
        safetensors.SafetensorError,
        OSError,
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
    ) as error:
        raise HeadstartError(f"{path} is damaged ({error})") from error


def load(path: Path) -> Weights:
    """Read a file of `content`, in the order of its weights.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    with _opened(path) as (opened, header):
        state = {name: trees.aligned(opened.get_tensor(name)) for name in header["order"]}
        tied = {str(second): str(name) for second, name in header["tied"].items()}
        return Weights(state, meaning_in(header), tied, _origin_in(header))


def note_of(path: Path) -> dict[str, Any]:
    """The note that `content` was given.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    with _opened(path) as (_, header):
        return dict(header["note"])


def origin_of(path: Path) -> str:
    """How the weights of a file of `content` were made, in a line; empty where nobody wrote one.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    with _opened(path) as (_, header):
        return _origin_in(header)


def _origin_in(header: Mapping[str, Any]) -> str:
    return str(header.get("origin", ""))


def meaning_in(header: Mapping[str, Any]) -> Meaning:
    """What the header of a file says of its weights.

    Raises:
        KeyError, TypeError, AttributeError: it is none.
    """
    meaning = header["meaning"]
    classes, features = (tuple(map(str, meaning[name])) for name in ("classes", "features"))
    moments = [tuple(map(float, meaning.get(name, ()))) for name in ("mean", "deviation")]
    return Meaning(classes, str(meaning["tokens"]), features, *moments)
