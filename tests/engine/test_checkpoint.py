"""A checkpoint gives back every bit; one that is damaged is one line."""

from pathlib import Path

import pytest
import torch
from tests.engine.conftest import Small, one_round

from headstart.engine import checkpoint
from headstart.engine.federation import begin
from headstart.errors import HeadstartError


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
