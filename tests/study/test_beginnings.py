"""Where runs begin: weights that are made once are kept, and are those that are read again."""

from pathlib import Path

import pytest
import torch
from tests.study.small_studies import study

from headstart import trees
from headstart.study.beginnings import begun, known_of_start, start_weights
from headstart.study.events import Made
from headstart.study.federations import bare_network
from headstart.study.folder.writer import Writer
from headstart.trees import Tree

KEYS = {"model": "logistic", "executor": "loop"}
PROXY = {"starts": "proxy(task='rendered-digits(examples=60)', epochs=1)", **KEYS}


def made(out: Path, seed: int = 0) -> tuple[Tree, int]:
    """The weights of a run, and how many files were made on the way."""
    (run,) = study(**{**PROXY, "seeds": [seed]}).runs
    before = len(list(out.rglob("*.safetensors")))
    weights = Writer(out).write_all(start_weights(run, out))
    return weights, len(list(out.rglob("*.safetensors"))) - before


def test_random_weights_are_those_of_the_seed_and_nothing_is_kept(tmp_path: Path) -> None:
    first, second = study(**KEYS, seeds=[0, 1]).runs
    stream = start_weights(first, tmp_path)
    with pytest.raises(StopIteration) as ended:
        next(stream)
    weights: Tree = ended.value.value
    drawn = bare_network(first).state(0)
    assert all(torch.equal(weights[name], leaf) for name, leaf in drawn.items())
    other, _, progress = Writer(tmp_path).write_all(begun(second, tmp_path))
    assert not torch.equal(next(iter(other.values())), next(iter(weights.values())))
    assert (progress.state.round, progress.is_new) == (0, True)
    assert known_of_start(first, tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_what_weights_are_made_of_is_made_once_and_read_again(tmp_path: Path) -> None:
    first, files = made(tmp_path)
    assert files == 1
    again, more = made(tmp_path)
    assert more == 0
    assert all(torch.equal(again[name], leaf) for name, leaf in first.items())
    (run,) = study(**PROXY).runs
    assert str(known_of_start(run, tmp_path)).startswith("pre-trained for 1 epoch in ")


def test_a_damaged_file_is_made_again_to_the_same_numbers(tmp_path: Path) -> None:
    first = trees.map_tree(torch.clone, made(tmp_path)[0])  # what is read is mapped from the file
    (file,) = (tmp_path / "starts").iterdir()
    file.write_bytes(b"cut")
    with pytest.warns(UserWarning, match="it is made again"):
        again, _ = made(tmp_path)
    assert all(torch.equal(again[name], leaf) for name, leaf in first.items())


def test_what_is_made_is_said_before_it_is_read(tmp_path: Path) -> None:
    (run,) = study(**PROXY).runs
    event = next(start_weights(run, tmp_path))
    assert isinstance(event, Made)
    assert event.name.startswith("pre-trained-")
    assert not (tmp_path / "starts").exists()
