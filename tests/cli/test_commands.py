"""What parts of others do to a command: threads that go on, and another working folder."""

import time
from pathlib import Path

from tests.cli.conftest import STUDY, headstart

STAYS = """
import threading
from torch import nn

threading.Thread(target=threading.Event().wait, name="of-mine").start()


def net(input_shape, outputs):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))
"""


def test_a_thread_of_a_part_does_not_keep_a_command_from_ending(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(STAYS)
    study = tmp_path / "study.yaml"
    study.write_text(STUDY.replace("mlp(hidden=[8])", "mine:net"))
    began = time.monotonic()
    ended = headstart("check", study, timeout=300)
    assert time.monotonic() - began < 300
    assert (ended.returncode, ended.stderr) == (
        0,
        "note: ended without a thread that goes on (of-mine)\n",
    )


MOVES = """
import os
from torch import nn

os.chdir("/")


def net(input_shape, outputs):
    os.chdir("/tmp")
    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))
"""


def test_a_part_that_changes_the_working_folder_moves_no_results(tmp_path: Path) -> None:
    (tmp_path / "moves.py").write_text(MOVES)
    study = STUDY.replace("mlp(hidden=[8])", "moves:net").replace("[0, 1]", "[0]")
    (tmp_path / "study.yaml").write_text(study)
    ended = headstart("run", "study.yaml", "--out", "results-here", "--jobs", "1", cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "results-here" / "report.html").is_file()
    assert ended.stdout.splitlines()[-1] == f"report: {tmp_path / 'results-here' / 'report.html'}"
