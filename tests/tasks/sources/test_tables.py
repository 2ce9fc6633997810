"""Where rows come from: files of several kinds, folders of clients and of parts,
what their names give.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, TASKS, Task
from headstart.tasks.sources.tables import header, read

DRAW = np.random.Generator(np.random.Philox(key=10))
PLAIN: dict[str, Any] = {"mean": [0.0], "deviation": [1.0], "validation": 0.0}


def task(path: Path, **parameters: Any) -> Task:
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    return TASKS.build(TASKS.component({"table": {"path": str(path), "label": "y", **parameters}}))


def rows(count: int, first: int = 0) -> list[tuple[float, int]]:
    return [
        (round(float(value), 3), (first + i) % 2) for i, value in enumerate(DRAW.normal(size=count))
    ]


def csv(path: Path, cells: list[tuple[float, int]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["x,y", *(f"{x},{y}" for x, y in cells)]))
    return path


def refusal(path: Path, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        task(path, **parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def sizes(made: Task) -> list[int]:
    clients = PARTITIONS.build(PARTITIONS.component("natural"))(made, len(made.natural_clients), 0)
    return [len(owned) for owned in clients]


def test_one_file_a_client(tmp_path: Path) -> None:
    for i in range(5):
        csv(tmp_path / f"clinic_{i}.csv", rows(4 + i))
    made = task(tmp_path, client="(file)", split_by="row", test=0.001, **PLAIN)
    assert sum(sizes(made)) == 4 + 5 + 6 + 7 + 8 - 1
    assert sorted(np.array(sizes(made)) - [4, 5, 6, 7, 8]) == [-1, 0, 0, 0, 0]


def test_one_folder_a_client(tmp_path: Path) -> None:
    for i in range(5):
        for part in range(2):
            csv(tmp_path / f"clinic_{i}" / f"{part}.csv", rows(4 + i))
    made = task(tmp_path, client="(folder)", split_by="row", test=0.001, **PLAIN)
    assert sorted(np.array(sizes(made)) - [8, 10, 12, 14, 16]) == [-1, 0, 0, 0, 0]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_folders_of_a_key_and_a_value_are_a_column(kind: str, tmp_path: Path) -> None:
    for i, name in enumerate(("north%20sea", "ulm", "bonn")):
        folder = tmp_path / f"year={2020 + i * i}" / f"clinic={name}"
        cells = rows(4 + i)
        if kind == "csv":
            csv(folder / "part-0.csv", cells)
        else:
            folder.mkdir(parents=True)
            pq.write_table(
                pa.table({"x": [x for x, _ in cells], "y": [y for _, y in cells]}),
                folder / "0.parquet",
            )
    (tmp_path / "_SUCCESS").write_text("")
    made = task(tmp_path, client="clinic", split_by="row", test=0.001, **PLAIN)
    assert made.notes[0] == "features: x, year"
    assert sum(sizes(made)) == 14
    assert len(sizes(made)) == 3
    line = refusal(tmp_path, client="clinik")
    assert "no column 'clinik'; did you mean 'clinic'?" in line


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "val.csv", "test.csv"),
        ("train-00000-of-00001.csv", "validation-00000-of-00001.csv", "test-00000-of-00001.csv"),
        ("train/a.csv", "dev/a.csv", "test/b.csv"),
        ("Train_1.csv", "valid_1.csv", "TEST_1.csv"),
        ("training.csv", "val.csv", "testing.csv"),
        ("my_train.csv", "my_val.csv", "my_test.csv"),
        ("train1.csv", "valid1.csv", "holdout1.csv"),
    ],
)
def test_files_and_folders_called_after_parts_are_those_parts(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    """Else the rows of the test file would be drawn into training."""
    parts = [rows(8), rows(4), rows(6)]
    for name, cells in zip(names, parts, strict=True):
        csv(tmp_path / name, cells)
    made = task(tmp_path, **PLAIN)
    for part, cells in zip((made.train, made.validation, made.test), parts, strict=True):
        assert part.inputs.flatten().tolist() == pytest.approx([x for x, _ in cells])
    way = "folders" if "/" in names[0] else "files"
    assert made.notes == ("features: x", f"splits: by the names of {way}")
    assert torch.equal(task(tmp_path, split=f"({way[:-1]})", **PLAIN).test.inputs, made.test.inputs)


def test_clients_and_parts_may_both_be_names(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("test", 3)):
        for name in ("a", "b"):
            csv(tmp_path / part / f"{name}.csv", rows(count))
    made = task(tmp_path, client="(file)", **PLAIN)
    assert sizes(made) == [5, 5]
    assert made.test_owners is not None
    assert made.test_owners.tolist() == [0] * 3 + [1] * 3


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "tested.csv"),
        ("train.csv", "extra.csv"),
        ("train.csv", "val.csv"),
        ("train/a.csv", "val/a.csv"),
        ("trainset.csv", "testset.csv"),
        ("X_test.csv", "north.csv"),
        ("train/a.csv", "evaluation/a.csv"),
        ("split=train/a.csv", "split=test/a.csv"),
    ],
)
def test_files_of_which_some_seem_to_be_parts_get_one_line(
    names: tuple[str, ...], tmp_path: Path
) -> None:
    """Else the rows of the one to test on would be drawn into training."""
    for name in names:
        csv(tmp_path / name, rows(20))
    line = refusal(tmp_path)
    assert all(repr(name) in line for name in names)
    assert (
        "seem to be splits, but not all files are called after train and test; rename them" in line
    )


def test_a_place_that_says_no_part_gets_one_line(tmp_path: Path) -> None:
    csv(tmp_path / "train.csv", rows(20))
    csv(tmp_path / "tested.csv", rows(20))
    said = "tested.csv: expected a file whose name says train, validation or test"
    assert said in refusal(tmp_path, split="(file)")


def test_clients_whose_names_hold_a_part_are_clients(tmp_path: Path) -> None:
    for name in ("test-hospital", "train-station"):
        csv(tmp_path / f"{name}.csv", rows(20))
    made = task(tmp_path, client="(file)", split_by="row", **PLAIN)
    assert len(sizes(made)) == 2
    csv(tmp_path / "north.csv", rows(20))
    assert len(sizes(task(tmp_path, client="(file)", split_by="row", **PLAIN))) == 3


def test_shards_of_one_part_are_a_table(tmp_path: Path) -> None:
    for i in range(2):
        csv(tmp_path / f"train-0000{i}-of-00002.csv", rows(20))
    assert len(task(tmp_path, **PLAIN).test) == 8


def test_folders_within_are_left_alone_beside_files(tmp_path: Path) -> None:
    csv(tmp_path / "a.csv", rows(20))
    csv(tmp_path / "old" / "b.csv", rows(30))
    made = task(tmp_path, **PLAIN)
    assert len(made.train) + len(made.test) == 20


@pytest.mark.parametrize("sign", [";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spreadsheets_of_other_signs_are_read(
    sign: str, ending: str, mark: str, tmp_path: Path
) -> None:
    cells = rows(20)
    expected = task(csv(tmp_path / "e.csv", cells), **PLAIN)
    text = ending.join([sign.join("xy"), *(f"{x}{sign}{y}" for x, y in cells)])
    (tmp_path / "t.csv").write_bytes((mark + text + ending).encode())
    made = task(tmp_path / "t.csv", **PLAIN)
    assert torch.equal(made.train.inputs, expected.train.inputs)
    assert torch.equal(made.test.targets, expected.test.targets)
    assert made.notes == ("features: x",)


def test_cells_in_quotes_may_hold_signs_and_ends_of_lines(tmp_path: Path) -> None:
    lines = ['who,"x",y', *(f'"k, {i % 3}\n",{i * i},"{i % 2}"' for i in range(20))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    made = task(tmp_path / "t.csv", client="who", features=["x"], split_by="row", **PLAIN)
    assert len(made.natural_clients) == 3
    assert sorted(torch.cat([made.train.inputs, made.test.inputs]).flatten().tolist()) == [
        i * i for i in range(20)
    ]


def test_columns_without_a_name_may_be_several(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("\n".join(["x,y,,", *(f"{x},{y},," for x, y in rows(20))]))
    assert task(tmp_path / "t.csv", **PLAIN).input_shape == (1,)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "x,y\n1,ä\n2,b\n".encode("latin-1"),
            "cannot be read as text: invalid continuation byte at byte 6; save it",
        ),
        (
            "ä,y\n1,a\n".encode("latin-1"),
            "cannot be read as text: invalid continuation byte at byte 0; save it as UTF",
        ),
        (
            "x,y\n1,a\n".encode("utf-16"),
            "cannot be read as text: invalid start byte at byte 0; save it as UTF-8",
        ),
        (b"x,y\n", "expected at least one row, got none"),
        (b"", "is empty: expected the names of columns"),
        (b"x,x,y\n1,2,3\n", "the column 'x' is there twice"),
        (b'x,y\n1,a\n2,"b\n3,a\n4,b\n', "row 1 begins a quote that nothing ends"),
    ],
)
def test_csv_files_that_are_none_get_one_line(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    assert said in refusal(tmp_path / "t.csv")


def test_text_of_parquet_that_is_no_utf8_gets_one_line(tmp_path: Path) -> None:
    binary = pa.array([b"a", b"\xff\xfe"] * 10).cast(pa.binary())
    text = pa.StringArray.from_buffers(20, binary.buffers()[1], binary.buffers()[2])
    pq.write_table(
        pa.table({"x": [float(i * i) for i in range(20)], "y": text}), tmp_path / "t.parquet"
    )
    assert "cannot be read as Parquet: " in (line := refusal(tmp_path / "t.parquet"))
    assert "UTF8" in line


def test_a_damaged_name_or_page_of_parquet_gets_one_line(tmp_path: Path) -> None:
    columns = {"xxxx": [float(i * i) for i in range(20)], "y": [0, 1] * 10}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet", store_schema=False)
    content = (tmp_path / "t.parquet").read_bytes()
    for damaged in (
        content.replace(b"xxxx", b"\xff\xfe\xfd\xfc"),
        content[:4] + bytes(60) + content[64:],
    ):
        (tmp_path / "t.parquet").write_bytes(damaged)
        assert "t.parquet" in refusal(tmp_path / "t.parquet")


def test_a_lone_quote_within_a_cell_is_a_sign(tmp_path: Path) -> None:
    cells = ("5 inch", '3" pipe')
    lines = [f"{i * i},{cells[i % 2]}" for i in range(11)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *lines]))
    assert task(tmp_path / "t.csv").classes == ('3" pipe', "5 inch")


def test_types_of_others_are_read_as_they_are_stored(tmp_path: Path) -> None:
    who = pa.array([bytes([i % 3] * 16) for i in range(20)], pa.uuid())
    kind = pa.fixed_shape_tensor(pa.float32(), [2, 2])
    cells = pa.array([[1.0, 2.0, 3.0, float(i * i)] for i in range(20)], pa.list_(pa.float32(), 4))
    columns = {"who": who, "x": pa.ExtensionArray.from_storage(kind, cells), "y": [0, 1] * 10}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    made = task(tmp_path / "t.parquet", client="who", split_by="row", shape=[1, 2, 2])
    assert len(made.natural_clients) == 3
    assert made.input_shape == (1, 2, 2)


def test_one_client_is_not_drawn_apart(tmp_path: Path) -> None:
    file = csv(tmp_path / "t.csv", rows(20))
    assert "expected several clients, of whom some test, got one; draw rows" in refusal(
        file, client="(file)"
    )


def test_a_key_that_is_there_twice_gets_one_line(tmp_path: Path) -> None:
    lines = [json.dumps({"x": x, "y": y}) for x, y in rows(20)]
    lines[3] = '{"x": 1, "y": 0, "x": 2}'
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    assert "row 3 has the key 'x' twice; leave one out" in refusal(tmp_path / "t.jsonl")


def test_a_key_that_the_first_objects_lack_is_a_column(tmp_path: Path) -> None:
    """Writers of JSON leave out what is null: the column was gone, and a run was at chance."""
    path = tmp_path / "late.jsonl"
    path.write_text('{"x": 1, "y": "a"}\n{"x": 2, "w": 3, "y": "b"}\n')
    assert header(path).columns == ["x", "y", "w"]
    with pytest.raises(HeadstartError, match="row 0 has nothing in column 'w'"):
        read(path, ["x", "w"])
    assert read(path, ["w"], ["w"]).column("w").to_pylist() == [None, 3]


def test_a_column_of_a_later_file_is_one_of_the_folder(tmp_path: Path) -> None:
    """It was gone without a word; the other way round it was an error, and so it is now."""
    (tmp_path / "a.csv").write_text("x,y\n1,a\n")
    (tmp_path / "b.csv").write_text("x,w,y\n2,3,b\n")
    assert header(tmp_path).columns == ["x", "y", "w"]
    with pytest.raises(HeadstartError, match=r"a\.csv: no column 'w'"):
        read(tmp_path, header(tmp_path).columns)
    assert len(read(tmp_path, ["x", "y"])) == 2


def test_a_list_of_objects_is_a_table(tmp_path: Path) -> None:
    cells = rows(20)
    (tmp_path / "t.json").write_text(json.dumps([{"x": x, "y": y} for x, y in cells]))
    made, expected = (
        task(path, **PLAIN) for path in (tmp_path / "t.json", csv(tmp_path / "e.csv", cells))
    )
    assert torch.equal(made.train.inputs, expected.train.inputs)
    for content, said in (
        ("[1]", "row 0 is 1, expected an object"),
        ('{"a": 1}', "expected a list of objects"),
        ('{"a": 1}\n{"a": 2}', "an object a line is a file .jsonl"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[]", "is empty"),
    ):
        (tmp_path / "t.json").write_text(content)
        assert said in refusal(tmp_path / "t.json")


def test_the_json_of_leaf_is_a_table_of_users(tmp_path: Path) -> None:
    """LEAF's synthetic data: train and test files of the same users, x of numbers, y whole."""
    drawn = {part: {user: (DRAW.normal(size=(n, 4)).round(3).tolist(), [i % 2 for i in range(n)])
                    for user, n in (("u1", 6), ("u0", 4))}
             for part in ("train", "test")}  # fmt: skip
    for part, users in drawn.items():
        (tmp_path / part).mkdir()
        data = {user: {"x": x, "y": y} for user, (x, y) in users.items()}
        content = {"users": list(users), "num_samples": [6, 4], "user_data": data}
        (tmp_path / part / f"all_data_{part}.json").write_text(json.dumps(content))
    made = task(tmp_path, client="user", **PLAIN)
    assert made.notes == ("features: x[0], x[1], x[2], x[3]", "splits: by the names of folders")
    assert made.train.inputs.tolist() == pytest.approx(
        np.array(drawn["train"]["u1"][0] + drawn["train"]["u0"][0])
    )
    assert sizes(made) == [4, 6]  # u0, then u1
    assert task(tmp_path, client="user", features=["x"], shape=[1, 2, 2], **PLAIN).input_shape == (
        1,
        2,
        2,
    )
    file = tmp_path / "train" / "all_data_train.json"
    for content, said in (  # type: ignore[assignment]
        (
            {"users": ["u"], "user_data": {}},
            "expected x and y, lists as long as each other, of user 'u'",
        ),
        (
            {"users": ["u"], "user_data": {"u": {"x": [1], "y": []}}},
            "lists as long as each other, of user 'u'",
        ),
        (
            {"users": 3, "user_data": {}},
            "expected an object under LEAF's key user_data, and a list under users",
        ),
    ):
        file.write_text(json.dumps(content))
        assert said in refusal(tmp_path, client="user")


