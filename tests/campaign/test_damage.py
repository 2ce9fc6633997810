"""A few dozen damaged folders, without the time that commands take to begin."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.campaign.damage import OTHER, STUDY, damage, make, tables

from headstart.errors import HeadstartError
from headstart.report.runs.records import Records, read
from headstart.study.runner import run_study
from headstart.study.spec import Study

CASES = 60


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A folder with a run under way, another study's, and the first one when it has ended."""
    place = tmp_path_factory.mktemp("damage")
    whole, other = make(place / "whole", STUDY), make(place / "other", OTHER)
    ended = Path(shutil.copytree(whole, place / "ended"))
    run_study(Study.load(place / "whole" / "study.yaml"), ended)
    return whole, other, ended


@pytest.mark.slow
def test_a_damaged_folder_gives_the_same_numbers_or_one_line(
    folders: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    whole, other, ended = folders
    study = Study.load(whole.parent / "study.yaml")
    draw = np.random.Generator(np.random.Philox(key=1))
    outcomes: Counter[str] = Counter()
    for number in range(CASES):
        out = Path(shutil.copytree(whole, tmp_path / str(number)))
        done = damage(out, whole, other, draw)
        for reads in (True, False):
            try:
                found = read(out) if reads else run_study(study, out, tell=lambda line: None)
            except HeadstartError as error:
                line = str(error)
            else:
                line = ""
                if isinstance(found, Records):
                    expected = read(whole)
                    assert (found.runs, found.trials) == (expected.runs, expected.trials), done
                    assert found.settings == expected.settings, done
                else:
                    for ours, theirs in zip(tables(out), tables(ended), strict=True):
                        assert ours.equals(theirs), done
            assert "\n" not in line, done
            assert not line or str(out) in line, done
            outcomes["one line" if line else "the same"] += 1
        shutil.rmtree(out)
    assert min(outcomes.values()) > CASES / 10


def test_how_long_a_start_took_is_no_other_number(tmp_path: Path) -> None:
    found = []
    for seconds, rows in ((0, 500), (3, 500), (0, 501)):
        said = f"pre-trained for 1 epoch in {seconds} s: accuracy 16.6% on the {rows} test rows"
        (tmp_path / f"{seconds} {rows}" / "results").mkdir(parents=True)
        path = tmp_path / f"{seconds} {rows}" / "results" / "runs.parquet"
        pq.write_table(pa.table({"seconds": [1.0 * seconds], "begun_with": [said]}), path)
        found += tables(path.parents[1])
    assert found[0].equals(found[1])
    assert not found[0].equals(found[2])
