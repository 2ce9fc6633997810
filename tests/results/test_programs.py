"""Studies from where people write Python: a script without a main guard, a prompt, a notebook."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import headstart

PROGRAM = """
import torch
from torch import nn

import headstart

print("begun")
torch.set_num_threads(2)
# Threads are up before workers.
torch.ones(400, 400, dtype=torch.float64) @ torch.ones(400, 400, dtype=torch.float64)
draw = torch.Generator().manual_seed(0)
x = torch.randn(160, 3, generator=draw)
y = (x[:, 0] > 0).long()
clients = [(x[i:120:6], y[i:120:6]) for i in range(6)]


def net():
    return nn.Linear(3, 2)


study = headstart.Study(
    task=headstart.own_task(clients, (x[120:], y[120:])),
    model=net,
    clients=["sgd", "gd"],
    seeds=[0, 1],
    rounds=4,
    every=2,
    cohort=3,
    executor="stacked(runs=1)",
    probes=["evaluation"],
)
results = headstart.run_study(study, OUT, jobs=JOBS)
print([row["test_accuracy"] for row in results.runs.to_pylist()])
"""


def program(out: Any, jobs: Any = 2) -> Any:
    return PROGRAM.replace("OUT", repr(str(out))).replace("JOBS", str(jobs))


def run(arguments: Any, **keys: Any) -> Any:
    ended = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **keys,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return ended.stdout.splitlines()


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("program")
    (folder / "program.py").write_text(program(folder / "out", 1))
    return run([folder / "program.py"])


def test_a_script_without_a_main_guard_has_the_same_numbers_in_two_processes(
    tmp_path: Path, expected: Any
) -> None:
    (tmp_path / "program.py").write_text(program(tmp_path / "out"))
    assert run([tmp_path / "program.py"]) == expected
    assert expected[0] == "begun"


@pytest.mark.slow
def test_a_prompt_and_a_pipe_have_the_same_numbers(tmp_path: Path, expected: Any) -> None:
    assert run(["-c", program(tmp_path / "command")]) == expected
    assert run(["-"], input=program(tmp_path / "pipe")) == expected
    # Goes on in the folder of another.
    assert run(["-"], input=program(tmp_path / "command")) == expected


@pytest.mark.slow
def test_workers_that_begin_afresh_do_not_run_the_script_again(tmp_path: Path) -> None:
    script = """
import headstart
import headstart.study.places.processes as processes

processes.cannot_fork = lambda device: "as on another system"
print("begun")
study = headstart.Study(
    task="digits", model="mlp(hidden=[8])", seeds=[0, 1], rounds=2, executor="stacked(runs=1)"
)
print(headstart.run_study(study, "out", jobs=2).runs.num_rows)
"""
    (tmp_path / "script.py").write_text(script)
    assert run(["script.py"], cwd=tmp_path) == ["begun", "2"]


CELLS = [
    program("out")
    .replace("results = ", "run = lambda: ")
    .replace('print([row["test_accuracy"]', "# print([row["),
    "results = run()\nresults",
    "results.verdict.text",
    "results.best()",
    'results.plot("speedup")',
    "results.report()",
    "results.runs.to_pandas().head(2)",
    'headstart.Study(task="digit", model="mlp")',
]


@pytest.mark.slow
def test_a_notebook_shows_the_verdict_the_figure_and_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    pytest.importorskip("pandas")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(
        notebook, timeout=120, allow_errors=True, resources=resources, kernel_name=_kernel(tmp_path)
    ).execute()
    first, shown, verdict, best, figure, page, frame, wrong = (
        cell.outputs for cell in notebook.cells
    )
    assert [output.output_type for output in first] == ["stream"]
    assert "<table>" in shown[-1].data["text/html"]
    assert "<Results of 'out': 4 runs." in shown[-1].data["text/plain"]
    assert re.search(r"FedAvg", verdict[0].data["text/plain"])
    assert best[0].data["text/plain"].startswith("<")
    assert "image/png" in figure[0].data
    assert page[0].data["text/html"].startswith('<iframe sandbox=""')
    assert "dataframe" in frame[0].data["text/html"]
    assert (wrong[0].ename, wrong[0].evalue) == (
        "HeadstartError", "task: unknown task 'digit'; did you mean 'digits'?"
    )  # fmt: skip
    assert len(headstart.load(tmp_path / "out").runs) == 4


def _kernel(folder: Path) -> Any:
    """The kernel of this Python, wherever others are installed."""
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    place = folder / "kernels" / "here"
    place.mkdir(parents=True)
    spec = {"argv": command, "display_name": "here", "language": "python"}
    (place / "kernel.json").write_text(json.dumps(spec))
    return "here"
