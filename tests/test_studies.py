"""Every study file that is committed runs end to end, at toy size, and ends in a report."""

import html
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from headstart.paper.findings import FINDINGS
from headstart.report.judgement.reading import read
from headstart.report.pages.study_page import write
from headstart.study.runner import run_study
from headstart.study.spec import Study

ROOT = Path(__file__).parent.parent
FILES = sorted(
    [*(ROOT / "studies").glob("*.yaml"), *(ROOT / "src/headstart/studies").glob("*.yaml")]
)
TOY = {"rounds": 2, "every": 1, "cohort": 2, "seeds": [0, 1], "executor": "stacked"}
SMALLER = {
    "words(size=2000)": "words(size=50)",
    "epochs: 4": "epochs: 1",
    "epochs: 8": "epochs: 1",
    "width=16": "width=1",
    "epochs=3": "epochs=1, batch_size=2048",
    "width=8": "width=1",
}
ROWS = 2000
TABLE = re.compile(r"path: \$HEADSTART_DATA/(\w+\.parquet)")
PROBES = {
    "evaluation": "evaluation(train_rows=20, test_rows=20, batch=256)",
    "curvature": "curvature(rows=8, products=2)",
}


def needs_data(path: Path) -> None:
    if (
        "HEADSTART_DATA" not in os.environ
        and path.parent.name == "studies"
        and path.parent.parent == ROOT
    ):
        pytest.skip("its data are read from the folder that HEADSTART_DATA names, which is not set")


def toy(text: str) -> dict[str, Any]:
    """The study with smaller networks and vocabularies, few rounds,
    few clients a round and little that is measured.
    """
    for whole, part in SMALLER.items():
        text = text.replace(whole, part)
    keys = yaml.safe_load(text)
    small = {**keys, **TOY}
    if isinstance(keys.get("partitions"), list):
        small["partitions"] = keys["partitions"][:1]
    if "tuning" in keys:
        small["tuning"] = {**keys["tuning"], "trials": 1, "rounds": 1}
    if "probes" in keys:
        asked = keys["probes"] if isinstance(keys["probes"], list) else [keys["probes"]]
        small["probes"] = [PROBES.get(str(probe).partition("(")[0], probe) for probe in asked]
    for axes in [small, *small.get("also", [])]:
        for axis in ("client_rates", "server_rates"):
            if isinstance(axes.get(axis), list):
                axes[axis] = axes[axis][:2]
    return small


def thinned(text: str, folder: Path) -> str:
    """The study over 2,000 rows of each table that it names."""
    for name in TABLE.findall(text):
        table = pq.read_table(Path(os.environ["HEADSTART_DATA"]) / name)
        some = np.random.Generator(np.random.Philox(key=0)).permutation(len(table))[:ROWS]
        pq.write_table(table.take(np.sort(some)), folder / name)
    return TABLE.sub(lambda found: f"path: {folder / found[1]}", text)


def words_of(page: str) -> str:
    """What a page says, without its marks."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", page)).split())


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_study_at_its_full_size_is_valid(path: Path) -> None:
    """Which needs no data to be said."""
    assert len(Study.load(path).grid) > 0


@pytest.mark.slow
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_study_at_toy_size(path: Path, tmp_path: Path) -> None:
    needs_data(path)
    study = Study(**toy(thinned(path.read_text(), tmp_path)))
    run_study(study, out := tmp_path / "out")
    reading = read(out)
    page = words_of(write(out).read_text(encoding="utf-8"))
    assert {panel.slug for panel in reading.panels} >= set(FINDINGS)
    for panel in reading.shown:
        assert panel.heading in page
        assert panel.answer.sentence[1:] in page, panel.slug  # which begins with a capital
    assert reading.verdict.where.claim in page


def test_the_demo_ships_with_the_package() -> None:
    assert (resources.files("headstart") / "studies" / "demo.yaml").is_file()
