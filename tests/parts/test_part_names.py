"""Names that a study gives its parts: for people to read, and no part of what a run is."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from headstart import cli
from headstart.errors import HeadstartError
from headstart.study.spec import Study

NAMED: dict[str, Any] = {
    "task": {"digits": {}, "as": "post codes"},
    "model": {"mlp": {"as": "small net"}},
    "starts": ["random", {"proxy": {"epochs": 2}, "as": "letters"}],
    "clients": ["sgd", {"proximal": {"mu": 0.1, "as": "ours"}}],
    "servers": [{"name": "adam@torch", "as": "Adam of torch"}],
    "partitions": [{"dirichlet": {"alpha": 0.1}, "as": "skewed"}],
    "devices": ["equal", {"dropped": {"share": 0.5}, "as": "phones"}],
    "population": 20, "cohort": 5, "rounds": 4, "seeds": [0],
}  # fmt: skip
PLAIN = NAMED | {
    "task": "digits", "model": "mlp", "starts": ["random", "proxy(epochs=2)"],
    "clients": ["sgd", "proximal(mu=0.1)"], "servers": ["adam@torch"],
    "partitions": ["dirichlet(alpha=0.1)"], "devices": ["equal", "dropped(share=0.5)"],
}  # fmt: skip


def test_a_name_changes_no_run_and_no_column() -> None:
    named, plain = Study(**NAMED), Study(**PLAIN)
    assert [run.key for run in named.runs] == [run.key for run in plain.runs]
    assert [run.row for run in named.runs] == [run.row for run in plain.runs]
    assert named.runs == plain.runs


def test_people_read_the_names() -> None:
    last = str(Study(**NAMED).runs[-1])
    assert (
        last
        == "letters, ours, Adam of torch, skewed, phones, 1 local epoch, rates 0.1 and 1, seed 0"
    )


def test_a_resolved_study_keeps_the_names(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(Study(**NAMED).resolved())
    again = Study.load(file)
    assert again.resolved() == file.read_text()
    assert (again.task.called, again.model.called) == ("post codes", "small net")
    assert "as:" not in Study(**PLAIN).resolved()


def test_rates_may_name_parts_so() -> None:
    row = {"start": "letters", "client": "ours", "client_rate": 0.5, "server_rate": 2.0}
    study = Study(**NAMED, rates=[row])
    at = {
        run.client_rate
        for run in study.runs
        if run.start.called == "letters" and run.client.called == "ours"
    }
    assert at == {0.5}
    assert {run.client_rate for run in study.runs if run.start.called != "letters"} == {0.1}
    assert "start: proxy(epochs=2)" in study.resolved()


def test_a_name_holds_in_all_grids() -> None:
    study = Study(**NAMED, also=[{"starts": ["proxy(epochs=2)"], "local_epochs": [5]}])
    assert {run.start.label for run in study.runs} == {"random", "letters"}


def proxies(*names: Any) -> list[Any]:
    return ["random", *({"proxy": {"epochs": i + 2}, "as": name} for i, name in enumerate(names))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"starts": proxies("a", "a")},
            "starts: two that differ are called 'a'; name them: as: NAME beside the part",
        ),
        (
            {"starts": proxies("hub")},
            "starts[1].as: 'hub' is another start; give it a name of its own",
        ),
        (
            {"starts": proxies("a(b)")},
            "starts[1]: as: expected a name of letters, digits, blanks and .+-_, at most 60",
        ),
        (
            {"starts": proxies(7)},
            "starts[1]: as: expected a name of letters, digits, blanks and .+-_, at most 60",
        ),
        (
            {"starts": [{"random": {}, "as": "scratch"}]},
            "starts[0]: random keeps its name, by which the report",
        ),
        ({"clients": [{"gd": {"as": "whole"}}]}, "clients[0]: gd keeps its name"),
        (
            {"starts": [{"proxy": {"as": "b"}, "as": "a"}]},
            "starts[0]: the start is named twice (as); name it once",
        ),
        (
            {"probes": ["evaluation", {"distance": {}, "as": "d"}]},
            "probes[1]: expected no name (as), which task",
        ),
        ({"executor": {"loop": {}, "as": "mine"}}, "executor: expected no name (as), which task"),
        (
            {"starts": proxies("a"), "also": [{"starts": proxies("b")}]},
            "starts: proxy(epochs=2) is called both 'a' and 'b'; name it once",
        ),
    ],
)
def test_a_name_that_would_mislead_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(HeadstartError) as refused:
        Study(**{**PLAIN, **change})
    assert str(refused.value).startswith(message)


def test_check_shows_the_names(tmp_path: Path) -> None:
    file = tmp_path / "study.yaml"
    file.write_text(Study(**NAMED | {"rounds": 1, "probes": ["evaluation"]}).resolved())
    done = CliRunner().invoke(cli.app, ["check", str(file)])  # type: ignore[attr-defined]
    assert done.exit_code == 0
    assert "starts        random, letters" in done.output
    assert "servers       Adam of torch" in done.output
