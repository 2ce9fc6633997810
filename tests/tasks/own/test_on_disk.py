"""Data on disk are the data in memory; a round of them is the same round;
damaged folders get one line.
"""

import hashlib
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from headstart.engine.devices import DEVICES
from headstart.engine.plan import Population, Schedule, plan
from headstart.errors import HeadstartError
from headstart.study.data import task_of
from headstart.study.federations import check_clients, clients_of  # type: ignore[attr-defined]
from headstart.tasks.base import PARTITIONS, TASKS, ClientRows, Task
from headstart.tasks.own.on_disk import pack

DRAW = np.random.Generator(np.random.Philox(key=6))
SIZES = DRAW.integers(1, 9, 50)
CLIENTS = [(DRAW.normal(size=(n, 3, 2)).astype(np.float32), DRAW.integers(0, 4, n)) for n in SIZES]
TEST = (
    torch.randn(5, 3, 2, generator=torch.Generator().manual_seed(0)),
    torch.tensor([0, 1, 2, 3, 0]),
)


def opened(folder: Path) -> Task:
    return task_of(TASKS.component({"on-disk": {"path": str(folder)}}))


def test_what_was_packed_is_what_is_opened(tmp_path: Path) -> None:
    made = opened(pack(tmp_path / "mine", iter(CLIENTS), test=TEST, outputs=4, classes="abcd"))
    assert np.array_equal(made.train.inputs.numpy(), np.concatenate([x for x, _ in CLIENTS]))
    assert np.array_equal(made.train.targets.numpy(), np.concatenate([y for _, y in CLIENTS]))
    assert torch.equal(made.test.inputs, TEST[0])
    assert torch.equal(made.test.targets, TEST[1])
    assert (len(made.validation), made.validation.inputs.shape, made.classes) == (
        0,
        (0, 3, 2),
        ("a", "b", "c", "d"),
    )
    natural = clients_of(
        TASKS.component({"on-disk": {"path": str(tmp_path / "mine")}}), component("natural"), 50, 0
    )
    assert natural.sizes_N.tolist() == SIZES.tolist()
    for rows, (inputs, targets) in zip(natural, CLIENTS, strict=True):
        assert np.array_equal(made.train.inputs[torch.from_numpy(rows)].numpy(), inputs)
        assert np.array_equal(made.train.targets[torch.from_numpy(rows)].numpy(), targets)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def component(written: str) -> Any:
    return PARTITIONS.component(written)


def test_a_plan_of_client_rows_is_the_plan_of_lists(tmp_path: Path) -> None:
    made = opened(pack(tmp_path / "mine", CLIENTS, test=TEST, outputs=4))
    owned = PARTITIONS.build(component("natural"))(made, 50, 0)
    as_lists = Population([np.asarray(rows) for rows in owned])
    schedule = Schedule(10, 2, 3, "minibatch", "samples", DEVICES.build(DEVICES.component("equal")))
    for round_ in (1, 2, 9):
        one, other = (
            plan(0, round_, Population(owned), schedule),
            plan(0, round_, as_lists, schedule),
        )
        assert all(np.array_equal(getattr(one, name), getattr(other, name)) for name in vars(one))
    check_clients(as_lists)
    assert np.array_equal(Population(owned).rows, as_lists.rows)
    owners = np.repeat(np.arange(50), SIZES)
    assert np.array_equal(
        Population(ClientRows.of_owners(owners[::-1])).rows, np.argsort(owners[::-1], kind="stable")
    )
    same = PARTITIONS.build(component("natural"))(replace(made, owners=owners), 50, 0)
    assert all(np.array_equal(a, b) for a, b in zip(owned, same, strict=True))


def test_other_partitions_deal_the_rows_anew(tmp_path: Path) -> None:
    made = opened(pack(tmp_path / "mine", CLIENTS, test=TEST, outputs=4))
    clients = PARTITIONS.build(component("dirichlet(alpha=0.1)"))(made, 7, 0)
    assert np.array_equal(np.sort(np.concatenate(list(clients))), np.arange(SIZES.sum()))


