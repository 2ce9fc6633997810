"""The progress of a run as it is saved: it is read back to the bit, with what probes kept."""

from pathlib import Path

import pytest
import torch
from tests.study.small_studies import study

from headstart.engine.federation import State
from headstart.engine.measurements import Measurements
from headstart.errors import HeadstartError
from headstart.study.folder.saved import Saving, hand_over_state
from headstart.study.folder.store import CHECKPOINT, JOURNAL, STATE, Folder
from headstart.study.folder.writer import Writer
from headstart.study.rounds import Progress

RUN = study().runs[0]
CPU = torch.device("cpu")


def progress(round_: int) -> Progress:
    state = State(round_, {"w": torch.tensor([0.1 * round_])}, {}, {}, bytes_up=8 * round_)
    return Progress(
        state, rows=Measurements([(r, "test_loss", 1 / (r + 1)) for r in range(round_)])
    )


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    writer, folder = Writer(tmp_path), Folder(tmp_path).run(RUN.key)
    saving, one = Saving(folder, "loop"), progress(3)
    one.kept = {2: {"0/w": torch.tensor([2.0])}}
    writer.write(saving.save(RUN, one, 1.5))
    assert one.kept == {}
    assert torch.equal(one.earlier[2]["0/w"], torch.tensor([2.0]))
    again, found, seconds = Saving.load(folder, CPU, "loop")
    assert (again.round, seconds, found.state.bytes_up) == (3, 1.5, 24)
    assert torch.equal(found.state.x["w"], one.state.x["w"])
    assert list(found.rows) == list(one.rows)
    assert torch.equal(found.earlier[2]["0/w"], torch.tensor([2.0]))


def test_another_executor_does_not_go_on(tmp_path: Path) -> None:
    folder = Folder(tmp_path).run(RUN.key)
    Writer(tmp_path).write(Saving(folder, "loop").save(RUN, progress(3), 0.0))
    with pytest.raises(HeadstartError, match="it is of executor 'loop', and 'stacked' is to go on"):
        Saving.load(folder, CPU, "stacked")


def test_a_state_is_handed_over_to_a_longer_run(tmp_path: Path) -> None:
    folder, longer = Folder(tmp_path).run(RUN.key), tmp_path / "runs" / "longer"
    saving = Saving(folder, "loop")
    assert not hand_over_state(folder, longer)
    Writer(tmp_path).write(saving.save(RUN, progress(3), 0.0))
    assert saving.has_state_before(4)
    assert not saving.has_state_before(3)
    (folder / CHECKPOINT).rename(folder / STATE)
    assert hand_over_state(folder, longer)
    assert not (folder / STATE).exists()
    assert not (folder / JOURNAL).exists()
    _, found, _ = Saving.load(longer, CPU, "loop")
    assert found.state.round == 3
