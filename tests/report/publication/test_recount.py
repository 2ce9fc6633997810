"""An independent script counts every published answer again: it agrees, and sees what differs."""

import ast
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pyarrow as pa
import pytest

from headstart.report.judgement.reading import read
from headstart.report.publication.kept_tables import compact
from headstart.report.publication.summary import NAME, summary
from headstart.tables import read_results, write_results

from ..conftest import rewrite

ROOT = Path(__file__).parents[3]
SCRIPTS = ("recount", "contrary", "published_study")
Make = Callable[..., Path]


def published(folder: Path) -> Path:
    """The tables as they are published, with what they say, and without the figures."""
    write_results(folder, compact(read_results(folder)))
    (folder / NAME).write_text(json.dumps(summary(read(folder))))
    return folder


@pytest.mark.parametrize("script", SCRIPTS)
def test_it_imports_nothing_of_headstart(script: str) -> None:
    names = set()
    for node in ast.walk(ast.parse((ROOT / f"benchmarks/{script}.py").read_text())):
        names |= {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
        names |= {str(node.module)} if isinstance(node, ast.ImportFrom) else set()
    assert {name.split(".")[0] for name in names} <= {
        "argparse", "collections", "json", "math", "pathlib", "re", "sys", "typing", "numpy",
        "pyarrow", "scipy", "published_study",
    }  # fmt: skip


STUDIES: dict[str, dict[str, Any]] = {
    "clear": {},
    "contrary": {"mood": "contrary", "seeds": (0, 1, 2, 3, 4)},
    "small differences": {
        "mood": "undecided",
        "noise": 0.0005,
        "margins": {"speedup": 20, "alignment": 0.1},
    },
    "rates chosen": {"mood": "tuning"},
    "three starts": {"starts": ("random", "proxy", "checkpoint(path='a')")},
    "diverged": {"diverge": lambda row: row["client"] == "mimelite" and row["seed"] == 0},
    "tuned three times": {"seeds": tuple(range(6)), "tuning": {"repeats": 3, "trials": 2}},
    "measured every 4 rounds": {"every": 4},
    "no target": {"target_accuracy": None, "margin": 2.0},
    "few pairs": {"keep": lambda row: row["server"] == "adam" and row["partition"] != "iid"},
    "one seed": {"seeds": (0,)},
}


@pytest.mark.parametrize("name", STUDIES)
def test_it_finds_what_was_published(
    name: str, make: Make, tmp_path: Path, recount: ModuleType
) -> None:
    folder = published(make(tmp_path / "study", **STUDIES[name]))
    assert recount.differing(folder) == []
    assert len(recount.answers(folder)) == (8 if name == "few pairs" else 9)


def test_answers_about_clients_are_corrected_with_the_others(
    make: Make, tmp_path: Path, recount: ModuleType
) -> None:
    folder = make(tmp_path / "study")
    found = read_results(folder)
    last = found.rounds.filter(
        pa.compute.equal(found.rounds["metric"], "test_accuracy")
    ).to_pylist()
    rows = []
    for i, row in enumerate(last):
        rows += [
            {**row, "metric": f"client_accuracy/{k}", "value": row["value"] + k * i % 7 / 50}
            for k in range(4)
        ]
    rewrite(
        folder,
        rounds=pa.concat_tables(
            [found.rounds, pa.Table.from_pylist(rows, schema=found.rounds.schema)]
        ),
    )
    published(folder)
    assert [panel.slug for panel in read(folder).shown][-1] == "clients"
    assert recount.differing(folder) == []


def test_a_start_that_learned_nothing_answers_nothing(
    make: Make, tmp_path: Path, recount: ModuleType
) -> None:
    folder = make(tmp_path / "study")
    runs = read_results(folder).runs.to_pylist()
    flat = [{**run, "test_accuracy": 0.1} if run["start"] == "random" else run for run in runs]
    rewrite(folder, runs=pa.Table.from_pylist(flat, schema=read_results(folder).runs.schema))
    published(folder)
    assert recount.differing(folder) == []
    assert recount.answers(folder)[2]["answer"] == "undecided"
    assert recount.answers(folder)[5]["answer"] == "yes"


@pytest.mark.parametrize(
    ("name", "value"),
    [("answer", "no"), ("p_holm", 0.04), ("margin", 0.01), ("judged", {"value": 0.5})],
)
def test_what_differs_is_told(
    name: str, value: Any, make: Make, tmp_path: Path, recount: ModuleType
) -> None:
    folder = published(make(tmp_path / "study"))
    told = json.loads((folder / NAME).read_text())
    old = told["findings"][1][name]
    told["findings"][1][name] = {**old, **value} if isinstance(value, dict) else value
    (folder / NAME).write_text(json.dumps(told))
    changed = "value" if name == "judged" else name
    (line,) = recount.differing(folder)
    assert f"finding 2: {changed} is " in line
    assert recount.main([str(folder)]) == 1


def test_all_that_is_published_here_agrees(
    recount: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    folders = sorted(map(str, (ROOT / "docs/results").iterdir()))
    assert recount.main(folders) == 0
    assert "digits: " in capsys.readouterr().out
