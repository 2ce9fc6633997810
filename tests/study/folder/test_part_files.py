"""Notes about starts and copies of own modules, in a study's folder."""

from pathlib import Path

import pytest
from tests.study.small_studies import load

from headstart.parts.registry import Component
from headstart.starts.base import STARTS
from headstart.study.folder.part_files import keep_modules, keep_notes, note_of


def start(name: str) -> Component:
    return STARTS.component(name, "starts[0]")


def test_a_note_is_one_line_of_its_start(tmp_path: Path) -> None:
    assert note_of(start("random"), tmp_path) is None
    keep_notes({}, tmp_path)
    assert list(tmp_path.iterdir()) == []
    keep_notes({"proxy": ["its head is new", "two layers were left out"]}, tmp_path)
    assert note_of(start("proxy"), tmp_path) == "its head is new; two layers were left out"
    assert note_of(start("random"), tmp_path) is None


def test_modules_of_the_users_own_are_copied_with_what_they_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kept_net.py").write_text(
        "from kept_layer import layer\ndef net(input_shape, outputs): return layer(outputs)\n"
    )
    (tmp_path / "kept_layer.py").write_text(
        "from torch import nn\ndef layer(outputs):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(64, outputs))\n"
    )
    path = tmp_path / "study.yaml"
    path.write_text('task: digits\nmodel: "kept_net:net"\npopulation: 10\ncohort: 3\n')
    from headstart.study.spec import Study

    out = tmp_path / "out"
    keep_modules(Study.load(path).runs, out)
    kept = sorted(file.name for file in (out / "modules").iterdir())
    assert kept == ["kept_layer.py", "kept_net.py"]
    copy = (out / "modules" / "kept_net.py").read_bytes()
    assert copy == (tmp_path / "kept_net.py").read_bytes()


def test_a_study_without_own_modules_keeps_none(tmp_path: Path) -> None:
    keep_modules(load(tmp_path, "seeds: [0]\n").runs, tmp_path / "out")
    assert not (tmp_path / "out").exists()
