"""What a run has measured comes back as it was, up to the mark, whatever was written beyond;
damage is noticed.
"""

from pathlib import Path

import pytest
import torch

from headstart.engine.journal import Journal, Mark, write
from headstart.engine.measurements import Row
from headstart.errors import HeadstartError
from headstart.trees import Tree

CPU = torch.device("cpu")
ROWS: list[Row] = [(0, "loss", 0.1 + 0.2), (1, "loss", 1e-300), (2, "accuracy", 1.0)]
KEPT: dict[int, Tree] = {
    0: {"0/w": torch.arange(3, dtype=torch.float64) / 3, "1/b": torch.ones(2, 2)},
    1: {"0/w": torch.arange(3, dtype=torch.float64) / 7, "1/b": torch.zeros(2, 2)},
    2: {"0/w": torch.tensor([torch.pi], dtype=torch.float64)},
}


def append(journal: Journal, rows: list[Row], kept: dict[int, Tree]) -> None:
    begin = journal.mark.length
    write(journal.path, begin, journal.entry(rows, kept))


def written(path: Path) -> Journal:
    journal = Journal(path)
    append(journal, ROWS[:1], {0: KEPT[0]})
    append(journal, ROWS[1:], {1: KEPT[1], 2: KEPT[2]})
    return journal


def test_rows_and_weights_come_back_bit_for_bit(tmp_path: Path) -> None:
    mark = written(tmp_path / "journal").mark
    journal, rows = Journal.at(tmp_path / "journal", mark)
    assert list(rows) == ROWS
    kept = journal.kept(CPU)
    assert list(kept) == [0, 1, 2]
    for round_, tree in KEPT.items():
        assert kept[round_].keys() == tree.keys()
        assert all(torch.equal(kept[round_][name], leaf) for name, leaf in tree.items())
        assert all(leaf.data_ptr() % 64 == 0 for leaf in kept[round_].values())


def test_what_was_written_after_the_mark_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    append(journal, ROWS[:1], {})
    mark, length = journal.mark, path.stat().st_size
    append(journal, [(1, "lost", 2.0)], {})
    again, rows = Journal.at(path, mark)
    assert list(rows) == ROWS[:1]
    append(again, ROWS[1:], {})
    assert list(Journal.at(path, again.mark)[1]) == ROWS
    assert path.read_bytes()[:length] == path.read_bytes()[: mark.length]


def test_an_entry_costs_as_much_after_many_as_after_none(tmp_path: Path) -> None:
    journal, sizes = Journal(tmp_path / "journal"), []
    for round_ in range(10, 60):
        before = journal.mark.length
        append(journal, [(round_, "loss", 0.5)], {round_: KEPT[0]})
        sizes.append(journal.mark.length - before)
    assert len(set(sizes)) == 1


def test_damage_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    mark = written(path).mark
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        flipped = whole[place] ^ 1 << place % 8
        path.write_bytes(whole[:place] + bytes([flipped]) + whole[place + 1 :])
        with pytest.raises(
            HeadstartError, match=r"journal is damaged \(.*\); delete .* and run again"
        ) as caught:
            Journal.at(path, mark)
        assert "\n" not in str(caught.value)
    path.write_bytes(whole[:-1])
    with pytest.raises(HeadstartError, match="is damaged"):
        Journal.at(path, mark)
    path.unlink()
    with pytest.raises(HeadstartError, match="No such file"):
        Journal.at(path, mark)
    assert list(Journal.at(path, Mark())[1]) == []