def test_the_pages_are_not_written_back(tmp_path: Path) -> None:
    folder = pack(tmp_path / "mine", CLIENTS, test=TEST, outputs=4)
    before = (folder / "train.inputs.bin").read_bytes()
    made = opened(folder)
    made.train.inputs.zero_()
    assert (folder / "train.inputs.bin").read_bytes() == before
    TASKS.entry("on-disk").factory.cache_clear()  # type: ignore[attr-defined]


def test_labels_may_be_bytes(tmp_path: Path) -> None:
    labels = np.arange(5, dtype=np.uint8) % 2
    clients = [(np.ones((5, 3)), labels), (np.ones((5, 3)), torch.from_numpy(labels))]
    made = opened(pack(tmp_path / "mine", clients, test=clients[0], outputs=2))  # type: ignore[arg-type]
    assert made.train.targets.tolist() == labels.tolist() * 2


def test_bytes_of_images_stay_bytes(tmp_path: Path) -> None:
    draw = np.random.Generator(np.random.Philox(0))
    pixels = draw.integers(0, 256, (5, 3, 4, 6), dtype=np.uint8)
    labels = np.arange(5) % 2
    folder = pack(
        tmp_path / "mine",
        [(pixels[:2], labels[:2]), (pixels[2:], labels[2:])],
        test=(pixels, labels),
        outputs=2,
    )
    assert (folder / "train.inputs.bin").read_bytes() == pixels.tobytes()
    made = opened(folder)
    assert np.array_equal(made.train.inputs.numpy(), pixels)
    assert torch.equal(made.prepare()(made.train.inputs), torch.from_numpy(pixels).float() / 255)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"clients": []}, "expected at least one client, got none"),
    ({"classes": ["a", "b", "a"]}, "classes: expected each name once, got 'a' twice"),
    ({"clients": [CLIENTS[0], (np.zeros((0, 3, 2)), np.zeros(0, np.int64))]},
     "client 1: expected at least one row"),
    ({"clients": [CLIENTS[0], (np.zeros((2, 3), np.float32), np.zeros(2, np.int64))]},
     "client 1: expected inputs of float32 [3, 2] a row as before, got float32 [3]"),
    ({"clients": [(np.zeros((2, 3)), np.zeros(3, np.int64))]},
     "expected as many targets as inputs, got 3 and 2"),
    ({"clients": [(np.zeros((2, 3), np.uint8), np.zeros(2, np.int64))]},
     "of shape [2, 3]; bytes are kept of images"),
    ({"clients": [(np.array(["a"]), np.zeros(1, np.int64))]},
     "client 0, inputs: expected an array [n, ...]"),
    ({"clients": [CLIENTS[0], (np.array([[[0.0, 0], [0, 0], [0, np.nan]]]), np.zeros(1,
                                                                                     np.int64))]},
     "client 1, inputs: row 0 has nan, expected numbers that are finite as float32"),
    ({"clients": [(np.array([[1.0], [1e300]]), np.zeros(2, np.int64))]},
     "client 0, inputs: row 1 has 1e+300"),
    ({"test": (TEST[0], torch.tensor([0, 1, np.inf, 0, 0]))}, "test, targets: row 2 has inf"),
    ({"test": (np.zeros((1, 9), np.float32), np.zeros(1, np.int64))},
     "test: expected inputs of float32 [3, 2] a row"),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_what_cannot_be_packed_leaves_nothing_behind(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    arguments = {"clients": CLIENTS, "test": TEST, "outputs": 4, **changes}
    with pytest.raises(HeadstartError) as caught:
        pack(tmp_path / "mine", **arguments)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_damaged_folders_get_one_line(tmp_path: Path) -> None:
    folder = pack(tmp_path / "mine", CLIENTS, test=TEST, outputs=4)

    def refusal() -> str:
        with pytest.raises(HeadstartError) as caught:
            opened(folder)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    with pytest.raises(HeadstartError, match="mine exists; write to a new folder"):
        pack(folder, CLIENTS, test=TEST, outputs=4)
    starts = np.fromfile(folder / "train.starts.bin", dtype="<i8")
    for damaged in (starts[:-1], np.r_[starts[:5], starts[4:]], np.r_[1, starts[1:]]):
        damaged.tofile(folder / "train.starts.bin")
        assert "train.starts.bin is damaged" in refusal()
    content = (folder / "train.inputs.bin").read_bytes()
    (folder / "train.inputs.bin").write_bytes(content[:-4])
    assert (
        f"train.inputs.bin is damaged: expected {len(content)} bytes, got {len(content) - 4}"
        in refusal()
    )
    header = json.loads((folder / "data.json").read_text())
    (folder / "data.json").write_text(json.dumps({**header, "format": 2}))
    assert "expected format 1, got 2" in refusal()
    (folder / "data.json").write_text("[]")
    assert "data.json is damaged: expected an object, got []; pack the data again" in refusal()
    (folder / "data.json").write_text('{"format": 1' + "1" * 5000)
    assert "data.json is damaged" in refusal()
    (folder / "data.json").unlink()
    assert "data.json: No such file" in refusal()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outputs": "2"}, "outputs: expected a whole number >= 1, got '2'"),
        ({"classes": 3}, "classes: expected a list, each a text, got 3"),
        ({"parts": {}}, "parts.train: expected a mapping, got nothing"),
        ({"rows": 2.5}, "parts.train.rows: expected a whole number >= 0, got 2.5"),
        (
            {"shape": 3},
            "parts.train.inputs.shape: expected a list, each a whole number >= 0, got 3",
        ),
        ({"shape": [-1]}, "parts.train.inputs.shape[0]: expected a whole number >= 0, got -1"),
        (
            {"shape": None},
            "parts.train.inputs.shape: expected a list, each a whole number >= 0, got None",
        ),
        (
            {"type": "float64"},
            "parts.train.inputs.type: expected one of float32, int64, uint8, got 'float64'",
        ),
    ],
)
def test_a_header_of_other_types_gets_one_line(
    change: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = pack(tmp_path / "mine", CLIENTS, test=TEST, outputs=4) / "data.json"
    header = json.loads(file.read_text())
    for place in (header, header["parts"]["train"], header["parts"]["train"]["inputs"]):
        place.update({key: value for key, value in change.items() if key in place})
    file.write_text(json.dumps(header))
    with pytest.raises(HeadstartError) as caught:
        opened(tmp_path / "mine")
    assert f"data.json is damaged: {message}; pack the data again" in str(caught.value)


def test_other_rows_of_the_same_sizes_have_another_content(tmp_path: Path) -> None:
    one = pack(tmp_path / "one", CLIENTS, test=TEST, outputs=4)
    header = json.loads((one / "data.json").read_text())
    for name, part in header["parts"].items():
        for column in ("inputs", "targets"):
            content = (one / f"{name}.{column}.bin").read_bytes()
            assert part[column]["sha256"] == hashlib.sha256(content).hexdigest()
    same = opened(pack(tmp_path / "same", CLIENTS, test=TEST, outputs=4))
    changed = opened(pack(tmp_path / "other", [(-x, y) for x, y in CLIENTS], test=TEST, outputs=4))
    assert opened(one).content == same.content
    assert opened(one).content != changed.content
    for part in header["parts"].values():  # as folders were written before
        del part["inputs"]["sha256"], part["targets"]["sha256"]
    shutil.copytree(one, tmp_path / "old")
    (tmp_path / "old" / "data.json").write_text(json.dumps(header))
    assert torch.equal(opened(tmp_path / "old").train.inputs, opened(one).train.inputs)


def test_a_round_of_340000_clients_is_planned_in_milliseconds() -> None:
    """As many clients and rows as Stack Overflow's users; measured: 0.3 ms a round."""
    clients = Population(ClientRows(np.arange(0, 340_001 * 30, 30)))
    schedule = Schedule(
        10, 1, 16, "minibatch", "samples", DEVICES.build(DEVICES.component("equal"))
    )
    check_clients(clients)
    seconds = []
    for round_ in range(1, 21):
        began = time.process_time()
        drawn = plan(0, round_, clients, schedule)
        seconds.append(time.process_time() - began)
        assert (drawn.all_rows_KM == 30 * drawn.clients_K[:, None] + np.arange(30)).all()
    assert np.median(seconds) < 0.01
