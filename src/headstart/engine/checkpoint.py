"""Weights and the state of a run as safetensors files: written whole, read without executing anything."""

import json
from pathlib import Path
from typing import Any

import safetensors

from headstart import files, trees
from headstart.engine.rounds import State
from headstart.errors import HeadstartError
from headstart.trees import Tree

_TREES = ("x", "server", "shared", "pseudo_gradient")
_NUMBERS = ("round", "bytes_up", "bytes_down", "simulated_seconds")


def save_trees(path: Path, named: dict[str, Tree], note: dict[str, Any], lasting: bool = True) -> None:
    """Write trees under their names, with a note that JSON can hold."""
    tensors = {
        f"{name}/{leaf}": tensor.clone().contiguous() for name, tree in named.items() for leaf, tensor in tree.items()
    }
    header = json.dumps({"note": note, "order": list(tensors)})
    metadata = {"headstart": header, files.SEAL: files.UNSEALED}
    files.write(path, files.sealed(trees.as_safetensors(tensors, metadata)), lasting)


def load_trees(path: Path) -> tuple[dict[str, Tree], dict[str, Any]]:
    """Read what `save_trees` wrote, leaves in the order in which they were written.

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
        raise HeadstartError(f"{path} is damaged ({error}); delete it and run again: it will be made anew") from error
    return named, header["note"]


def save(path: Path, state: State, note: dict[str, Any], lasting: bool = True) -> None:
    """Write a run's state, and a note."""
    named = {name: getattr(state, name) for name in _TREES}
    named |= {f"memory.{client}": memory for client, memory in state.memories.items()}
    numbers = {name: getattr(state, name) for name in _NUMBERS}
    save_trees(path, named, {"state": numbers, **note}, lasting)


def load(path: Path) -> tuple[State, dict[str, Any]]:
    """Read what `save` wrote.

    Raises:
        HeadstartError: the file is damaged or of another origin.
    """
    named, note = load_trees(path)
    with files.damage_explained(path, "delete it and run again: it will be made anew"):
        numbers = {name: note["state"][name] for name in _NUMBERS}
        clients = {name.removeprefix("memory."): name for name in named if name.startswith("memory.")}
        memories = {int(client): named[name] for client, name in clients.items()}
        fields: dict[str, Any] = {name: named.get(name, {}) for name in _TREES}
        return State(**fields, **numbers, memories=memories), note
