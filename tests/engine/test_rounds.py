"""Rounds that nobody reports from, bytes, and checkpoints."""

from pathlib import Path

import pytest
import torch
from tests.engine.conftest import Small, one_round

from headstart import trees
from headstart.engine import checkpoint
from headstart.engine.rounds import begin
from headstart.errors import HeadstartError


def test_a_round_without_reports_leaves_the_weights(small: Small) -> None:
    federation = small.federation(server="adam", client="scaffold", devices="dropped(share=1.0)")
    start = begin(federation, federation.network.initial(1))
    state, cohort = one_round(federation, start)
    assert cohort is None
    assert state.round == 1
    assert all(torch.equal(state.x[name], start.x[name]) for name in start.x)
    assert state.bytes_up == 0
    # X and the control variate, to 4 clients.
    assert state.bytes_down == 4 * trees.size_in_bytes(start.x) * 2


@pytest.mark.parametrize(
    ("client", "up", "down"),
    [
        ("sgd", 1, 1),
        ("gd", 1, 1),
        ("scaffold", 2, 2),
        ("mimelite", 2, 2),
        ("mimelite(base='adam')", 2, 3),
    ],
)
def test_bytes_are_what_the_method_sends(small: Small, client: str, up: int, down: int) -> None:
    """In units of the model: SCAFFOLD sends c both ways, MimeLite the gradient at x up and its
    statistics down.
    """
    federation = small.federation(client=client)
    state, _ = one_round(federation, begin(federation, federation.network.initial(1)))
    model = 4 * trees.size_in_bytes(state.x)
    counter = 4 * 8  # a count of rounds, where a method keeps one
    assert state.bytes_up == up * model
    assert state.bytes_down in (down * model, down * model + counter)


@pytest.mark.parametrize("client", ["sgd", "scaffold", "mimelite(base='adam')"])
def test_a_checkpoint_gives_back_every_bit(small: Small, client: str, tmp_path: Path) -> None:
    federation = small.federation(client=client, server="adam@torch")
    state = begin(federation, federation.network.initial(1))
    straight = state
    for round_ in range(4):
        straight, _ = one_round(federation, straight)
        state, _ = one_round(federation, state)
        content = checkpoint.content(state, {"rows": [[round_, "m", 0.1 + 0.2]]})
        (tmp_path / "c.safetensors").write_bytes(content)
        state, note = checkpoint.load(tmp_path / "c.safetensors")
        assert note["rows"] == [[round_, "m", 0.1 + 0.2]]
    for name in ("x", "server", "shared", "pseudo_gradient"):
        ours, theirs = getattr(state, name), getattr(straight, name)
        assert list(ours) == list(theirs)
        assert all(torch.equal(ours[leaf], theirs[leaf]) for leaf in theirs)
    assert state.memories.keys() == straight.memories.keys()
    assert (state.round, state.bytes_up, state.simulated_seconds) == (
        4,
        straight.bytes_up,
        straight.simulated_seconds,
    )


@pytest.mark.parametrize(
    "content", [b"", b"not a checkpoint", b"\x08\x00\x00\x00\x00\x00\x00\x00{}      "]
)
def test_a_damaged_checkpoint_is_one_line(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c.safetensors"
    path.write_bytes(content)
    with pytest.raises(
        HeadstartError, match=r"c\.safetensors is damaged \(.*\); delete it and run again"
    ):
        checkpoint.load(path)
