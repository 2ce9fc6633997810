"""What a study needs beside its file is read off its settings."""

from pathlib import Path

from headstart.report.appendix.needs import needs_of


def test_values_paths_and_modules_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules/mine.py").write_text("def net(): ...")
    settings = {
        "title": "python(name='no part')",
        "task": "table(path='rows.csv', client='site:id')",
        "model": "mine:net",
        "starts": ["far:start", f"python(name='central', sha256='{64 * '0'}')"],
    }
    needs = needs_of(settings, tmp_path)
    assert (needs.given, needs.paths, needs.elsewhere) == (("central",), ("rows.csv",), ("far",))
    assert needs.modules == {"modules/mine.py": b"def net(): ..."}
