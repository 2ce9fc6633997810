"""The one writer: each event becomes its files, and an end leaves what longer runs go on from."""

from pathlib import Path
from typing import Any

import pytest
from tests.study.small_studies import study

from headstart import files
from headstart.engine.measurements import Measurements
from headstart.study.events import Ended, Failed, Made, Saved, Tried
from headstart.study.folder.store import CHECKPOINT, JOURNAL, STATE, WEIGHTS, Folder
from headstart.study.folder.writer import Writer

RUN = study().runs[0]


def ended(state_stays: bool) -> Ended:
    record: dict[str, Any] = {"run": RUN.key, "status": "finished", "rounds": 3}
    rows = Measurements([(0, "test_accuracy", 0.5)])
    return Ended(RUN, record, rows, weights=b"weights", state_stays=state_stays)


def test_each_event_is_written_to_its_place(tmp_path: Path) -> None:
    writer, folder = Writer(tmp_path), Folder(tmp_path)
    writer.write(Made("pre.safetensors", b"made"))
    writer.write(Tried("search", 3, {"trial": 3}))
    writer.write(Failed(RUN, "it raised ValueError"))
    assert (tmp_path / "starts" / "pre.safetensors").read_bytes() == b"made"
    assert files.read_record(folder.trial("search", 3))["trial"] == 3
    assert files.read_record(folder.run(RUN.key) / "failed.json")["why"] == "it raised ValueError"


def test_a_checkpoint_is_beside_its_journal(tmp_path: Path) -> None:
    writer, run = Writer(tmp_path), Folder(tmp_path).run(RUN.key)
    writer.write(Saved(RUN, 0, b"one", b"first"))
    writer.write(Saved(RUN, 3, b"two"))  # only makes room
    assert (run / JOURNAL).read_bytes() == b"onetwo"
    assert (run / CHECKPOINT).read_bytes() == b"first"
    writer.write(Saved(RUN, 3, b"2", b"second"))  # what came after an older checkpoint is replaced
    assert (run / JOURNAL).read_bytes() == b"one2"
    assert (run / CHECKPOINT).read_bytes() == b"second"


@pytest.mark.parametrize("state_stays", [True, False])
def test_an_end_keeps_the_state_that_a_longer_run_goes_on_from(
    state_stays: bool, tmp_path: Path
) -> None:
    writer, folder = Writer(tmp_path), Folder(tmp_path)
    run = folder.run(RUN.key)
    writer.write(Failed(RUN, "it raised ValueError"))
    writer.write(Saved(RUN, 0, b"entry", b"state"))
    assert not folder.is_done(RUN.key)
    writer.write(ended(state_stays))
    assert folder.is_done(RUN.key)
    assert (run / WEIGHTS).read_bytes() == b"weights"
    left = {path.name for path in run.iterdir()}
    assert ({STATE, JOURNAL} <= left) is state_stays
    assert CHECKPOINT not in left
    assert "failed.json" not in left


def test_a_stream_is_written_whole_and_its_result_returned(tmp_path: Path) -> None:
    def stream() -> Any:
        yield Made("a", b"1")
        assert (tmp_path / "starts" / "a").read_bytes() == b"1"
        yield Made("b", b"2")
        return 7

    assert Writer(tmp_path).write_all(stream()) == 7
    assert (tmp_path / "starts" / "b").read_bytes() == b"2"
