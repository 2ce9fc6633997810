"""Weights and the state of a run as safetensors files: written whole, read without executing
anything.
"""

import json
from pathlib import Path
from typing import Any

import safetensors

from headstart import files, trees
from headstart.engine.federation import State
from headstart.errors import HeadstartError
from headstart.trees import Tree

_TREES = ("x", "server", "shared", "pseudo_gradient")
_NUMBERS = ("round", "bytes_up", "bytes_down", "simulated_seconds")
MEMORY = "memory."
"""How the names begin of what clients keep; their numbers follow."""

AGAIN = f"{files.DELETE_IT}: it will be made anew"


def _content_of(named: dict[str, Tree], note: dict[str, Any]) -> bytes:
    """The file of trees under their names, with a note that JSON can hold."""
    tensors: Tree = {}
    for name, tree in named.items():
        for leaf, tensor in tree.items():
            tensors[f"{name}/{leaf}"] = tensor.clone().contiguous()
    header = json.dumps({"note": note, "order": list(tensors)})
    metadata = {"headstart": header, files.SEAL: files.UNSEALED}
    return files.sealed(trees.as_safetensors(tensors, metadata))


def _trees_of(path: Path) -> tuple[dict[str, Tree], dict[str, Any]]:
    """The trees of a file and its note, leaves in the order in which they were written.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    named: dict[str, Tree] = {}
    try:
        files.verify(path)
        with safetensors.safe_open(path, framework="pt") as opened:
            header = json.loads(opened.metadata()["headstart"])
            for full_name in header["order"]:
                name, _, leaf = full_name.partition("/")
                named.setdefault(name, {})[leaf] = trees.aligned(opened.get_tensor(full_name))
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise HeadstartError(f"{path} is damaged ({error}); {AGAIN}") from error
    return named, header["note"]


def content(state: State, note: dict[str, Any]) -> bytes:
    """Return the file of a run's state, with a note that JSON can hold."""
    named = {name: getattr(state, name) for name in _TREES}
    for client, memory in state.memories.items():
        named[f"{MEMORY}{client}"] = memory
    numbers = {name: getattr(state, name) for name in _NUMBERS}
    return _content_of(named, {"state": numbers, **note})


def load(path: Path) -> tuple[State, dict[str, Any]]:
    """Read a file that `content` made.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    named, note = _trees_of(path)
    with files.damage_explained(path, AGAIN):
        fields: dict[str, Any] = {name: note["state"][name] for name in _NUMBERS}
        fields |= {name: named.get(name, {}) for name in _TREES}
        memories: dict[int, Tree] = {}
        for name, tree in named.items():
            if name.startswith(MEMORY):
                memories[int(name.removeprefix(MEMORY))] = tree
        return State(**fields, memories=memories), note
