"""FEMNIST in LEAF's form, the hub's and that of the genuine sample: images as they are,
writers are clients.
"""

import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, TASKS, Task

SAMPLE = Path(os.environ.get("HEADSTART_DATA", "")) / "femnist_leaf_sample.parquet"
needs_sample = pytest.mark.skipif(
    not SAMPLE.is_file(), reason="needs femnist_leaf_sample.parquet in $HEADSTART_DATA"
)

ROWS = 80
IMAGES = np.random.Generator(np.random.Philox(key=4)).integers(0, 256, (ROWS, 784), dtype=np.uint8)
LABELS = np.arange(ROWS) % 62
WRITERS = np.array([f"f{i % 20:04}_{i % 20}" for i in range(ROWS)])


def task(path: Path, **parameters: Any) -> Task:
    return TASKS.build(TASKS.component({"femnist": {"path": str(path), **parameters}}))


def leaf(folder: Path, tests: np.ndarray[Any, Any], **changes: Any) -> Path:
    """LEAF's folders, the training split in two files."""
    for name, mask in (
        ("train/0", ~tests & (LABELS < 31)),
        ("train/1", ~tests & (LABELS >= 31)),
        ("test/0", tests),
    ):
        users = sorted(set(WRITERS[mask]))
        data = {
            user: {
                "x": (IMAGES[mask & (user == WRITERS)] / 255).tolist(),
                "y": LABELS[mask & (user == WRITERS)].tolist(),
            }
            for user in users
        }
        counts = [len(data[user]["y"]) for user in users]
        file = folder / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(
            json.dumps({"users": users, "num_samples": counts, "user_data": data, **changes})
        )
    return folder


def hub(path: Path, rows: slice = slice(None), **changes: Any) -> Path:
    cells = []
    for image in IMAGES[rows]:
        buffer = io.BytesIO()
        Image.fromarray(image.reshape(28, 28)).save(buffer, "png")
        cells.append({"bytes": buffer.getvalue(), "path": None})
    columns = {
        "image": pa.array(cells),
        "writer_id": WRITERS[rows],
        "hsf_id": np.zeros(len(cells), np.int64),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({**columns, "character": pa.array(LABELS[rows]), **changes}), path)
    return path


def rows_of(*parts: Any) -> list[tuple[int, bytes]]:
    return sorted(
        (int(y), x.numpy().tobytes())
        for part in parts
        for x, y in zip(part.inputs, part.targets, strict=True)
    )


EVERY = sorted((int(y), x.tobytes()) for y, x in zip(LABELS, IMAGES, strict=True))


def writers_of(part: Any) -> set[str]:
    place = {image.tobytes(): writer for image, writer in zip(IMAGES, WRITERS, strict=True)}
    return {place[image] for _, image in rows_of(part)}


def test_leafs_folders_split_by_writer(tmp_path: Path) -> None:
    tests = np.isin(WRITERS, np.unique(WRITERS)[:4])
    made = task(leaf(tmp_path, tests), validation=0.25)
    assert rows_of(made.train, made.validation, made.test) == EVERY
    assert rows_of(made.test) == sorted(
        pair for pair, test in zip(_pairs(), tests, strict=True) if test
    )
    train, validation, test = (
        writers_of(part) for part in (made.train, made.validation, made.test)
    )
    assert (len(train), len(validation), len(test)) == (12, 4, 4)
    assert not train & validation
    assert not test & (train | validation)
    clients = PARTITIONS.build(PARTITIONS.component("natural"))(made, 12, 0)
    assert {len(rows) for rows in clients} == {4}
    assert made.input_shape == (1, 28, 28)
    assert (made.classes[0], made.classes[10], made.classes[36], made.classes[61]) == (
        "0",
        "A",
        "a",
        "z",
    )


def test_leafs_numbers_that_are_no_bytes_are_kept(tmp_path: Path) -> None:
    users = np.unique(WRITERS)
    data = {user: {"x": [[0.3] * 784], "y": [1]} for user in users}
    made = task(leaf(tmp_path, np.isin(WRITERS, users[:4]), user_data=data))
    assert torch.equal(
        made.prepare()(made.train.inputs), torch.full((len(made.train), 1, 28, 28), 0.3)
    )
    assert made.train.inputs.dtype == torch.float32


def test_leafs_users_without_samples_are_left_out(tmp_path: Path) -> None:
    tests = np.isin(WRITERS, np.unique(WRITERS)[:4])
    folder = leaf(tmp_path, tests)
    file = folder / "train" / "0.json"
    content = json.loads(file.read_text())
    content["users"].append("nobody")
    content["user_data"]["nobody"] = {"x": [], "y": []}
    file.write_text(json.dumps(content))
    made = task(folder, validation=0.0)
    assert rows_of(made.train, made.test) == EVERY
    assert len(np.unique(made.owners)) == 16  # type: ignore[arg-type]


def _pairs() -> list[tuple[int, bytes]]:
    return [(int(y), x.tobytes()) for y, x in zip(LABELS, IMAGES, strict=True)]


def test_leafs_folders_split_by_sample_are_kept(tmp_path: Path) -> None:
    tests = np.arange(ROWS) >= 60  # every writer has three images to train on and one to test on
    made = task(leaf(tmp_path, tests), validation=0.0)
    assert rows_of(made.test) == sorted(_pairs()[60:])
    assert writers_of(made.train) == writers_of(made.test) == set(WRITERS)
    assert len(np.unique(made.owners)) == 20  # type: ignore[arg-type]


