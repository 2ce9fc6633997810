"""Every panel's sentence on data that are clear, contrary and undecided."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from headstart.report import tables
from headstart.report.panel import Missing, Panel
from headstart.report.panels import PANELS
from headstart.report.panels.ranking import changes_order
from headstart.report.slices import slice_up
from headstart.study.statistics import Estimate

MakeStudy = Callable[..., Path]


def panels(folder: Path) -> dict[str, Panel | Missing]:
    study = slice_up(tables.read(folder))
    return {panel.slug: panel for panel in (build(study) for build in PANELS)}


def says(folder: Path) -> dict[str, str | None]:
    return {slug: p.answer.says if isinstance(p, Panel) else "missing" for slug, p in panels(folder).items()}


def test_clear(study: MakeStudy) -> None:
    assert says(study("clear")) == {
        "ranking": "yes", "speed": "yes", "data_gap": "yes", "local_epochs": "yes", "uneven_devices": "yes",
        "alignment": "yes", "initial_loss": "yes", "full_batch": "no",
    }  # fmt: skip


def test_contrary(study: MakeStudy) -> None:
    found = says(study("contrary"))
    assert found.pop("ranking") == "yes"  # the order differs whichever start is the better
    assert set(found.values()) == {"no"}


def test_undecided(study: MakeStudy) -> None:
    found = says(study("undecided"))
    decided = {slug for slug, answer in found.items() if answer != "undecided"}
    assert decided == {"initial_loss", "full_batch"}  # in this mood the loss begins higher, and gd stays behind


def test_one_seed_is_undecided_everywhere(study: MakeStudy) -> None:
    assert set(says(study(seeds=(0,))).values()) == {"undecided"}


def test_one_start_has_nothing_to_compare(study: MakeStudy) -> None:
    found = says(study(starts=("proxy",)))
    assert found.pop("full_batch") == "no"  # gd against sgd needs one start only
    assert set(found.values()) == {None}


def test_numbers_in_the_sentence_are_those_of_the_runs(study: MakeStudy) -> None:
    folder = study("clear", noise=0.0)  # accuracies are then the generator's own, and intervals are points
    found = panels(folder)
    sentence = found["data_gap"].answer.sentence  # type: ignore[union-attr]
    # random: .95 on iid, .90 not; proxy: .975 and .97
    assert "\u22125.0 points [\u22125.0, \u22125.0] from random" in sentence
    assert "\u22120.5 points [\u22120.5, \u22120.5] from proxy" in sentence
    assert "difference +4.5 points" in sentence
    epochs = found["local_epochs"].answer.sentence  # type: ignore[union-attr]
    assert "per doubling \u22122.0 points [\u22122.0, \u22122.0] from random" in epochs  # .02 log2(E) in the generator


def test_diverged_pairs_are_left_out_and_counted(study: MakeStudy) -> None:
    found = panels(study(diverge=lambda r: r["client"] == "nova" and r["devices"] != "equal" and r["seed"] == 0))
    devices = found["uneven_devices"]
    assert isinstance(devices, Panel)
    assert "mean over 6 pairs, 3 pairs with diverged runs left out" in devices.answer.sentence
    assert sum(devices.tables[0].columns["diverged runs"]) == 6  # 3 servers x 2 starts


def test_panels_without_data_say_what_they_need(study: MakeStudy) -> None:
    found = panels(study(keep=lambda r: (r["client"], r["server"]) == ("nova", "sgd") and r["devices"] == "equal"))
    missing = {slug: p.need for slug, p in found.items() if isinstance(p, Missing)}
    assert set(missing) == {"ranking", "data_gap", "local_epochs", "uneven_devices", "full_batch"}
    assert all(missing.values())


def test_without_a_target_speed_is_judged_by_the_mean_over_rounds(study: MakeStudy) -> None:
    speed = panels(study(target_accuracy=None))["speed"]
    assert isinstance(speed, Panel)
    assert speed.answer.says == "yes"
    assert "no target accuracy was set" in speed.answer.sentence


@pytest.mark.parametrize("mood", ["clear", "tuning"])
def test_tables_have_equal_columns_and_a_name_of_their_own(study: MakeStudy, mood: str) -> None:
    found = [t for p in panels(study(mood)).values() if isinstance(p, Panel) for t in p.tables]
    assert len({t.slug for t in found}) == len(found)
    for table in found:
        assert {len(values) for values in table.columns.values()} == {len(table)}
        assert table.percent <= set(table.columns)
        assert dataclasses.is_dataclass(table)


def test_order_is_said_to_hold_only_where_the_seeds_agree_on_one() -> None:
    same = Estimate(0.01, -0.03, 0.05, 3)
    assert changes_order(Estimate(0.2, 0.1, 0.3, 3), 0.9) == "yes"
    assert changes_order(same, 0.9) == "no"
    assert changes_order(same, 0.3) == "undecided"
    assert changes_order(Estimate(0.1, -0.1, 0.3, 3), 0.9) == "undecided"
    assert changes_order(None, None) == "undecided"
