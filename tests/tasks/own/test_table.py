"""The user's own table: three kinds of file give the same task, parts are exact, faults get one line with the place."""

import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import EpsImagePlugin, Image

from headstart.errors import HeadstartError
from headstart.tasks.base import PARTITIONS, TASKS, Task
from headstart.tasks.sources.pixels import encoded_images

ROWS = 60
DRAW = np.random.Generator(np.random.Philox(key=1))
COLUMNS: dict[str, list[Any]] = {
    "who": [f"c{i % 12}" for i in range(ROWS)],
    "x": [float(value) for value in DRAW.normal(5, 3, ROWS).round(3)],
    "n": [int(value) for value in DRAW.integers(-4, 9, ROWS)],
    "y": [["10", "9", "x"][i % 3] for i in range(ROWS)],
}


def csv(path: Path, columns: dict[str, list[Any]]) -> Path:
    lines = [",".join(columns), *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True))]
    path.write_text("\n".join(lines) + "\n")
    return path


def jsonl(path: Path, columns: dict[str, list[Any]]) -> Path:
    rows = zip(*columns.values(), strict=True)
    path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
    return path


def parquet(path: Path, columns: dict[str, list[Any]]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


WRITERS: dict[str, Callable[[Path, dict[str, list[Any]]], Path]] = {"csv": csv, "jsonl": jsonl, "parquet": parquet}


def task(path: Path, **parameters: Any) -> Task:
    return TASKS.build(TASKS.component({"table": {"path": str(path), "label": "y", **parameters}}))


def raw(made: Task) -> list[tuple[float, ...]]:
    """Every row of all parts as (features..., label), sorted."""
    parts = (made.train, made.validation, made.test)
    return sorted((*map(float, x), float(y)) for part in parts for x, y in zip(part.inputs, part.targets, strict=True))


@pytest.mark.parametrize("kind", WRITERS)
def test_every_row_is_in_one_part_as_in_the_file(kind: str, tmp_path: Path) -> None:
    file = WRITERS[kind](tmp_path / f"t.{kind}", COLUMNS)
    made = task(file, client="who", mean=[0.0], deviation=[1.0])
    assert made.classes == ("10", "9", "x")  # text, as not all are numbers
    expected = [
        (np.float32(x), float(n), float(made.classes.index(y)))
        for x, n, y in zip(COLUMNS["x"], COLUMNS["n"], COLUMNS["y"], strict=True)
    ]
    assert np.array_equal(raw(made), sorted(expected))
    # 12 clients of 5 rows: round(0.2 * 12) = 2 test, round(0.1 * 10) = 1 validates, 9 are left
    assert [len(part) for part in (made.train, made.validation, made.test)] == [45, 5, 10]
    clients = PARTITIONS.build(PARTITIONS.component("natural"))(made, 9, 0)
    assert {len(rows) for rows in clients} == {5}


def test_three_kinds_of_file_give_the_same_task(tmp_path: Path) -> None:
    made = [task(write(tmp_path / f"t.{kind}", COLUMNS), client="who") for kind, write in WRITERS.items()]
    for other in made[1:]:
        assert other.classes == made[0].classes
        assert np.array_equal(other.owners, made[0].owners)  # type: ignore[arg-type]
        for part in ("train", "validation", "test"):
            assert torch.equal(getattr(other, part).inputs, getattr(made[0], part).inputs)
            assert torch.equal(getattr(other, part).targets, getattr(made[0], part).targets)


def test_without_moments_training_rows_have_mean_0_and_deviation_1(tmp_path: Path) -> None:
    columns: dict[str, Any] = {**COLUMNS, "constant": [7] * ROWS}
    made = task(csv(tmp_path / "t.csv", columns), features=["x", "n", "constant"], split_by="row")
    inputs = made.train.inputs.double()
    assert torch.allclose(inputs.mean(0), torch.zeros(3, dtype=torch.float64), atol=1e-6)
    assert torch.allclose(inputs[:, :2].std(0, correction=0), torch.ones(2, dtype=torch.float64), atol=1e-6)
    assert (inputs[:, 2] == 0).all()


@pytest.mark.parametrize(
    ("labels", "names"),
    [([10, 9, -1], ("-1", "9", "10")), (["10", "9", "-1"], ("-1", "9", "10")), (["b", "a", "C"], ("C", "a", "b")),
     ([True, False, True], ("False", "True")), ([1.5, 0.5, 2.0], ("0.5", "1.5", "2.0"))],
)  # fmt: skip
def test_classes_are_in_order_whatever_their_type(labels: list[Any], names: tuple[str, ...], tmp_path: Path) -> None:
    values = [labels[i % 3] for i in range(ROWS)]
    made = task(parquet(tmp_path / "t.parquet", {**COLUMNS, "y": values}), features=["x"], split_by="row")
    assert made.classes == names
    counts = sum(torch.bincount(p.targets, minlength=len(names)) for p in (made.train, made.validation, made.test))
    assert torch.as_tensor(counts).tolist() == [sum(str(v) == name for v in values) for name in names]


def test_a_split_column_is_kept(tmp_path: Path) -> None:
    words = ["train"] * 40 + ["validation"] * 8 + ["test"] * 12
    shift: dict[str, Any] = {"mean": [0.0], "deviation": [1.0]}
    made = task(csv(tmp_path / "t.csv", {**COLUMNS, "part": words}), split="part", features=["x"], **shift)
    for part, rows in (("train", slice(40)), ("validation", slice(40, 48)), ("test", slice(48, None))):
        assert torch.equal(getattr(made, part).inputs[:, 0], torch.tensor(COLUMNS["x"][rows]))
    words = ["train"] * 48 + ["test"] * 12
    made = task(csv(tmp_path / "u.csv", {**COLUMNS, "part": words}), split="part", client="who", validation=0.25)
    assert [len(part) for part in (made.train, made.validation, made.test)] == [36, 12, 12]  # 3 of 12 clients, 4 rows
    assert len(np.unique(made.owners)) == 9  # type: ignore[arg-type]


def encoded(image: np.ndarray[Any, Any]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "png")
    return buffer.getvalue()


def test_images_as_bytes_and_as_paths_are_the_same(tmp_path: Path) -> None:
    pixels = DRAW.integers(0, 256, (10, 6, 4, 3), dtype=np.uint8)
    for i, image in enumerate(pixels):
        (tmp_path / f"{i}.png").write_bytes(encoded(image))
    columns: dict[str, Any] = {"y": [i % 2 for i in range(10)], "photo": [f"{i}.png" for i in range(10)]}
    shift: dict[str, Any] = {"image": "photo", "mean": [0.0], "deviation": [1.0], "validation": 0.0}
    one = task(csv(tmp_path / "t.csv", columns), **shift)
    other = task(parquet(tmp_path / "t.parquet", {**columns, "photo": [encoded(image) for image in pixels]}), **shift)
    hub = [{"bytes": encoded(image), "path": None} for image in pixels]
    third = task(parquet(tmp_path / "hub.parquet", {**columns, "photo": hub}), **shift)
    assert one.input_shape == (3, 6, 4)
    for made in (one, other, third):
        inputs = torch.cat([made.train.inputs, made.test.inputs])
        got = inputs.permute(0, 2, 3, 1).numpy()
        assert sorted(image.tobytes() for image in got) == sorted(image.tobytes() for image in pixels)
        assert torch.equal(made.prepare()(inputs), inputs.float() / 255)
    grey = task(tmp_path / "t.csv", **{**shift, "colour": False, "size": [3, 2]})
    assert grey.input_shape == (1, 3, 2)
    found = task(tmp_path / "t.csv", image="photo")
    standard = found.prepare()(found.train.inputs).double()
    assert torch.allclose(standard.mean((0, 2, 3)), torch.zeros(3, dtype=torch.float64), atol=1e-5)
    assert torch.allclose(standard.std((0, 2, 3), correction=0), torch.ones(3, dtype=torch.float64), atol=1e-5)


def changed(column: str, row: int, value: Any) -> dict[str, list[Any]]:
    cells = list(COLUMNS[column])
    cells[row] = value
    return {**COLUMNS, column: cells}


@pytest.mark.parametrize("number", ["3,5", "-1.234,5"])
def test_decimal_commas_are_called_so(tmp_path: Path, number: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text("x;y\n" + f"{number};a\n{number};b\n" * 20)
    with pytest.raises(HeadstartError, match=rf"row 0 has '{number}' in column 'x', .*; write decimal points, as p"):
        task(file, features=["x"], label="y")


def test_numbers_whose_squares_are_nothing_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("x,y\n" + "1e-200,a\n3e-200,b\n" * 20)
    with pytest.raises(HeadstartError, match=r"column 'x' has no number beyond 3.0e-200, whose variance would be 0"):
        task(file, features=["x"], label="y")


FAULTS: list[tuple[str, dict[str, list[Any]], dict[str, Any], str]] = [
    ("csv", COLUMNS, {"client": "whom"}, "no column 'whom'; did you mean 'who'?"),
    ("csv", changed("x", 5, "2024-02-03 10:00"), {"features": ["x"]}, "; a date is no number: leave it out by naming"),
    ("csv", changed("who", 5, ""), {"client": "who"}, "row 5 has nothing in column 'who'"),
    ("jsonl", changed("who", 6, None), {"client": "who"}, "row 6 has nothing in column 'who'"),
    ("parquet", changed("y", 7, None), {"features": ["x"]}, "row 7 has nothing in column 'y'"),
    ("csv", changed("x", 8, "much"), {"features": ["x"]}, "row 8 has 'much' in column 'x', expected a finite number"),
    ("csv", changed("x", 9, "nan"), {"features": ["x"]}, "row 9 has 'nan' in column 'x', expected a finite number"),
    ("parquet", changed("x", 3, np.inf), {"features": ["x"]}, "row 3 has inf in column 'x', expected a finite number"),
    ("jsonl", changed("y", 4, 3), {"features": ["x"]},
     "row 4 has 3 in column 'y', where row 0 has '10'; expected text in all rows, numbers, lists of numbers,"),
    ("jsonl", changed("x", 4, True), {"features": ["x"]}, "row 4 has True in column 'x', where row 0 has"),
    ("parquet", {**COLUMNS, "x": [["a"]] * ROWS}, {"features": ["x"]}, "expected lists of numbers in column 'x', got"),
    ("parquet", {**COLUMNS, "y": [[1]] * ROWS}, {"features": ["x"]}, "expected text, whole numbers or true and false"),
    ("csv", COLUMNS, {}, "row 0 has 'c0' in column 'who', expected a finite number"),
    ("csv", COLUMNS, {"features": ["x", "y"]}, "expected one use for each column, got 'y' as label and features"),
    ("csv", COLUMNS, {"features": ["x"], "image": "n"}, "expected image, features or text, got both image and feat"),
    ("csv", COLUMNS, {"features": ["x"], "split_by": "client"}, "split_by: expected a client column"),
    ("csv", {**COLUMNS, "part": (["train"] * 18 + ["validation", "test"]) * (ROWS // 20)},
     {"features": ["x"], "split": "part", "split_by": "row"}, "table.split_by: nothing is drawn where column 'part'"),
    ("csv", COLUMNS, {"features": ["x"], "words": 200}, "table.words: expected it with text and a label"),
    ("csv", COLUMNS, {"features": ["x"], "split": "who"}, "row 0 has 'c0' in column 'who', expected train, validation"),
    ("csv", COLUMNS, {"features": ["x"], "mean": [1.0, 2.0]}, "table.mean: expected one number, or 1, got 2"),
    ("csv", COLUMNS, {"features": ["x"], "deviation": [0.0]}, "table.deviation: expected numbers > 0, got 0.0"),
    ("csv", {**COLUMNS, "y": ["new" if c in ("c0", "c1", "c2") else "old" for c in COLUMNS["who"]],
             "part": ["test" if c in ("c0", "c1", "c2") else "train" for c in COLUMNS["who"]]},
     {"features": ["x"], "split": "part"}, "row 0 has 'new' in column 'y', as no training row has (15 such rows)"),
    ("parquet", {**COLUMNS, "y": DRAW.normal(size=ROWS * 2).tolist(), "x": COLUMNS["x"] * 2, "n": COLUMNS["n"] * 2,
                 "who": COLUMNS["who"] * 2}, {"features": ["x"]}, "has 120 different numbers with fractions"),
    ("csv", COLUMNS, {"image": "who"}, "row 0 has an image in column 'who' that cannot be read: 'c0': No such file"),
    ("csv", {name: [] for name in COLUMNS}, {"features": ["x"]}, "expected at least one row, got none"),
    ("parquet", changed("x", 7, 1e300), {"features": ["x"]}, "row 7 has 1e+300 in column 'x', expected a number of at"),
    ("csv", {**COLUMNS, "y": [f"{i}.5" for i in range(ROWS * 2)], "x": COLUMNS["x"] * 2, "n": COLUMNS["n"] * 2,
             "who": COLUMNS["who"] * 2}, {"features": ["x"]}, "has 120 different numbers with fractions, 0.5 to"),
    ("parquet", {**COLUMNS, "part": [["train"]] * ROWS}, {"features": ["x"], "split": "part"},
     "expected train, validation or test in column 'part', got list"),
    ("jsonl", changed("who", 5, "\ud800"), {"client": "who"}, "row 5 has '\\ud800' in column 'who', expected text"),
    ("jsonl", changed("n", 3, 2**63), {"features": ["n"]}, "row 3 has 9223372036854775808 in column 'n', expected a"),
    ("jsonl", changed("x", 3, 10**400), {"features": ["x"]}, "in column 'x', expected a number of fewer digits"),
    ("csv", changed("x", 4, 1e30), {"features": ["x"], "mean": [0.0], "deviation": [1e-30]},
     "row 4 is beyond float32 in column 'x', less 0 and divided by 1e-30"),
    ("parquet", {**COLUMNS, "x": pa.array([{"bytes": b"", "path": None}] * ROWS)}, {"image": "x"}, "row 0 has nothing"),
    ("jsonl", {**COLUMNS, "\ud800": COLUMNS["x"]}, {"client": "who"}, "as a column's name, got '\\ud800'"),
    ("csv", COLUMNS, {"features": ["x"], "test": 0.6, "validation": 0.6},
     "table: expected test and validation of less than 1 together, got 0.6 and 0.6"),
    ("csv", COLUMNS, {"label": None}, "table.label: expected the column of classes, got nothing"),
    ("csv", COLUMNS, {"text": "who", "mean": [0.0]}, "table: expected mean and deviation with numbers or images"),
    ("parquet", COLUMNS, {"text": "x"}, "expected text in column 'x', got double"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "columns", "parameters", "message"), FAULTS)
def test_faults_get_one_line_with_file_row_and_column(
    kind: str, columns: dict[str, list[Any]], parameters: dict[str, Any], message: str, tmp_path: Path
) -> None:
    file = WRITERS[kind](tmp_path / f"t.{kind}", columns)
    with pytest.raises(HeadstartError) as caught:
        task(file, **parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(file) in str(caught.value) or str(caught.value).startswith("table")


def test_damaged_files_and_images_get_one_line(tmp_path: Path) -> None:
    def refusal(name: str, content: bytes, **parameters: Any) -> str:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(HeadstartError) as caught:
            task(tmp_path / name, **parameters)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "or a folder of such files, got 't.xlsx'" in refusal("t.xlsx", b"")
    assert "cannot be read as Parquet" in refusal("t.parquet", b"no Parquet")
    assert "cannot be read as CSV: row 1: Expected 2 columns, got 1: 3" in refusal("t.csv", b"y,x\n1,2\n3\n")
    assert "e.csv is empty" in refusal("e.csv", b"\n")
    assert "e.jsonl is empty" in refusal("e.jsonl", b"\n")
    assert "row 1 has a whole number of more than 4300 digits" in refusal(
        "n.jsonl", b'{"y": 1, "x": 2}\n{"y": 1, "x": ' + b"1" * 5000 + b"}\n"
    )
    assert "cannot be read as text" in refusal("u.csv", b"y,\xff\n1,2\n")
    assert "the column 'x' is there twice" in refusal("v.csv", b"y,x,x\n1,2,3\n")
    assert "row 1 cannot be read as JSON" in refusal("t.jsonl", b'{"y": 1, "x": 2}\n{"y": 1,\n')
    assert "row 1 is [1], expected an object" in refusal("u.jsonl", b'{"y": 1, "x": 2}\n[1]\n')
    images = [encoded(np.zeros((4, 4, 3), np.uint8)), encoded(np.zeros((5, 4, 3), np.uint8)), b"no image"]
    parquet(tmp_path / "i.parquet", {"y": [0, 1, 0], "photo": images})
    with pytest.raises(HeadstartError, match="row 1 has an image in column 'photo' of 5x4 pixels, expected 4x4"):
        task(tmp_path / "i.parquet", image="photo", unseen="keep")
    with pytest.raises(HeadstartError, match="row 2 has an image in column 'photo' that cannot be decoded"):
        task(tmp_path / "i.parquet", image="photo", size=[4, 4], unseen="keep")


def test_features_that_are_large_keep_their_differences(tmp_path: Path) -> None:
    times = [1_700_000_000 + i for i in range(ROWS)]
    constant = [0.1] * ROWS
    made = task(csv(tmp_path / "t.csv", {"y": COLUMNS["y"], "t": times, "c": constant}), features=["t", "c"])
    inputs = torch.cat([part.inputs for part in (made.train, made.validation, made.test)])
    steps = inputs[:, 0].sort().values.diff()
    assert torch.allclose(steps, steps.mean().expand(ROWS - 1), rtol=1e-4)
    assert made.train.inputs[:, 0].double().std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert (inputs[:, 1] == 0).all()  # though the mean of 0.1 is not quite 0.1


def test_images_of_formats_that_run_programs_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pillow hands PostScript to Ghostscript: here to a program of that name that leaves a mark."""
    ran, programs = tmp_path / "ran", tmp_path / "bin"
    programs.mkdir()
    (programs / "gs").write_text(f"#!/bin/sh\necho > {ran}\n")
    (programs / "gs").chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    monkeypatch.setattr(EpsImagePlugin, "gs_binary", None)
    script = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 4 4\n%%EndComments\n{} loop\n%%EOF\n"
    with pytest.raises(HeadstartError) as caught:
        task(parquet(tmp_path / "t.parquet", {"y": [0, 1] * 5, "photo": [script] * 10}), image="photo")
    assert str(caught.value).endswith(
        "row 0 has an image in column 'photo' that cannot be decoded; expected PNG, JPEG, GIF, BMP, WEBP, TIFF or PPM"
    )
    assert not ran.exists()
    with pytest.raises(HeadstartError, match="that cannot be decoded; expected PNG"):
        encoded_images(pa.table({"img": [script]}), "img", tmp_path / "c.parquet", 4, 4)
    assert not ran.exists()


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "bmp", "webp", "tiff", "ppm"])
def test_images_of_common_formats_are_decoded(kind: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3), (255, 255, 255)).save(buffer, kind)
    columns: dict[str, list[Any]] = {"y": [0, 1] * 5, "photo": [buffer.getvalue()] * 10}
    made = task(parquet(tmp_path / "t.parquet", columns), image="photo")
    assert (made.train.inputs == 255).all()
    assert made.input_shape == (3, 3, 4)


def test_images_like_those_of_another_table_are_prepared_as_those(tmp_path: Path) -> None:
    drawn = [DRAW.integers(0, 256, (10, 4, 4, 3), dtype=np.uint8) // (1 + i) for i in range(2)]
    files = [
        parquet(tmp_path / f"{i}.parquet", {"y": [0, 1] * 5, "photo": [encoded(image) for image in images]})
        for i, images in enumerate(drawn)
    ]
    target: dict[str, Any] = {"path": str(files[0]), "label": "y", "image": "photo", "colour": False, "size": [2, 2]}
    made = TASKS.build(TASKS.component({"table": target}))
    proxy = task(files[1], image="photo", like={"table": target})
    assert proxy.input_shape == (1, 2, 2)
    zeros = torch.zeros(1, 1, 2, 2, dtype=torch.uint8)
    assert torch.equal(proxy.prepare()(zeros), made.prepare()(zeros))


def test_images_that_are_larger_than_they_look_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 15)  # of 16 pixels Pillow only warns, of 31 it raises
    file = parquet(tmp_path / "t.parquet", {"y": [0, 1] * 5, "photo": [encoded(np.zeros((4, 4, 3), np.uint8))] * 10})
    with pytest.raises(HeadstartError, match="row 0 has an image in column 'photo' of more than 15 pixels; scale"):
        task(file, image="photo")


@pytest.mark.parametrize("mode", ["I;16", "I", "F"])
def test_images_of_more_than_8_bits_are_refused(mode: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (4, 4), 300).save(buffer, "tiff")
    file = parquet(tmp_path / "i.parquet", {"y": [0, 1] * 5, "photo": [buffer.getvalue()] * 10})
    with pytest.raises(HeadstartError, match="row 0 has an image in column 'photo' of more than 8 bits a channel"):
        task(file, image="photo", colour=False)


def test_images_by_path_are_part_of_the_content(tmp_path: Path) -> None:
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(encoded(np.full((2, 2, 3), i, np.uint8)))
    file = csv(tmp_path / "t.csv", {"y": [0, 1] * 2, "photo": [f"{i}.png" for i in range(4)]})

    def content() -> str:
        TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
        return task(file, image="photo", unseen="keep").content

    before = content()
    assert content() == before
    kept = (tmp_path / "2.png").read_bytes()
    (tmp_path / "2.png").write_bytes((tmp_path / "3.png").read_bytes())
    assert content() != before
    (tmp_path / "2.png").write_bytes(kept)
    assert content() == before


@pytest.mark.parametrize(
    "kind", ["large_string", "dictionary", "string_view", "fixed_size_binary", "large_binary", "binary_view", "hub"]
)
def test_images_of_every_common_type_are_the_same(kind: str, tmp_path: Path) -> None:
    images = [encoded(image) for image in DRAW.integers(0, 256, (10, 3, 3, 3), dtype=np.uint8)]
    paths = [f"{i}.png" for i in range(10)]
    for path, image in zip(paths, images, strict=True):
        (tmp_path / path).write_bytes(image)
    longest = max(map(len, images))
    column: dict[str, Any] = {
        "large_string": pa.array(paths, pa.large_string()),
        "dictionary": pa.array(paths).dictionary_encode(),
        "string_view": pa.array(paths, pa.string_view()),
        "fixed_size_binary": pa.array([image.ljust(longest, b"\0") for image in images], pa.binary(longest)),
        "large_binary": pa.array(images, pa.large_binary()),
        "binary_view": pa.array(images, pa.binary_view()),
        "hub": [{"bytes": None if i % 2 else image, "path": paths[i]} for i, image in enumerate(images)],
    }[kind]
    expected = task(parquet(tmp_path / "e.parquet", {"y": [0, 1] * 5, "photo": images}), image="photo")
    got = task(parquet(tmp_path / "g.parquet", {"y": [0, 1] * 5, "photo": column}), image="photo")  # type: ignore[dict-item]
    assert torch.equal(got.train.inputs, expected.train.inputs)
    assert torch.equal(got.test.inputs, expected.test.inputs)


@pytest.mark.parametrize("kind", ["decimal", "dictionary of text", "dictionary", "large_string", "string_view"])
def test_numbers_and_words_of_every_common_type_are_the_same(kind: str, tmp_path: Path) -> None:
    words = [("train", "test", "train")[i % 3] for i in range(ROWS)]
    made: dict[str, Any] = {
        "decimal": pa.array([Decimal(n) for n in COLUMNS["n"]]),
        "dictionary of text": pa.array(list(map(str, COLUMNS["n"]))).dictionary_encode(),
        "dictionary": pa.array(COLUMNS["n"]).dictionary_encode(),
        "large_string": pa.array(list(map(str, COLUMNS["n"])), pa.large_string()),
        "string_view": pa.array(list(map(str, COLUMNS["n"])), pa.string_view()),
    }[kind]
    text: dict[str, Any] = {"large_string": pa.large_string(), "string_view": pa.string_view()}.get(kind)  # type: ignore[assignment]
    part = pa.array(words, text) if text else pa.array(words).dictionary_encode()
    common: dict[str, Any] = {"features": ["n"], "split": "part", "client": "who", "unseen": "keep"}
    expected = task(parquet(tmp_path / "e.parquet", {**COLUMNS, "part": words}), **common)
    got = task(parquet(tmp_path / "g.parquet", {**COLUMNS, "n": made, "part": part}), **common)  # type: ignore[dict-item]
    assert torch.equal(got.train.inputs, expected.train.inputs)
    assert torch.equal(got.test.targets, expected.test.targets)


@pytest.mark.parametrize("kind", WRITERS)
def test_a_folder_of_files_is_the_table_of_all_their_rows(kind: str, tmp_path: Path) -> None:
    whole = task(WRITERS[kind](tmp_path / f"t.{kind}", COLUMNS), client="who", features=["x", "n"])
    folder = tmp_path / "shards"
    folder.mkdir()
    for i, rows in enumerate((slice(20), slice(20, 45), slice(45, None))):
        WRITERS[kind](folder / f"{i}.{kind}", {name: cells[rows] for name, cells in COLUMNS.items()})
    (folder / "README.md").write_text("what is no table is no part of it")
    made = task(folder, client="who", features=["x", "n"])
    for part in ("train", "validation", "test"):
        assert torch.equal(getattr(made, part).inputs, getattr(whole, part).inputs)
        assert torch.equal(getattr(made, part).targets, getattr(whole, part).targets)
    assert np.array_equal(made.owners, whole.owners)  # type: ignore[arg-type]
    WRITERS[kind](folder / f"1.{kind}", {name: cells[20:45] for name, cells in changed("x", 27, 1e39).items()})
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    with pytest.raises(HeadstartError, match=rf"1.{kind}: row 7 has .*1e\+39'? in column 'x', expected a number of at"):
        task(folder, client="who", features=["x", "n"])
    WRITERS[kind](folder / f"1.{kind}", {name: cells[20:45] for name, cells in changed("x", 27, 0.5).items()})
    assert task(folder, client="who", features=["x", "n"]).content != made.content


def test_a_folder_that_is_no_table_gets_one_line(tmp_path: Path) -> None:
    with pytest.raises(HeadstartError, match="or a folder of such files; the folder has none"):
        task(tmp_path)
    parquet(tmp_path / "a.parquet", COLUMNS)
    other = parquet(tmp_path / "b.parquet", {**COLUMNS, "n": list(map(str, COLUMNS["n"]))})
    with pytest.raises(HeadstartError, match=r"types of a column differ between files: .* Field n has incompatible"):
        task(tmp_path, features=["n"])
    other.unlink()
    csv(tmp_path / "b.csv", COLUMNS)
    with pytest.raises(HeadstartError, match=r"expected files of one kind, got 'a.parquet' and 'b.csv'"):
        task(tmp_path)


def test_lines_with_nothing_are_no_rows(tmp_path: Path) -> None:
    file = jsonl(tmp_path / "t.jsonl", COLUMNS)
    other = tmp_path / "u.jsonl"
    other.write_text("\n" + file.read_text().replace("\n", "\n\n"))
    made, expected = (task(path, client="who", features=["x"]) for path in (other, file))
    assert torch.equal(made.train.inputs, expected.train.inputs)


def test_labels_of_thousands_of_digits_are_text(tmp_path: Path) -> None:
    values = [("1" * 5000, "2", "10")[i % 3] for i in range(ROWS)]
    made = task(csv(tmp_path / "t.csv", {**COLUMNS, "y": values}), features=["x"])
    assert made.classes == ("10", "1" * 5000, "2")


def test_labels_that_no_training_row_has_are_kept_or_dropped_on_request(tmp_path: Path) -> None:
    labels = ["new" if i >= 55 else ("old", "young")[i % 2] for i in range(ROWS)]
    columns: dict[str, Any] = {**COLUMNS, "y": labels}
    file = csv(tmp_path / "t.csv", {**columns, "part": ["train"] * 50 + ["test"] * 10})
    kept = task(file, split="part", features=["x"], unseen="keep", validation=0.0)
    assert kept.classes == ("new", "old", "young")
    assert torch.bincount(kept.test.targets).tolist() == [5, 3, 2]
    dropped = task(file, split="part", features=["x"], unseen="drop", validation=0.0)
    assert (dropped.classes, dropped.outputs) == (("old", "young"), 2)
    assert torch.bincount(dropped.test.targets).tolist() == [3, 2]
    assert torch.equal(dropped.train.targets + 1, kept.train.targets)