@pytest.mark.parametrize("folder", [False, True])
def test_the_hubs_form_is_split_by_writer(folder: bool, tmp_path: Path) -> None:
    if folder:
        hub(tmp_path / "data" / "train-00000-of-00002.parquet", slice(30))
        hub(tmp_path / "data" / "train-00001-of-00002.parquet", slice(30, None))
    made = task(
        tmp_path if folder else hub(tmp_path / "femnist.parquet"), test=0.2, validation=0.25
    )
    assert rows_of(made.train, made.validation, made.test) == EVERY
    train, validation, test = (
        writers_of(part) for part in (made.train, made.validation, made.test)
    )
    assert (len(train), len(validation), len(test)) == (12, 4, 4)
    few = task(
        tmp_path if folder else tmp_path / "femnist.parquet", test=0.2, validation=0.25, writers=8
    )
    assert writers_of(few.test) == test
    assert (len(writers_of(few.train)), len(writers_of(few.validation))) == (6, 2)


def test_bad_files_get_one_line(tmp_path: Path) -> None:
    tests = np.isin(WRITERS, np.unique(WRITERS)[:4])

    def refusal(path: Path, **parameters: Any) -> str:
        with pytest.raises(HeadstartError) as caught:
            task(path, **parameters)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "expected LEAF's folders train and test with .json files, or .parquet files" in refusal(
        tmp_path
    )
    (tmp_path / "none" / "train").mkdir(parents=True)
    assert "none/train: expected LEAF's .json files, found none" in refusal(tmp_path / "none")
    short = leaf(
        tmp_path / "short",
        tests,
        user_data={user: {"x": [[0.5] * 783], "y": [1]} for user in WRITERS},
    )
    assert "user 'f0004_4': expected as many x as y, each 784 numbers in [0, 1]" in refusal(short)
    wrong = leaf(
        tmp_path / "wrong",
        tests,
        user_data={user: {"x": [[0.5] * 784], "y": [62]} for user in WRITERS},
    )
    assert "user 'f0004_4': expected y, a list of whole numbers 0 to 61" in refusal(wrong)
    keys = leaf(tmp_path / "keys", tests, user_data={})
    assert "expected x and y of user 'f0004_4' in user_data, got None" in refusal(keys)
    lists = leaf(tmp_path / "lists", tests, user_data=[])
    assert "expected an object under LEAF's key user_data, got []" in refusal(lists)
    (tmp_path / "lists" / "train" / "0.json").write_text('{"user_data": {}}')
    assert "expected a list under LEAF's key users, got nothing" in refusal(lists)
    (tmp_path / "lists" / "train" / "0.json").write_text("[]")
    assert "expected an object with LEAF's keys users and user_data, got []" in refusal(lists)
    for i, y in enumerate((5, [[1]], ["a"], [1.0])):
        samples = {user: {"x": [[0.5] * 784], "y": y} for user in WRITERS}
        wrong = leaf(tmp_path / f"y{i}", tests, user_data=samples)
        assert "user 'f0004_4': expected y, a list of whole numbers 0 to 61" in refusal(wrong)
    assert (
        "nowhere: no such file or folder; say where FEMNIST lies: femnist(path='...')"
        in refusal(tmp_path / "nowhere")
    )
    (tmp_path / "keys" / "train" / "0.json").write_text("{")
    assert "0.json cannot be read as JSON" in refusal(keys)
    file = hub(tmp_path / "hub.parquet", character=pa.array([*LABELS[:-1], 62]))
    assert "row 79 has 62 in column 'character', expected 0 to 61" in refusal(file)
    assert "expected at most the 18 training writers, got 19" in refusal(
        hub(tmp_path / "h.parquet"), writers=19
    )
    (tmp_path / "d.parquet").write_bytes(b"no Parquet")
    assert "cannot be read as Parquet" in refusal(tmp_path / "d.parquet")


@needs_sample
def test_the_genuine_sample() -> None:
    """5 writers who have images in both parts, as LEAF splits with -t sample;
    ink is dark on white.
    """
    made = task(SAMPLE, validation=0.0)
    assert [len(part) for part in (made.train, made.validation, made.test)] == [78, 0, 89]
    assert len(np.unique(made.owners)) == 5  # type: ignore[arg-type]
    assert len(torch.cat([made.train.targets, made.test.targets]).unique()) == 40
    rows = pq.read_table(SAMPLE).to_pylist()
    for part in ("train", "test"):
        expected = sorted((row["label"], row["image"]) for row in rows if row["split"] == part)
        assert rows_of(getattr(made, part)) == expected
    inputs = made.prepare()(made.train.inputs)
    assert inputs[:, :, 0, :].mean() > 0.99  # the margin is white
    assert inputs.median() > 0.95  # and so is most of an image
    assert inputs[:, :, 8:20, 8:20].mean() < inputs.mean() < 1  # ink is dark, and in the middle


def test_a_writer_who_is_there_twice_gets_one_line(tmp_path: Path) -> None:
    for part in ("train", "test"):
        (tmp_path / part).mkdir()
        samples = '{"x": [], "y": []}'
        (tmp_path / part / "a.json").write_text(
            f'{{"users": ["u"], "user_data": {{"u": {samples}, "u": {samples}}}}}'
        )
    with pytest.raises(HeadstartError, match="json has the key 'u' twice; leave one out"):
        TASKS.build(TASKS.component({"femnist": {"path": str(tmp_path)}}))
