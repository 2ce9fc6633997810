"""Where data lie that a study names: what it says, at `$HEADSTART_DATA`, at home,
or what is wrong with it.
"""

from pathlib import Path

import pytest

from headstart.errors import HeadstartError
from headstart.files import located


def test_the_folder_of_the_data_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSTART_DATA", str(tmp_path))
    monkeypatch.setenv("OTHER", "elsewhere")
    assert (
        located("$HEADSTART_DATA/a/b.csv")
        == located("${HEADSTART_DATA}/a/b.csv")
        == tmp_path / "a" / "b.csv"
    )
    with pytest.raises(
        HeadstartError, match=r"^\$OTHER/b\.csv: there is no such file or folder; looked in "
    ):
        located("$OTHER/b.csv")


def test_a_folder_of_the_data_that_is_not_set_is_told_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("HEADSTART_DATA", raising=False)
    line = (
        r"^task\.path: \$HEADSTART_DATA/b\.csv: the environment variable HEADSTART_DATA is not "
        r"set; set it to "
    )
    with pytest.raises(HeadstartError, match=line):
        located("$HEADSTART_DATA/b.csv", "task.path")


def test_with_a_key_there_must_be_something(tmp_path: Path) -> None:
    assert located(str(tmp_path / "b.csv")) == tmp_path / "b.csv"
    with pytest.raises(HeadstartError) as caught:
        located(str(tmp_path / "b.csv"), "task.path")
    assert str(caught.value) == f"task.path: {tmp_path / 'b.csv'}: there is no such file or folder"
    (tmp_path / "b.csv").symlink_to("nowhere")
    assert located(str(tmp_path / "b.csv"), "task.path") == tmp_path / "b.csv"


def test_home_is_written_with_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert located("~/visits.csv") == tmp_path / "visits.csv"


@pytest.mark.parametrize("path", ["a\0b", "\0"])
def test_what_is_no_path_is_one_line(path: str) -> None:
    with pytest.raises(
        HeadstartError, match=r"^expected a path, got .*, which has a zero character$"
    ):
        located(path)
