"""A table of text: bags of words to classify, next tokens to predict,
in the parts that a table has.
"""

import json
import pickle
import re
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml

from headstart.errors import HeadstartError
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.base import TASKS, Task
from headstart.tasks.tokens.base import BEGIN, MARKS, PAD, UNKNOWN

COLUMNS: dict[str, list[Any]] = {
    "who": ["a", "a", "b", "b", "c", "c"],
    "said": ["Tea, tea!", "ale", "tea ale milk", "milk", "wine tea", "ale"],
    "mood": ["good", "bad", "good", "bad", "good", "bad"],
    "part": ["train"] * 4 + ["test", "validation"],
}


def task(folder: Path, columns: dict[str, list[Any]] = COLUMNS, **parameters: Any) -> Task:
    pq.write_table(pa.table(columns), folder / "t.parquet")
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    return TASKS.build(
        TASKS.component(
            {"table": {"path": str(folder / "t.parquet"), "text": "said", **parameters}}
        )
    )


def test_a_bag_holds_the_share_of_each_frequent_word_of_the_training_rows(tmp_path: Path) -> None:
    made = task(tmp_path, label="mood", client="who", split="part", words=3)
    # tea 3 times, ale and milk twice: "wine" is of no training row, "," and "!" are less frequent
    assert made.train.inputs.dtype == torch.float32
    assert torch.equal(
        made.train.inputs,
        torch.tensor([[2 / 4, 0, 0], [0, 1, 0], [1 / 3, 1 / 3, 1 / 3], [0, 0, 1]]),
    )
    assert torch.equal(made.test.inputs, torch.tensor([[1 / 2, 0, 0]]))
    assert torch.equal(made.validation.inputs, torch.tensor([[0.0, 1, 0]]))
    assert (made.classes, made.outputs) == (("bad", "good"), 2)
    assert made.train.targets.tolist() == [1, 0, 1, 0]
    assert made.owners is not None
    assert made.owners.tolist() == [0, 0, 1, 1]  # type: ignore[union-attr]


def test_bags_are_shared_by_processes(tmp_path: Path) -> None:
    made = task(tmp_path, label="mood", split="part")
    sent = pickle.loads(ForkingPickler.dumps(made))
    assert torch.equal(sent.train.inputs, made.train.inputs)
    assert sent.tokens == made.tokens
    assert sent.tokens.encode("tea").tolist() == made.tokens.encode("tea").tolist()  # type: ignore[union-attr]


def test_next_tokens_are_those_of_the_rows_of_each_part(tmp_path: Path) -> None:
    made = task(tmp_path, client="who", split="part", length=4)
    assert made.tokens is not None
    tea, ale, milk, comma = (
        int(made.tokens.encode(word)[0]) for word in ("tea", "ale", "milk", ",")
    )
    assert made.outputs == MARKS + 5  # tea, ale, milk, the comma and !
    assert made.train.targets.tolist() == [
        [tea, comma, tea, int(made.tokens.encode("!")[0])],
        [ale, PAD, PAD, PAD],
        [tea, ale, milk, PAD],
        [milk, PAD, PAD, PAD],
    ]
    assert made.test.inputs.tolist() == [[BEGIN, UNKNOWN, tea, PAD]]
    assert made.validation.targets.tolist() == [[ale, PAD, PAD, PAD]]
    assert made.owners is not None
    assert made.owners.tolist() == [0, 0, 1, 1]  # type: ignore[union-attr]
    other = task(tmp_path, client="who", split="part", length=4, tokens="characters")
    assert (other.outputs, other.input_shape) == (90, (4,))


def test_without_a_client_column_there_are_no_owners(tmp_path: Path) -> None:
    assert task(tmp_path, split="part", length=4).owners is None
    assert task(tmp_path, split="part", label="mood").owners is None