def test_tweets_of_leaf_have_a_column_for_each_item(tmp_path: Path) -> None:
    tweets = {
        f"u{i}": {"x": [[str(i), "Mon", f"tea {i}"]] * 3, "y": ["0", "4", "0"]} for i in range(10)
    }
    (tmp_path / "all.json").write_text(json.dumps({"users": list(tweets), "user_data": tweets}))
    made = task(tmp_path, client="user", text="x[2]", words=1)
    assert made.classes == ("0", "4")
    assert made.train.inputs[0].tolist() == [0.5]


def test_ten_thousand_columns_of_a_csv_file_are_read_in_seconds(tmp_path: Path) -> None:
    names = [f"x{i}" for i in range(10_000)]
    lines = [
        ",".join(["y", *names]),
        *(",".join([str(i % 2), *["0.5", str(i * i)] * 5000]) for i in range(12)),
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    began = time.process_time()
    assert task(tmp_path / "t.csv").input_shape == (10_000,)
    assert time.process_time() - began < 10


def test_text_of_leaf_is_a_table_of_text(tmp_path: Path) -> None:
    data = {
        f"u{i}": {"x": [f"tea and ale {i}"] * 3, "y": ["good", "bad", "good"]} for i in range(10)
    }
    (tmp_path / "all.json").write_text(json.dumps({"users": list(data), "user_data": data}))
    made = task(tmp_path, client="user", text="x", words=3)
    assert made.classes == ("bad", "good")
    assert made.train.inputs[0].tolist() == [0.25] * 3


@pytest.mark.parametrize("name", ["pipe.csv", "pipe.parquet", "pipe.jsonl", "pipe.json"])
def test_a_pipe_or_a_device_is_no_file(name: str, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / name)
    assert "expected a file or a folder, got a pipe, a socket or a device" in refusal(
        tmp_path / name
    )
    (tmp_path / f"zero{Path(name).suffix}").symlink_to("/dev/zero")
    assert "expected a file or a folder, got a pipe" in refusal(
        tmp_path / f"zero{Path(name).suffix}"
    )
    assert refusal(tmp_path).endswith("the folder has none")
    (tmp_path / "owner1").mkdir()
    (tmp_path / "owner1/circle_1.PNG").write_bytes(b"")
    said = refusal(tmp_path)
    assert (
        "the folder has none, but images such as 'owner1/circle_1.PNG': put a file labels.csv "
        "there with a" in said
    )
    assert "\n" not in said


def test_images_that_are_devices_or_no_paths_get_one_line(tmp_path: Path) -> None:
    for cell, said in (
        ("/dev/zero", "expected a file or a folder"),
        ("a\0b", "which no file can have"),
    ):
        pq.write_table(pa.table({"photo": [cell] * 4, "y": [0, 1] * 2}), tmp_path / "t.parquet")
        line = refusal(tmp_path / "t.parquet", image="photo", unseen="keep")
        assert "row 0 has an image in column 'photo' that cannot be read: " in line
        assert said in line


@pytest.mark.parametrize("written", ["a\0b.csv", "a\ud800.csv"])
def test_paths_that_no_file_can_have_get_one_line(written: str) -> None:
    assert "which is no letter" in refusal(Path(written))


def test_a_parquet_file_larger_than_memory_gets_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end says so, before anything is read."""
    cells = {"x": [0.5] * 4000, "y": [i % 2 for i in range(4000)]}
    pq.write_table(pa.table(cells), tmp_path / "t.parquet")
    monkeypatch.setattr("os.sysconf", lambda name: 200)  # 40,000 bytes
    line = refusal(tmp_path / "t.parquet")
    assert "t.parquet: 4000 rows take 0.0 GiB, and this machine has 0.0 GiB of memory" in line
    assert "choose a smaller table, fewer columns, or pack it for the task on-disk" in line
