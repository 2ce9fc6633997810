"""What a repository can keep of a study: its file, its tables as CSV, its figures, and its judged
findings.

DIR/README.md         for people: the verdict, the findings, how it was run and how to repeat it
DIR/findings.json     for programs: the same, with every judged difference as a number;
                      `headstart findings` reads these
DIR/study.yaml        the study file, with every default
DIR/results/          all runs, rounds, looks and trials as Parquet: every page is written again
                      from these, without the runs' own folders
DIR/runs.csv          a row a run, to be read as text; what all runs share is left out
DIR/tables/           the tables behind the figures
DIR/figures/          the figures
DIR/modules/          copies of the user's own modules that the study names, where it does
DIR/published.sha256  what was written, for `sha256sum -c`: by it an older README.md is known from
                      that of others

The same folder of results gives the same bytes, and so does what was published of it: dates and
machines are those in the records of the runs.
"""

import json
from pathlib import Path
from typing import Any

from headstart.errors import HeadstartError
from headstart.report import written_files
from headstart.report.appendix.needs import needs_of
from headstart.report.figures.rendering import in_few_colours, render
from headstart.report.judgement.reading import Reading
from headstart.report.panels.base import Panel
from headstart.report.publication.kept_tables import compact, packed
from headstart.report.publication.readme import readme
from headstart.report.publication.summary import NAME, rounded, summary
from headstart.report.runs.records import RUN_COLUMNS, Run, records_of
from headstart.report.runs.sorting import sort
from headstart.report.words.table import csv_text
from headstart.report.written_files import PUBLISHED
from headstart.tables import RESULTS, STUDY_FILE, read_results

ALWAYS = ("start", "client", "server", "seed", "status", "test_accuracy", "test_loss")
"""Columns of the runs that are published although all runs have the same value."""

OF_THE_FOLDER = ("run", "seconds", "ended", "executor", "executor_fallback", "data", "begun_with")
"""Columns that are of no use away from the folder."""


def publish(directory: str | Path, into: str | Path | None = None) -> Path:
    """Write what is worth keeping of the study in `directory` to the folder `into`; return it.

    Files are replaced whole, and those that an earlier time wrote and this study does not have are
    removed. What was published is written again from its own tables, in its place or elsewhere.

    Raises:
        HeadstartError: the study cannot be read, or a file cannot be written or is not ours.
    """
    directory = Path(directory)
    into = directory if into is None else Path(into)
    if into.resolve() == directory.resolve() and not (directory / PUBLISHED).exists():
        raise HeadstartError(
            f"{into} is the folder of the study itself; choose another one to publish to, with "
            "--into"
        )
    written_files.refuse_changed(directory, PUBLISHED)
    kept = compact(read_results(directory))
    reading = Reading(directory, sort(records_of(kept, directory)))
    written = pages(reading) | figures(reading)
    for name, content in packed(kept).items():
        written[f"{RESULTS}/{name}"] = content
    written_files.replace(into, written, PUBLISHED)
    return into


def judging(reading: Reading) -> list[Panel]:
    """The panels of the paper's findings that the study has runs for."""
    return [each.panel for each in reading.findings if isinstance(each.panel, Panel)]


def figures(reading: Reading) -> dict[str, bytes]:
    """The figures of a study, by their names."""
    return {f"figures/{panel.slug}.png": small_png(panel) for panel in judging(reading)}


def pages(reading: Reading) -> dict[str, bytes]:
    """The files that are written of a study beside its Parquet and figures, by their names."""
    told = summary(reading)
    records = reading.grid.records
    needs = needs_of(records.settings, reading.folder)
    written = tables(reading)
    written["runs.csv"] = csv_text(varying(records.runs), rounded)
    written[STUDY_FILE] = records.text.encode()
    written[NAME] = (json.dumps(told, indent=1, ensure_ascii=False) + "\n").encode()
    written |= needs.modules
    written["README.md"] = readme(told, judging(reading), needs).encode()
    return written


def tables(reading: Reading) -> dict[str, bytes]:
    """The tables behind figures and cautions as CSV, by their names; not the rates that
    were tried.
    """
    found = list(reading.appendix.tables)
    for panel in reading.shown:
        found += panel.tables
    written = {}
    for table in found:
        if table is not reading.appendix.rates:
            written[f"tables/{table.slug}.csv"] = csv_text(table.columns, rounded)
    return written


def small_png(panel: Panel) -> bytes:
    """The wide figure in few colours."""
    return in_few_colours(render(panel.draw, panel.heights[0], wide=True)["png"])


def varying(runs: tuple[Run, ...]) -> dict[str, list[Any]]:
    """The columns of the runs that are not the same in all of them, and always what came of
    them.
    """
    found = {}
    for name in RUN_COLUMNS:
        values = [getattr(run, name) for run in runs]
        varies = name not in OF_THE_FOLDER and len(set(values)) > 1
        if name in ALWAYS or varies:
            found[name] = values
    return found
