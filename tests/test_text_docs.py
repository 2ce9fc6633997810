"""docs/text.md: its study is a study, its tasks are tasks, and its numbers are those of the
tasks.
"""

import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.base import PARTITIONS, TASKS
from headstart.tasks.tokens.base import TOKENS

PAGE = (Path(__file__).parent.parent / "docs" / "text.md").read_text(encoding="utf-8")
STUDY, OWN = map(yaml.safe_load, re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
DATA = Path(os.environ.get("HEADSTART_DATA", ""))
NEEDED = ("stackexchange_by_user.parquet", "wikitext-2")


def test_its_parts_are_as_it_says() -> None:
    assert len(Study(**STUDY).grid) == 2 * 2 * 2 * 2 * 3
    assert dict(TASKS.component(OWN["task"]).changed) == {
        "path": "posts.parquet",
        "client": "author",
        "text": "body",
    }
    defaults = dict(TASKS.component("stackoverflow").parameters)
    assert f"`most_rows` rows ({defaults['most_rows']})" in PAGE
    rows = dict(re.findall(r"^\| `([\w-]+)` \| ([^|]+) \|", PAGE, re.MULTILINE))
    texts = {"shakespeare", "stackoverflow", "reddit", "wikitext-2"}
    assert rows.keys() == texts | {entry.name for entry in TOKENS}


@pytest.mark.slow
@pytest.mark.skipif(
    not all((DATA / name).exists() for name in NEEDED), reason=f"needs {NEEDED} in $HEADSTART_DATA"
)
def test_its_study_has_that_many_clients_and_its_proxy_the_same_tokens() -> None:
    study = Study(**STUDY)
    task = TASKS.build(study.task)
    clients = PARTITIONS.build(study.runs[0].partition)(task, study.runs[0].population, 0)
    assert sum(map(len, clients)) == len(task.train)
    proxy = TASKS.build(TASKS.component(STUDY["starts"][1]["proxy"]["task"]))
    assert (proxy.tokens, proxy.input_shape) == (task.tokens, task.input_shape)


@pytest.mark.parametrize(
    "model", ["lstm(hidden=4, layers=1)", "charlm(filters=(2, 2), hidden=4, layers=1)"]
)
def test_a_study_of_a_table_of_ones_own_runs_from_its_proxy(model: str, tmp_path: Path) -> None:
    people = [f"p{i}" for i in range(10) for _ in range(3)]
    table = pa.table(
        {"author": people, "body": ["the tea of the king", "of tea and ale", "the ale"] * 10}
    )
    pq.write_table(table, tmp_path / "posts.parquet")
    (tmp_path / "wiki.txt").write_text(
        " = Tea = \n the tea of the king and ale \n = Ale = \n of ale and the tea \n"
    )
    tokens = "words(spelled=5)" if model.startswith("charlm") else "words"
    posts, wiki = str(tmp_path / "posts.parquet"), str(tmp_path / "wiki.txt")
    task = (
        f"stackoverflow(path={posts!r}, client='author', text='body', length=4, tokens={tokens!r})"
    )
    proxy = f"wikitext-2(like={task!r}, train={wiki!r}, test={wiki!r})"
    common = {"population": 7, "cohort": 3, "rounds": 2, "every": 1, "seeds": 0, "executor": "loop"}
    study = Study(
        task=task, model=model, starts=["random", {"proxy": {"task": proxy, "epochs": 40,
                                                             "rate": 0.05}}],
        partitions="natural", **common,
    )  # fmt: skip
    run_study(study, tmp_path / "out")
    rows = pq.read_table(tmp_path / "out" / "results" / "runs.parquet").to_pylist()
    random, pretrained = sorted(rows, key=lambda row: row["start"] != "random")
    assert (random["status"], pretrained["status"]) == ("finished", "finished")
    assert pretrained["test_loss"] < random["test_loss"]
