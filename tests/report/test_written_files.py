"""What is ours may be replaced and deleted, and nothing else."""

import hashlib
import threading
from pathlib import Path

import pytest

from headstart import files
from headstart.errors import HeadstartError
from headstart.report import written_files as ours

SUMS = "written.sha256"


def digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_list_is_that_of_sha256sum(tmp_path: Path) -> None:
    ours.replace(tmp_path, {"page.md": b"a", "figures/b.png": b"b"}, SUMS)
    assert (
        tmp_path / SUMS
    ).read_text() == f"{digest(b'b')}  figures/b.png\n{digest(b'a')}  page.md\n"


def test_what_is_no_longer_written_goes(tmp_path: Path) -> None:
    ours.replace(tmp_path, {"page.md": b"a", "figures/b.png": b"b", "tables/c.csv": b"c"}, SUMS)
    (tmp_path / "tables/c.csv").write_bytes(b"changed")
    ours.replace(tmp_path, {"page.md": b"A"}, SUMS)
    assert contents(tmp_path) == {
        "page.md": b"A", "tables/c.csv": b"changed", SUMS: f"{digest(b'A')}  page.md\n".encode()
    }  # fmt: skip


def test_one_killed_half_way_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = {"a.md": b"a", "b.md": b"b"}, {"a.md": b"A", "b.md": b"B"}
    ours.replace(tmp_path, old, SUMS)
    write = files.write

    def killed(path: Path, content: bytes | str) -> None:
        if path.name == "b.md":
            raise KeyboardInterrupt
        write(path, content)

    monkeypatch.setattr(files, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        ours.replace(tmp_path, new, SUMS)
    monkeypatch.undo()
    assert contents(tmp_path) | {SUMS: b""} == {"a.md": b"A", "b.md": b"b", SUMS: b""}
    ours.refuse_changed(tmp_path, SUMS, ["a.md"])
    ours.replace(tmp_path, new, SUMS)
    assert contents(tmp_path) | {SUMS: b""} == new | {SUMS: b""}


@pytest.mark.parametrize(
    "name", ["../out.md", "/etc/passwd", "figures/../../x", "other/x.md", ".hidden", "figures/.x"]
)
def test_a_list_of_others_leads_nowhere(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "folder"
    (folder / "other").mkdir(parents=True)
    for path in (tmp_path / "out.md", tmp_path / "x", folder / "other/x.md", folder / ".hidden"):
        path.write_bytes(b"mine")
    (folder / SUMS).write_text(f"{digest(b'mine')}  {name}\n")
    before = contents(tmp_path)
    ours.replace(folder, {"page.md": b"a"}, SUMS)
    assert (
        contents(tmp_path).items()
        >= {k: v for k, v in before.items() if not k.endswith(SUMS)}.items()
    )


def test_a_stale_file_behind_a_link_stays(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    other.mkdir()
    (other / "b.png").write_bytes(b"b")
    ours.replace(folder, {"page.md": b"a", "figures/b.png": b"b"}, SUMS)
    (folder / "figures/b.png").unlink()
    (folder / "figures").rmdir()
    (folder / "figures").symlink_to(other)
    ours.replace(folder, {"page.md": b"a"}, SUMS)
    assert contents(other) == {"b.png": b"b"}


@pytest.mark.parametrize("kind", ["text", "link", "folder", "dangling"])
def test_a_single_file_of_others_is_refused(tmp_path: Path, kind: str) -> None:
    path, target = tmp_path / "page.html", tmp_path / "target.html"
    {
        "text": lambda: path.write_text("mine"),
        "link": lambda: (target.write_text("a mark"), path.symlink_to(target)),  # type: ignore[func-returns-value]
        "folder": path.mkdir,
        "dangling": lambda: path.symlink_to(target),
    }[kind]()
    with pytest.raises(HeadstartError, match=r"page\.html is .* a page of ours"):
        ours.refuse_foreign(path, "a mark", "a page of ours")


def test_a_single_file_of_ours_or_none_is_taken(tmp_path: Path) -> None:
    ours.refuse_foreign(tmp_path / "page.html", "a mark", "a page of ours")
    (tmp_path / "page.html").write_text("<meta a mark>")
    ours.refuse_foreign(tmp_path / "page.html", "a mark", "a page of ours")


def test_one_report_of_a_folder_is_read_and_written_at_a_time(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    order: list[str] = []

    def another() -> None:
        with ours.alone(tmp_path):
            order.append("the other")

    with ours.alone(tmp_path):
        thread = threading.Thread(target=another)
        thread.start()
        thread.join(0.2)
        order.append("the first")
    thread.join(10)
    assert order == ["the first", "the other"]
