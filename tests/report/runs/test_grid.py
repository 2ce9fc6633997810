"""The slices are found from the runs, whatever the study file calls its grids."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from headstart.looks.competitors import Pair, Setting
from headstart.report.appendix.rates import trained
from headstart.report.pages.study_page import write
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.report.verdict.where import where_to_begin

from ..conftest import rewrite

MakeStudy = Callable[..., Path]
DIR = "dirichlet(alpha=0.1)"


def read(folder: Path) -> Grid:
    return sort(tables.read(folder))


def test_base_is_the_setting_with_most_runs(study: MakeStudy) -> None:
    found = read(study())
    assert found.base == Setting(DIR, "equal", 1)
    assert len(found.pairs()) == 15  # 5 clients x 3 servers


def test_each_axis_has_its_pairs_and_values(study: MakeStudy) -> None:
    found = read(study())
    slices = [found.varied(axis) for axis in ("partition", "local_epochs", "devices")]
    assert [(part.values, len(part.pairs)) for part in slices if part] == [
        ((DIR, "iid"), 1),
        ((1, 5, 20), 1),
        (("equal", "uneven-epochs(share=0.3, low=1, high=5)"), 9),
    ]


def test_no_slice_where_nothing_varies(study: MakeStudy) -> None:
    found = read(
        study(
            keep=lambda row: (
                row["partition"] == DIR and row["devices"] == "equal" and row["local_epochs"] == 1
            )
        )
    )
    assert [found.varied(axis) for axis in ("partition", "local_epochs", "devices")] == [
        None,
        None,
        None,
    ]


def test_a_slice_away_from_the_base_is_found(study: MakeStudy) -> None:
    """The epochs vary on iid data alone, the base is the Dirichlet partition."""

    def keep(row: dict[str, Any]) -> bool:
        return row["devices"] == "equal" and (row["local_epochs"] == 1 or row["client"] == "sgd")

    folder = study(keep=keep)
    results = tables.read(folder)
    moved = tuple(
        run if run.local_epochs == 1 else type(run)(**{**run.__dict__, "partition": "iid"})
        for run in results.runs
    )
    part = sort(tables.Records(results.settings, moved, results.curves, folder)).varied(
        "local_epochs"
    )
    assert part is not None
    assert (part.rest.partition, part.values) == ("iid", (1, 5, 20))


def test_means_are_over_the_largest_block_of_pairs_and_seeds(table: Callable[..., Grid]) -> None:
    """Four of five seeds of three pairs are more than five of one;
    one of five of a single pair is less.
    """
    a, b, c, d = (f"{client} + sgd" for client in ("sgd", "nova", "gd", "mimelite"))

    def kept(**seeds: int) -> list[str]:
        names = {"a": a, "b": b, "c": c, "d": d}
        found = table({"random": {names[name]: [0.9] * n for name, n in seeds.items()}})
        return [str(pair) for pair in found.comparable()]

    assert kept(a=5, b=4, c=4, d=4) == [a, b, c, d]
    assert kept(a=5, b=5, c=5, d=1) == [a, b, c]
    assert kept(a=2, b=1) == [a]


def test_brief_names_drop_parameters_only_where_that_is_clear(study: MakeStudy) -> None:
    found = read(study())
    assert found.brief(Pair("proximal(mu=0.1)", "adam")) == "FedAdam, FedProx"


def trained_by(study: Grid, trainable: Callable[[tables.Run], str]) -> Grid:
    moved = tuple(replace(run, trainable=trainable(run)) for run in study.records.runs)
    return sort(replace(study.records, runs=moved))


def test_what_is_trained_is_part_of_a_setting(study: MakeStudy) -> None:
    """Every run twice, once for the head alone: as many settings again,
    and the base is that of all weights.
    """
    found = read(study())
    twice = [
        replace(run, trainable=trainable)
        for trainable in ("head", "all")
        for run in found.records.runs
    ]
    both = sort(replace(found.records, runs=tuple(twice)))
    assert len(both.cells) == 2 * len(found.cells)
    assert both.base == found.base == Setting(DIR, "equal", 1, "all")
    heads = trained_by(found, lambda run: "head")
    assert str(heads.base) == f"{DIR}, equal devices, 1 local epoch, training head only"
    assert trained(found) == ""
    assert trained(heads) == "From every start the same weights were trained: head."
    assert trained(both) == "From every start the same weights were trained: head and all."


def test_starts_are_not_compared_where_they_train_different_weights(study: MakeStudy) -> None:
    mixed = trained_by(read(study()), lambda run: "all" if run.start == "random" else "head")
    assert mixed.pairs() == []
    assert (
        where_to_begin(mixed).evidence == "only random was run in the setting that most runs have"
    )
    assert trained(mixed) == (
        "Starts differ in which weights were trained: all from random; head from proxy. "
        "They are compared only where it was the same."
    )


def test_the_page_tells_which_weights_were_trained(study: MakeStudy) -> None:
    folder = study()
    runs = pq.read_table(folder / "results" / "runs.parquet")
    rewrite(folder, runs=runs.append_column("trainable", pa.array(["head"] * len(runs))))
    page = write(folder).read_text(encoding="utf-8")
    assert "From every start the same weights were trained: head." in page
    assert "training head only" in page


class _Walked(dict[tuple[str, str], Any]):
    """Curves that count how often they are gone through."""

    times = 0

    def __iter__(self) -> Iterator[tuple[str, str]]:
        self.times += 1
        return super().__iter__()


def test_the_metrics_of_cells_are_found_without_going_through_all_curves(study: MakeStudy) -> None:
    records = tables.read(study())
    curves = _Walked(records.curves)
    grid = sort(replace(records, curves=curves))
    before = curves.times
    for cell in grid.cells.values():
        keys = {run.run for run in cell.runs}
        of_cell = [metric for run, metric in records.curves if run in keys]
        assert list(grid.metrics(cell)) == list(dict.fromkeys(of_cell))
    assert curves.times <= before + 1
    assert len(grid.cells) > 10
