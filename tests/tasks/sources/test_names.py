"""What is one name: a class or a client written in two ways is one, or one line;
a quantity is no class.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.tasks.base import TASKS, Task
from headstart.tools.partitions import inspect_named

DRAW = np.random.Generator(np.random.Philox(key=14))


def task(path: Path, **parameters: Any) -> Task:
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    written = {"path": str(path), "label": "y", "split_by": "row", "features": ["x"], **parameters}
    return TASKS.build(TASKS.component({"table": written}))


def csv(path: Path, rows: list[tuple[Any, ...]], header: str = "who,x,y") -> Path:
    path.write_text(
        "\n".join([header, *(",".join(map(str, row)) for row in rows)]), encoding="utf-8"
    )
    return path


def labelled(tmp_path: Path, ways: list[str], rows: int = 60) -> Path:
    """A table whose labels are written in these ways in turn."""
    return csv(
        tmp_path / "t.csv", [(f"k{i % 5}", i * 37 % 11, ways[i % len(ways)]) for i in range(rows)]
    )


def refusal(path: Path, **parameters: Any) -> str:
    with pytest.raises(HeadstartError) as caught:
        task(path, **parameters)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def equal(one: Task, other: Task) -> bool:
    parts = ("train", "validation", "test")
    return all(
        torch.equal(getattr(getattr(one, part), side), getattr(getattr(other, part), side))
        for part in parts
        for side in ("inputs", "targets")
    )


def test_sites_that_write_the_same_classes_in_two_ways_have_no_skew(tmp_path: Path) -> None:
    """One hospital's export had a gap once, and pandas wrote 0.0 and 1.0:
    .437 of skew were invented.
    """
    x = DRAW.normal(size=(450, 2)).round(2)
    ill = (x.sum(1) > 0).astype(int)
    sites = ["a", "b", "c"]
    for folder, ways in (("sites", {"b": ("0.0", "1.0")}), ("equal", {})):
        (tmp_path / folder).mkdir()
        for k, site in enumerate(sites):
            rows = [
                (f"site_{site}", *x[i], ways.get(site, ("0", "1"))[ill[i]])
                for i in range(150 * k, 150 * k + 150)
            ]
            csv(tmp_path / folder / f"{site}.csv", rows, "who,x1,x2,y")
    made = task(tmp_path / "sites", client="who", features=[])
    assert made.classes == ("0", "1")
    assert equal(made, task(tmp_path / "equal", client="who", features=[]))
    written = f"table(path={str(tmp_path / 'sites')!r}, client='who', label='y', split_by='row')"
    split = inspect_named(written, "natural")
    assert split.variation_K is not None
    # 3 sites of about 105 rows, two classes: by chance alone sqrt(2 p (1 - p) / (pi n)) = .04
    assert split.variation_K.mean() < 0.08


@pytest.mark.parametrize(
    ("ways", "classes"),
    [
        (["yes", "yes ", "no", "\tno"], ("no", "yes")),
        (["1", "1.0", "0", "0.00"], ("0", "1")),
        (["True", "TRUE", "true", "false", "FALSE"], ("False", "True")),
        (["TRUE", "FALSE"], ("FALSE", "TRUE")),
        (["10", "9.0", "-1"], ("-1", "9", "10")),
        (["1.0", "1.5", "2.0"], ("1.0", "1.5", "2.0")),
        (["1.0", "1.5", "2", "1"], ("1", "1.5", "2")),
        (["\ufeffa", "a\u00a0", "b", "b\u200b"], ("a", "b")),
        (["1_0", "10"], ("10", "1_0")),
        (["1e+05", "100000", "2"], ("2", "100000")),
        (["1e5", "100000", "1E+5", "2"], ("2", "100000")),
        (["1e0", "1", "2"], ("1", "2")),
        ([".5", "0.5", "5e-1", "2"], ("0.5", "2")),
        (["1e+05", "100000", "other"], ("100000", "other")),
        (["10e2", "1000", "beef"], ("1000", "10e2", "beef")),
        (["a\u00ad", "a\ufe0f", "\u200fa", "b"], ("a", "b")),
    ],
)
def test_what_is_the_same_for_certain_is_one_class(
    ways: list[str], classes: tuple[str, ...], tmp_path: Path
) -> None:
    assert task(labelled(tmp_path, ways)).classes == classes


@pytest.mark.parametrize(
    ("ways", "shown", "joined"),
    [
        (["yes", "yes", "Yes", "no"],
         "'Yes' (15 rows) and 'yes' (30 rows), which differ only by case", ("no", "yes")),
        (["1", "01", "2", "1"],
         "'01' (15 rows) and '1' (30 rows), which differ only by leading zeros", ("1", "2")),
        ([" >50K", " >50K.", " <=50K", " <=50K."],
         "'>50K' (15 rows) and '>50K.' (15 rows), which differ only by a final dot; 1 more such "
         "name; ",
         ("<=50K", ">50K")),
        (["b\u00e9nin", "be\u0301nin", "malin", "b\u00e9nin"],
         "'be\\u0301nin' (15 rows) and 'bénin' (30 rows), which differ only by Unicode's form",
         ("b\u00e9nin", "malin")),
        (["new york", "new  york", "ulm", "ulm"],
         "'new␣␣york' (15 rows) and 'new␣york' (15 rows), which differ only by blanks",
         ("new york", "ulm")),
        (["1.5", "1.50", "2", "2"],
         "'1.5' (15 rows) and '1.50' (15 rows), which differ only by how they write a number",
         ("1.5", "2")),
        (["nord", "no\u00adrd", "sud", "sud"],
         "'nord' (15 rows) and 'no\\u00adrd' (15 rows), which differ only by signs that are not "
         "seen",
         ("nord", "sud")),
        (["a\u200eb", "ab", "c", "c"],
         "'ab' (15 rows) and 'a\\u200eb' (15 rows), which differ only by signs", ("ab", "c")),
        (["\u2764\ufe0fa", "\u2764a", "c", "c"],
         "'\u2764a' (15 rows) and '\u2764\\ufe0fa' (15 rows), which differ only by signs",
         ("c", "\u2764a")),
        (["\u0661", "1", "2", "1"],
         "'1' (30 rows) and '\u0661' (15 rows), which differ only by the script of digits",
         ("1", "2")),
        (["0", "1", "true", "false"],
         "'0' (15 rows) and 'false' (15 rows), which differ only by how they write true",
         ("0", "1")),
    ],
)  # fmt: skip
def test_what_looks_alike_is_refused_joined_or_kept(
    ways: list[str], shown: str, joined: tuple[str, ...], tmp_path: Path
) -> None:
    file = labelled(tmp_path, ways)
    assert shown in (line := refusal(file))
    assert (
        "write alike='join' to take such names for one, or alike='keep' to keep them apart" in line
    )
    assert task(file, alike="join").classes == joined
    assert len(task(file, alike="keep").classes) == len(set(ways))


def test_clients_are_named_by_the_same_rules(tmp_path: Path) -> None:
    rows = [(("k1", "k1 ", "k2", " k2", "k3")[i % 5], i * 37 % 11, i % 2) for i in range(60)]
    assert len(task(csv(tmp_path / "t.csv", rows), client="who").natural_clients) == 3
    rows = [(("k1", "K1", "k2")[i % 3], i * 37 % 11, i % 2) for i in range(60)]
    file = csv(tmp_path / "u.csv", rows)
    assert (
        "column 'who' has 'K1' (20 rows) and 'k1' (20 rows), which differ only by case"
        in refusal(file, client="who")
    )
    assert len(task(file, client="who", alike="join").natural_clients) == 2


def test_documents_of_clients_are_gathered_by_the_same_names(tmp_path: Path) -> None:
    rows = [(f"{i % 4}{'.0' if i > 40 else ''}", "tea and ale", 0) for i in range(60)]
    written = {
        "stackoverflow": {"path": str(csv(tmp_path / "t.csv", rows)), "client": "who", "text": "x"}
    }
    made = TASKS.build(
        TASKS.component({"stackoverflow": {**written["stackoverflow"], "least_rows": 1}})
    )
    assert len(made.natural_clients) == 2  # of 4, one validates and one tests


@pytest.mark.parametrize("way", ["nan", "NaN", "<NA>", "inf", "-Infinity", " "])
def test_what_stands_for_nothing_is_no_class(way: str, tmp_path: Path) -> None:
    line = refusal(labelled(tmp_path, ["0", "1", way]))
    assert (
        f"row 2 has {'nothing' if way == ' ' else repr(way)} in column 'y', expected a name" in line
    )


def test_numbers_of_parquet_that_are_not_finite_are_no_class(tmp_path: Path) -> None:
    for cell in (np.nan, np.inf):
        pq.write_table(
            pa.table({"x": [1.0, 2.0, 3.0] * 9, "y": [0.0, 1.0, cell] * 9}), tmp_path / "t.parquet"
        )
        assert f"row 2 has '{cell}' in column 'y', expected a name" in refusal(
            tmp_path / "t.parquet"
        )


def test_names_of_words_that_numbers_have_are_kept(tmp_path: Path) -> None:
    assert task(labelled(tmp_path, ["Inf", "Nan", "Eve"])).classes == ("Eve", "Inf", "Nan")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (lambda i: 100 + i * 7 % 451, "451 different numbers, 100 to 550, in 2000 rows"),
        (lambda i: i * 7 % 97 * 3, "97 different numbers, 0 to 288, in 2000 rows"),
        (
            lambda i: 36 + i * 7 % 41 / 10,
            "41 different numbers with fractions, 36 to 40, in 2000 rows",
        ),
        (lambda i: 18 + i * 7 % 71, "71 different numbers, 18 to 88, in 2000 rows"),
    ],
)
def test_a_quantity_is_no_class(values: Any, said: str, tmp_path: Path) -> None:
    file = csv(tmp_path / "t.csv", [(f"k{i % 5}", i * 37 % 11, values(i)) for i in range(2000)])
    line = refusal(file)
    assert f"column 'y' has {said}: that seems to be a quantity" in line
    assert "task of your own with a squared error, or say codes=true" in line
    assert len(task(file, codes=True, unseen="keep").classes) == int(said.split()[0])


def test_few_rows_of_a_quantity_do_not_lead_to_unseen(tmp_path: Path) -> None:
    file = csv(tmp_path / "t.csv", [("k", i, round(90 + i * 0.37, 1)) for i in range(90)])
    assert "unseen" not in refusal(file)
    names = csv(tmp_path / "u.csv", [("k", i, f"p{i}") for i in range(90)])
    assert (
        "90 labels in 90 rows: is 'y' the column of classes? if so, write unseen='keep'"
        in refusal(names)
    )


@pytest.mark.parametrize(
    "values", [lambda i: i % 100, lambda i: 1 + i % 62, lambda i: i % 10 / 2, lambda i: i % 20 * 5]
)
def test_codes_and_marks_are_classes(values: Any, tmp_path: Path) -> None:
    file = csv(tmp_path / "t.csv", [("k", i * 37 % 11, values(i)) for i in range(2000)])
    assert len(task(file).classes) == len({values(i) for i in range(2000)})


def test_many_times_are_no_classes(tmp_path: Path) -> None:
    times = pa.array([i * i for i in range(30)], pa.timestamp("s"))
    pq.write_table(
        pa.table({"x": [float(i * 7 % 5) for i in range(30)], "y": times}), tmp_path / "t.parquet"
    )
    assert "column 'y' has 30 different times in 30 rows, expected classes" in refusal(
        tmp_path / "t.parquet"
    )


def test_times_are_names_also_beyond_the_year_9999(tmp_path: Path) -> None:
    far = pa.array([(i % 2) * 400_000_000_000 for i in range(20)], pa.timestamp("s"))
    pq.write_table(
        pa.table({"x": [float(i * 7 % 5) for i in range(20)], "y": far}), tmp_path / "t.parquet"
    )
    assert task(tmp_path / "t.parquet").classes == (
        "14645-06-30 15:06:40.000",
        "1970-01-01 00:00:00.000",
    )


def test_names_of_float32_are_those_of_float64(tmp_path: Path) -> None:
    """Else one site that stores its data smaller has classes of its own."""
    marks = [(1 + i % 3) / 10 for i in range(30)]
    for name, kind in (("a", pa.float32()), ("b", pa.float64())):
        cells = {"x": [float(i * 7 % 11) for i in range(30)], "y": pa.array(marks, kind)}
        pq.write_table(pa.table(cells), tmp_path / f"{name}.parquet")
    for path in (tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path):
        assert task(path).classes == ("0.1", "0.2", "0.3")
