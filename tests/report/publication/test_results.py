"""What docs/results keeps is what the code writes from its tables; where it fails,
run `make results`.
"""

from pathlib import Path

import pytest

from headstart.report import written_files
from headstart.report.judgement.reading import read
from headstart.report.publication.folder import figures, pages
from headstart.report.publication.kept_tables import MOST_BYTES
from headstart.tables import RESULTS, RUNS_FILE

ROOT = Path(__file__).parents[3] / "docs/results"
FOLDERS = sorted(path.parents[1] for path in ROOT.glob(f"*/{RESULTS}/{RUNS_FILE}"))


def names(folder: Path) -> str:
    return folder.name


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_the_pages_are_what_the_code_writes(folder: Path) -> None:
    for name, content in pages(read(folder)).items():
        assert (folder / name).read_bytes() == content, name


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_the_figures_are_what_the_code_draws(folder: Path) -> None:
    for name, content in figures(read(folder)).items():
        assert (folder / name).read_bytes() == content, name


@pytest.mark.parametrize("folder", FOLDERS, ids=names)
def test_the_tables_are_small(folder: Path) -> None:
    assert sum(path.stat().st_size for path in (folder / RESULTS).iterdir()) <= MOST_BYTES


@pytest.mark.parametrize(
    "folder", sorted(path.parent for path in ROOT.glob("*/findings.json")), ids=names
)
def test_no_file_was_changed_by_hand(folder: Path) -> None:
    written_files.refuse_changed(folder, written_files.PUBLISHED)
