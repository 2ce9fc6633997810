"""Paths of a study: beside its file first, then in the working folder,
and errors say where was looked.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from headstart.errors import HeadstartError
from headstart.files import located
from headstart.parts.origin import Origin, current, within
from headstart.study.data import task_of
from headstart.study.spec import Study
from headstart.tasks.base import TASKS


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The folder of a study, and another in which the shell is."""
    beside, working = tmp_path / "beside", tmp_path / "working"
    beside.mkdir()
    working.mkdir()
    monkeypatch.chdir(working)
    return beside, working


def test_a_path_is_looked_up_beside_the_study_then_in_the_working_folder(folders: Any) -> None:
    beside, working = folders
    with within(Origin(beside)):
        with pytest.raises(HeadstartError) as caught:
            located("visits.csv")
        line = (
            f"visits.csv: there is no such file or folder; looked beside the study file ({beside}) "
            f"and in the working folder ({working})"
        )
        assert str(caught.value) == line
        (working / "visits.csv").touch()
        assert located("visits.csv").resolve() == working / "visits.csv"
        (beside / "visits.csv").touch()
        assert located("visits.csv") == beside / "visits.csv"
        assert located(str(working / "visits.csv")) == working / "visits.csv"


def test_in_no_study_file_it_is_the_working_folder(folders: Any) -> None:
    assert (current().folder, current().allow) == (folders[1], None)
    with pytest.raises(HeadstartError) as caught:
        located("visits.csv")
    line = (
        f"visits.csv: there is no such file or folder; looked in the working folder ({folders[1]})"
    )
    assert str(caught.value) == line
    (folders[1] / "visits.csv").touch()
    assert str(located("visits.csv")) == "visits.csv"


@pytest.mark.parametrize("name", ["table", "stackoverflow", "mnist-writers", "cifar10"])
def test_a_missing_file_of_a_task_is_named_with_its_key(name: str, folders: Any) -> None:
    keys = ("train", "test") if name == "cifar10" else ("path",)
    parameters = dict.fromkeys(keys, "visits.csv") | ({"label": "y"} if name == "table" else {})
    with pytest.raises(HeadstartError) as caught:
        Study(task={name: parameters}, model="mlp", partitions="natural").resolved()
    line = (
        f"task.{keys[0]}: visits.csv: there is no such file or folder; looked in the working "
        f"folder ({folders[1]})"
    )
    assert str(caught.value) == line
    with pytest.raises(
        HeadstartError, match=r"^task.*: /none/x.csv: there is no such file or folder$"
    ):
        task_of(TASKS.component({name: parameters | dict.fromkeys(keys, "/none/x.csv")}))


def table_of(folder: Path, label: Any) -> Any:
    folder.mkdir(exist_ok=True)
    rows = [f"c{i % 4},{i * i % 23},{label}{i % 2}" for i in range(40)]
    (folder / "visits.csv").write_text("\n".join(["who,x,y", *rows]))
    task = {"table": {"path": "visits.csv", "client": "who", "label": "y", "split_by": "row"}}
    keys = {"task": task, "model": "logistic", "partitions": "natural", "cohort": 2, "seeds": 0}
    (folder / "study.yaml").write_text(yaml.safe_dump(keys))
    return Study.load(folder / "study.yaml")


def test_two_studies_of_one_process_have_tables_of_their_own(folders: Any) -> None:
    """Of the same name in two folders, from a shell in neither."""
    first, second = (table_of(folders[0].parent / name, name) for name in ("a", "b"))
    assert [task_of(study.task).classes for study in (first, second, first)] == [
        ("a0", "a1"),
        ("b0", "b1"),
        ("a0", "a1"),
    ]
    assert first.runs[0].key == second.runs[0].key


def test_reading_a_study_file_reads_no_data(folders: Any) -> None:
    assert table_of(folders[0], "a").population == 4
    task_of.cache_clear()
    TASKS.entry("table").factory.cache_clear()  # type: ignore[attr-defined]
    (folders[0] / "visits.csv").unlink()
    again = Study.load(folders[0] / "study.yaml")
    assert len(again.grid) == 1
    with pytest.raises(
        HeadstartError, match=r"^task.path: visits.csv: there is no such file or folder; looked"
    ):
        again.resolved()
