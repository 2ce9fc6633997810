"""Weights that a Python program gives, as a start: they go through the same door as those of a
file.
"""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import safetensors.torch

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.starts.base import Build, Start
from headstart.starts.heads import HeadChoice
from headstart.starts.weight_files.fitting import Source, from_file
from headstart.starts.weights import Weights
from headstart.tasks.base import Task
from headstart.trees import Tree


def start_of(weights: Tree, name: str) -> Callable[[], Start]:
    """What makes the start of these weights, with their last layer where it fits and a new one
    where it does not.
    """
    return _InFile(weights, name).start


@dataclass(eq=False)
class _InFile:
    """Weights in a file that this process keeps for as long as it needs them, written when they are
    first asked for.
    """

    weights: Tree
    name: str
    _folder: "tempfile.TemporaryDirectory[str] | None" = None

    def start(self) -> Start:
        """The start that reads the file, with errors that name the weights rather than the file."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="headstart-weights-")
            copies = {name: leaf.contiguous().clone() for name, leaf in self.weights.items()}
            safetensors.torch.save_file(copies, self._file)
        made = from_file(Source(self._file), HeadChoice("auto", None, self.name))

        def weights(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
            with _named(self._file, self.name):
                return made.weights(artefact, network, task, seed)

        def check(network: Network, task: Task, build: Build) -> Sequence[str]:
            with _named(self._file, self.name):
                return made.check(network, task, build)

        return replace(made, weights=weights, check=check)

    @property
    def _file(self) -> Path:
        assert self._folder is not None
        return Path(self._folder.name) / "weights.safetensors"


@contextmanager
def _named(file: Path, name: str) -> Iterator[None]:
    """Errors inside the block name the weights rather than their file."""
    try:
        yield
    except HeadstartError as error:
        raise HeadstartError(str(error).replace(str(file), f"the weights {name!r}")) from None