def test_clients_and_rows_are_drawn_as_in_other_tables(tmp_path: Path) -> None:
    people = 20
    columns: dict[str, Any] = {
        "who": [f"p{i:02}" for i in range(people) for _ in range(3)],
        "said": [f"we word{i:02}" for i in range(people) for _ in range(3)],
        "x": [float(i) for i in range(people) for _ in range(3)],
        "y": [0] * 3 * people,
    }
    bag = task(tmp_path, columns, label="y", client="who", seed=3)
    numbers = task(tmp_path, columns, label="y", client="who", seed=3, text=None, features=["x"],
                   mean=[0.0], deviation=[1.0])  # fmt: skip
    known = sorted({int(x) for x in numbers.train.inputs.flatten()})
    tokens = bag.tokens
    assert tokens is not None
    assert [int((tokens.encode(f"word{i:02}") >= MARKS).all()) for i in range(people)] == [
        int(i in known) for i in range(people)
    ]
    following = task(tmp_path, columns, client="who", seed=3, length=3)
    assert following.tokens == tokens
    for name in ("train", "validation", "test"):
        # A row a document, each with "we".
        assert len(getattr(following, name)) == len(getattr(numbers, name))


def test_blank_documents_have_no_rows_and_an_empty_bag(tmp_path: Path) -> None:
    columns: dict[str, Any] = {**COLUMNS, "said": ["tea", " ", *COLUMNS["said"][2:]]}
    assert len(task(tmp_path, columns, split="part").train) == 3
    assert task(tmp_path, columns, split="part", label="mood").train.inputs[1].abs().sum() == 0


@pytest.mark.parametrize(
    ("columns", "parameters", "message"),
    [
        (
            COLUMNS,
            {"label": "mood", "image": "who"},
            "expected image, features or text, got both image and text",
        ),
        (
            COLUMNS,
            {"label": "said"},
            "expected one use for each column, got 'said' as label and text",
        ),
        (
            COLUMNS,
            {"split": "part", "words": 200},
            "table.words: expected it with text and a label, without which it",
        ),
        (
            COLUMNS,
            {"label": "mood", "length": 8},
            "table.length: expected it with text and no label, without",
        ),
        (
            COLUMNS,
            {"label": "mood", "tokens": "characters"},
            "table.tokens: expected it with text and no label",
        ),
        (
            {**COLUMNS, "said": [" "] * 6},
            {"label": "mood", "split": "part"},
            "expected words in the training split",
        ),
        (
            COLUMNS,
            {"split": "part", "tokens": "word"},
            "unknown tokenizer 'word'; did you mean 'words'",
        ),
        (
            COLUMNS,
            {"client": "who", "split": "who"},
            "expected one use for each column, got 'who' as client and split",
        ),
    ],
)
def test_faults_get_one_line(
    columns: dict[str, list[Any]], parameters: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(HeadstartError) as caught:
        task(tmp_path, columns, **parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "model"),
    [({}, "logistic"), ({}, "mlp(hidden=[4])"), ({"label": None}, "lstm(hidden=4, layers=1)")],
)
def test_the_example_of_the_data_page_runs(
    changes: dict[str, Any], model: str, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[3] / "docs" / "data.md").read_text(encoding="utf-8")
    section = page[page.index("### Text of your own") :]
    example = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0])["task"][
        "table"
    ]
    rows = [{"writer": f"w{i % 10}", "body": ("of tea", "of ale and wine")[i % 3 > 0],
             "topic": i % 3 > 0}
            for i in range(60)]  # fmt: skip
    (tmp_path / example["path"]).write_text("".join(json.dumps(row) + "\n" for row in rows))
    written: dict[str, Any] = {
        "table": {**example, **changes, "path": str(tmp_path / example["path"])}
    }
    study = Study(
        task=written, model=model, partitions="natural", cohort=3, rounds=20, every=20, seeds=0,
        executor="loop", client_rates=[0.5], server_rates=[1.0],
    )  # fmt: skip
    run_study(study, tmp_path / "out")
    (run,) = pq.read_table(tmp_path / "out" / "results" / "runs.parquet").to_pylist()
    assert run["status"] == "finished"
    # Of guessing: log 2 classes, log 8 tokens.
    assert run["test_loss"] < (0.693 if "label" not in changes else 2.08)
