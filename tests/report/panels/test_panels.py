"""Every panel's sentence on data that are clear, contrary and undecided."""

import dataclasses
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from headstart.report.measures.flatness import ratio
from headstart.report.pages import study_page as page
from headstart.report.panels import PANELS
from headstart.report.panels.base import Missing, Panel
from headstart.report.panels.local_epochs import build as local_epochs
from headstart.report.panels.ranking import build as ranking
from headstart.report.panels.ranking import changes_order
from headstart.report.panels.speedup import answer as speed
from headstart.report.runs import records as tables
from headstart.report.runs.grid import Grid
from headstart.report.runs.sorting import sort
from headstart.statistics.intervals import Estimate, t_interval

from ..conftest import rewrite

MakeStudy = Callable[..., Path]


def panels(folder: Path) -> dict[str, Panel | Missing]:
    study = sort(tables.read(folder))
    return {panel.slug: panel for panel in (build(study) for build in PANELS)}


def says(folder: Path) -> dict[str, str | None]:
    return {
        slug: p.answer.says if isinstance(p, Panel) else "missing"
        for slug, p in panels(folder).items()
    }


def test_clear(study: MakeStudy) -> None:
    assert says(study("clear")) == {
        "ranking": "yes", "speedup": "yes", "iid-gap": "yes", "local-epochs": "yes",
        "devices": "yes", "curvature": "yes", "alignment": "yes", "initial-loss": "yes",
        "gd-vs-sgd": "no",
    }  # fmt: skip


def test_contrary(study: MakeStudy) -> None:
    found = says(study("contrary"))
    assert found.pop("ranking") == "yes"  # the order differs whichever start is the better
    assert set(found.values()) == {"no"}


def test_undecided(study: MakeStudy) -> None:
    found = says(study("undecided"))
    decided = {slug for slug, answer in found.items() if answer != "undecided"}
    # In this mood the loss begins higher, and gd stays behind.
    assert decided == {"initial-loss", "gd-vs-sgd"}


def test_what_is_equal_from_both_starts_is_undecided(study: MakeStudy) -> None:
    folder = study()
    change(folder, "test_loss", lambda start, round_, value: 2.5)
    found = panels(folder)["initial-loss"]
    assert isinstance(found, Panel)
    assert (found.answer.says, found.answer.difference) == ("undecided", "0.00 [0.00, 0.00]")


def test_equal_rounds_and_two_equal_savings_are_undecided(table: Callable[..., Grid]) -> None:
    """Rounds are counted in steps: the same from both starts in every seed,
    then 20 fewer in both of two seeds.
    """
    good = {"sgd + adam": [0.9, 0.91, 0.92]}
    equal = speed(
        table(
            {"random": good, "proxy": good},
            rounds_to_target=dict.fromkeys(("random", "proxy"), [40] * 3),
        )
    )
    assert (equal.says, equal.difference) == ("undecided", "0.0 rounds (3 equal seeds)")
    two = {"sgd + adam": [0.9, 0.91]}
    tied = speed(
        table(
            {"random": two, "proxy": two}, rounds_to_target={"random": [60, 40], "proxy": [40, 20]}
        )
    )
    assert (tied.says, tied.difference) == ("undecided", "\u221220.0 rounds (two equal seeds)")
    assert "run three or more" in tied.to_decide


def test_rounds_that_agree_vary_by_half_of_those_between_two_measurements(
    table: Callable[..., Grid],
) -> None:
    """What was measured every 10 rounds is not known more closely:
    four seeds that agree tell 40 rounds from none.
    """
    good = {"sgd + adam": [0.9, 0.9, 0.9, 0.9]}
    rounds = {"random": [60] * 4, "proxy": [20] * 4}
    found = speed(table({"random": good, "proxy": good}, rounds_to_target=rounds, every=10))
    assert found.judged == t_interval([40.0] * 4, step=10)
    assert (found.says, found.difference) == ("yes", "\u221240.0 rounds [\u221248.0, \u221232.0]")
    near = {"random": [30] * 4, "proxy": [20] * 4}
    assert (
        speed(table({"random": good, "proxy": good}, rounds_to_target=near, every=20)).says
        == "undecided"
    )


@pytest.mark.parametrize(("seeds", "answer"), [(3, "yes"), (2, "undecided")])
def test_a_start_that_is_there_before_training_is_the_quicker(
    table: Callable[..., Grid], seeds: int, answer: str
) -> None:
    """No seed would bring a spread where one start needs no round and the other is never there."""
    good = {"sgd + adam": [0.9, 0.91, 0.92][:seeds]}
    rounds = {"random": [None] * seeds, "proxy": [0] * seeds}
    found = speed(table({"random": good, "proxy": good}, rounds_to_target=rounds))
    assert found.says == answer
    if answer == "yes":
        assert found.sentence == (
            "from proxy all 3 runs are at 80% before the first round; from random 0 of 3 reach it."
        )
        assert (found.difference, found.judged) == ("proxy before round 1, random in no run", None)
        rounds = {"random": [0] * 3, "proxy": [None] * 3}
        assert speed(table({"random": good, "proxy": good}, rounds_to_target=rounds)).says == "no"


def test_equal_starts_are_there_before_training_and_never_in_few_studies() -> None:
    """Runs that are there at once with a chance a and never with 1 - a: a = 1/2 is the worst."""
    generator = np.random.Generator(np.random.Philox(key=7))
    at_once = generator.random((20_000, 2, 3)) < 0.5  # study, start, seed
    there, never = np.all(at_once, axis=2), np.all(~at_once, axis=2)
    erred = (there[:, 0] & never[:, 1]) | (there[:, 1] & never[:, 0])
    assert erred.mean() == pytest.approx(2 / 4**3, abs=0.004)
    assert erred.mean() < 0.05


def test_what_a_start_has_before_training_is_no_speed(study: MakeStudy) -> None:
    folder = study(target_accuracy=None)
    level = {"random": 0.2, "proxy": 0.95}
    change(folder, "test_accuracy", lambda start, round_, value: value if round_ else level[start])
    before = panels(folder)["speedup"]
    change(folder, "test_accuracy", lambda start, round_, value: level["proxy"])
    after = panels(folder)["speedup"]
    assert isinstance(before, Panel)
    assert isinstance(after, Panel)
    assert after.answer.says == "undecided"
    change(folder, "test_accuracy", lambda start, round_, value: 0.5 if round_ else level[start])
    assert panels(folder)["speedup"].answer == after.answer  # type: ignore[union-attr]


def test_without_a_target_no_column_speaks_of_one(study: MakeStudy) -> None:
    found = panels(study(target_accuracy=None))["speedup"]
    assert isinstance(found, Panel)
    (table,) = found.tables
    assert list(table.columns) == [
        "pair",
        "method",
        "random: mean accuracy",
        "proxy: mean accuracy",
    ]
    assert "target" not in table.caption


def test_no_interval_of_tau_holds_what_is_not_possible(table: Callable[..., Grid]) -> None:
    """Orders that agree with each other in some seeds and not in others:
    t gives an interval beyond 2.
    """
    names = [f"sgd(momentum={i}) + sgd" for i in range(3)]
    draw = np.random.Generator(np.random.Philox(key=3))
    starts = {
        start: {name: draw.random(3).tolist() for name in names} for start in ("random", "proxy")
    }
    built = ranking(table(starts))
    assert isinstance(built, Panel)
    judged = built.answer.judged
    assert judged is not None
    assert judged.low is not None
    assert judged.high is not None
    assert judged.low < -2 < 2 < judged.high
    assert built.answer.difference.endswith("(3 seeds: the interval spans all that is possible)")


def test_two_seeds_do_not_judge_an_order(study: MakeStudy) -> None:
    found = panels(study(seeds=(0, 1)))["ranking"]
    assert isinstance(found, Panel)
    assert found.answer.says == "undecided"
    assert "fewer than three common seeds are too few to judge an order by" in found.answer.sentence
    assert found.answer.judged is None


def test_one_diverged_run_does_not_make_the_order_certain(table: Callable[..., Grid]) -> None:
    """Four pairs in one order from both starts; the best diverges in one of five seeds from one of
    them.
    """
    clients = ("sgd", "nova", "gd", "mimelite")
    accuracies = {
        f"{c} + adam": [0.9 - 0.1 * i + 0.01 * s for s in range(5)] for i, c in enumerate(clients)
    }
    lost = {**accuracies, "sgd + adam": [*accuracies["sgd + adam"][:4], None]}
    found = ranking(table({"random": accuracies, "proxy": lost}))
    assert isinstance(found, Panel)
    assert found.answer.says == "undecided"
    assert "1 pair with diverged runs ranks last from proxy" in found.answer.sentence
    ranked = found.tables[0].columns
    assert ranked["proxy: rank"][ranked["pair"].index("sgd + adam")] == 4  # it has no mean
    assert ranked["proxy: mean rank"][ranked["pair"].index("sgd + adam")] == pytest.approx(
        (1 + 1 + 1 + 1 + 4) / 5
    )


def test_speed_counts_the_pairs_that_it_leaves_out(table: Callable[..., Grid]) -> None:
    """One pair reaches the target; one diverged from proxy; one neither start brings there."""

    def study(lost: float | None, kept: float | None) -> Grid:
        accuracies = {
            "sgd + adam": [0.9, 0.91, kept],
            "nova + adam": [0.9, 0.9, lost],
            "gd + adam": [0.1, 0.1, 0.1],
        }
        found = table(
            {"random": accuracies, "proxy": accuracies},
            {"random": [60, 50, 40], "proxy": [40, 20, 25]},
        )
        fallen = ("gd + adam",)
        runs = [
            replace(r, rounds_to_target=None)
            if f"{r.client} + {r.server}" in fallen or not r.finished
            else r
            for r in found.records.runs
        ]
        return sort(replace(found.records, runs=tuple(runs)))

    said = speed(study(None, 0.9)).sentence
    assert (
        "mean over 1 pair (1 pair with diverged runs and 1 pair brought there by neither start "
        "left out); reached by 3 of 3 runs against 3 of 3." in said
    )
    assert speed(study(None, None)).sentence == "every pair that reaches 80% has a diverged run."


def test_slopes_count_the_pairs_that_they_leave_out(study: MakeStudy) -> None:
    folder = study()
    results = tables.read(folder)
    more = [
        replace(
            r,
            run=f"more/{r.run}",
            client="nova",
            status="diverged" if r.local_epochs == 5 else r.status,
        )
        for r in results.runs
        if r.local_epochs > 1
    ]
    found = local_epochs(sort(replace(results, runs=(*results.runs, *more))))
    assert isinstance(found, Panel)
    assert "per doubling" in found.answer.sentence
    assert "from proxy (1 pair with diverged runs left out)." in found.answer.sentence


def test_no_panel_compares_starts_without_a_common_seed(study: MakeStudy) -> None:
    folder = study(
        seeds=(0, 1, 2, 3), keep=lambda row: (row["start"] == "random") == (row["seed"] < 2)
    )
    for slug, panel in panels(folder).items():
        assert isinstance(panel, Panel)
        assert "no common seed" not in panel.answer.sentence + panel.answer.difference
        if slug not in ("ranking", "gd-vs-sgd"):
            assert "have no seed in common: nothing to compare" in panel.answer.sentence
            assert (panel.answer.says, panel.answer.difference) == ("undecided", "")


def test_the_spread_on_equal_devices_stands_beside_that_on_uneven_ones(study: MakeStudy) -> None:
    """From random, quality counts 1.6 times on equal devices and 2.8 times on uneven ones."""
    found = panels(study("clear", noise=0.0))["devices"]
    assert isinstance(found, Panel)
    quality = [c + s for c in (0.0, -0.002, -0.004) for s in (-0.02, -0.01, 0.0)]
    equal = [0.90 + 1.6 * q for q in quality]
    equal[1] += 0.06  # sgd + momentum from random
    uneven = [a - 0.02 + 1.2 * q for a, q in zip(equal, quality, strict=True)]
    one, two, proxy = (
        100 * float(np.std(v, ddof=1)) for v in (equal, uneven, [0.35 * q for q in quality])
    )
    assert f"is {two:.1f} points from random and {proxy:.1f} from proxy" in found.answer.sentence
    assert (
        f"on equal devices it is {one:.1f} points from random and {proxy:.1f} from proxy"
        in found.answer.sentence
    )
    more = f"{two - one:.1f}"
    sign = "+" if two > one else "\u2212"
    assert (
        f"so that uneven devices change the difference by {sign}{more.lstrip('-')} points (3"
        in found.answer.sentence
    )


def test_pairs_with_the_same_results_are_said_to_be_one(table: Callable[..., Grid]) -> None:
    same = {
        "sgd + adam": [0.9, 0.91, 0.92],
        "nova + adam": [0.9, 0.91, 0.92],
        "gd + adam": [0.8, 0.8, 0.8],
    }
    found = ranking(table({"random": same, "proxy": same}))
    assert isinstance(found, Panel)
    assert "sgd + adam and nova + adam gave identical results" in found.answer.sentence
    other = {**same, "nova + adam": [0.9, 0.91, 0.93]}
    apart = ranking(table({"random": same, "proxy": other}))
    assert isinstance(apart, Panel)
    assert "identical" not in apart.answer.sentence


def test_pairs_that_only_have_equal_accuracies_are_not_said_to_be_one(study: MakeStudy) -> None:
    results = tables.read(study())
    twins = tuple(
        replace(run, test_accuracy=0.5)
        if run.server == "sgd" and run.client in ("sgd", "nova")
        else run
        for run in results.runs
    )
    found = ranking(sort(replace(results, runs=twins)))
    assert isinstance(found, Panel)
    assert "identical" not in found.answer.sentence
    assert (
        "sgd + sgd and nova + sgd have equal accuracies in every seed, but not equal results"
        in found.answer.sentence
    )


def test_without_iid_clients_nothing_is_said_of_iid(study: MakeStudy) -> None:
    renamed = panels(study(rename={"iid": "natural"}))["iid-gap"]
    assert isinstance(renamed, Missing)
    assert renamed.need == "runs on iid clients beside others, with all else equal"


def test_one_seed_is_undecided_everywhere(study: MakeStudy) -> None:
    assert set(says(study(seeds=(0,))).values()) == {"undecided"}


def test_one_start_has_nothing_to_compare(study: MakeStudy) -> None:
    found = says(study(starts=("proxy",)))
    assert found.pop("gd-vs-sgd") == "no"  # gd against sgd needs one start only
    assert set(found.values()) == {None}


def test_numbers_in_the_sentence_are_those_of_the_runs(study: MakeStudy) -> None:
    folder = study("clear", noise=0.0)  # accuracies are then the generator's own
    found = panels(folder)
    sentence = found["iid-gap"].answer.sentence  # type: ignore[union-attr]
    # random: .95 on iid, .90 not; proxy: .975 and .97
    assert "\u22125.0 points (3 equal seeds) from random" in sentence
    assert "\u22120.5 points (3 equal seeds) from proxy" in sentence
    assert "difference +4.5 points" in sentence
    epochs = found["local-epochs"].answer.sentence  # type: ignore[union-attr]
    # .02 log2(E) in the generator.
    assert "per doubling \u22122.0 points (3 equal seeds) from random" in epochs


def test_diverged_pairs_are_left_out_and_counted(study: MakeStudy) -> None:
    found = panels(
        study(
            diverge=lambda r: r["client"] == "nova" and r["devices"] != "equal" and r["seed"] == 0
        )
    )
    devices = found["devices"]
    assert isinstance(devices, Panel)
    assert "mean over 6 pairs, 3 pairs with diverged runs left out" in devices.answer.sentence
    assert sum(devices.tables[0].columns["diverged runs"]) == 6  # 3 servers x 2 starts


def test_panels_without_data_say_what_they_need(study: MakeStudy) -> None:
    found = panels(
        study(
            keep=lambda r: (r["client"], r["server"]) == ("nova", "sgd") and r["devices"] == "equal"
        )
    )
    missing = {slug: p.need for slug, p in found.items() if isinstance(p, Missing)}
    assert set(missing) == {"ranking", "iid-gap", "local-epochs", "devices", "gd-vs-sgd"}
    assert all(missing.values())


def test_without_a_target_speed_is_judged_by_the_mean_over_rounds(study: MakeStudy) -> None:
    speed = panels(study(target_accuracy=None))["speedup"]
    assert isinstance(speed, Panel)
    assert speed.answer.says == "yes"
    assert "no target accuracy was set" in speed.answer.sentence


def test_drift_noise_and_layers_are_told_apart(study: MakeStudy) -> None:
    """Built as Chen et al. expect: equal drift from both starts,
    noise .1 / .35 from proxy and .1 / .12 from random.
    """
    folder = study("clear")
    found = panels(folder)["alignment"]
    assert isinstance(found, Panel)
    assert "Local drift is not told apart (" in found.answer.sentence
    assert "noise of the aggregate is smaller (\u22120.5" in found.answer.sentence
    assert "noise of the aggregate" in found.tables[0].columns
    layers = found.tables[1]
    assert layers.columns == {"layer": ["stem", "head"], "random": [4.8, 3.6], "proxy": [3.0, 1.8]}
    change(folder, "local_drift", lambda start, round_, value: None)
    without = panels(folder)["alignment"]
    assert isinstance(without, Panel)
    assert "Chen" not in without.answer.sentence


def test_curvature_is_a_ratio_beside_the_papers(study: MakeStudy) -> None:
    # 400 from random and 60 from proxy, a quarter of each at the end.
    folder = study("clear", noise=0.0)
    found = panels(folder)["curvature"]
    assert isinstance(found, Panel)
    assert found.answer.difference == "6.7 times [6.7, 6.7]"
    sentence = found.answer.sentence
    assert (
        "before the first round the largest eigenvalue is 400 from random and 60 from proxy"
        in sentence
    )
    assert "after the last 100 from random and 15 from proxy, ratio 6.7 [6.7, 6.7]" in sentence
    assert "7.3 (CIFAR-10), 13.5 (FEMNIST), 1.2 (Stack Overflow) and 2.0 (Reddit)" in sentence
    assert "Relative residual at most 0.0009." in found.caption
    by_seed, ratios = found.tables
    assert by_seed.columns["before"] == pytest.approx([400.0] * 3 + [60.0] * 3)
    assert by_seed.columns["after"] == pytest.approx([100.0] * 3 + [15.0] * 3)
    assert ratios.columns["ratio"] == pytest.approx(
        [400 / 60, 400 / 60, 4843.13 / 661.99, 355.51 / 26.29, 185.02 / 151.05, 1309.68 / 647.19]
    )


def test_interval_of_a_ratio_is_that_of_the_logarithms() -> None:
    random, other = {0: 10.0, 1: 40.0, 2: 9.0}, {0: 5.0, 1: 10.0, 2: 3.0}
    found = ratio(random, other)
    logs = t_interval(np.log([2.0, 4.0, 3.0]))
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx(
        (logs.value, logs.low, logs.high), rel=1e-12
    )
    assert ratio({0: -1.0}, {0: 2.0}) is None


def change(folder: Path, metric: str, to: Callable[[str, int, float], float | None]) -> None:
    """Rewrite a metric's values as a function of start, round and value; None removes the row."""
    starts = {
        row["run"]: row["start"]
        for row in pq.read_table(folder / "results/runs.parquet").to_pylist()
    }
    rows = pq.read_table(folder / "results/rounds.parquet")
    kept = [
        {**row, "value": new}
        for row in rows.to_pylist()
        if row["metric"] != metric or to(starts[row["run"]], row["round"], row["value"]) is not None
        for new in [
            to(starts[row["run"]], row["round"], row["value"])
            if row["metric"] == metric
            else row["value"]
        ]
    ]
    rewrite(folder, rounds=pa.Table.from_pylist(kept, schema=rows.schema))


def test_curvature_that_is_not_positive_is_judged_by_its_difference(study: MakeStudy) -> None:
    folder = study("clear", noise=0.0)
    change(
        folder, "hessian_top_1", lambda start, round_, value: value if start == "random" else -1.0
    )
    found = panels(folder)["curvature"]
    assert isinstance(found, Panel)
    assert found.answer.says == "yes"
    assert (
        "difference +401.00 [+401.00, +401.00], no ratio of what is not positive"
        in found.answer.sentence
    )
    assert page.write(folder).exists()


def test_curvature_measured_only_at_the_start_or_not_at_all(study: MakeStudy) -> None:
    folder = study("clear", noise=0.0)
    change(folder, "hessian_top_1", lambda start, round_, value: value if round_ == 0 else None)
    change(
        folder,
        "hessian_converged",
        lambda start, round_, value: 0.0 if round_ and start == "random" else value,
    )
    found = panels(folder)["curvature"]
    assert isinstance(found, Panel)
    assert "after the last" not in found.answer.sentence
    assert "did not converge." in found.caption
    assert set(found.tables[0].columns["after"]) == {None}
    assert page.write(folder).exists()
    change(folder, "hessian_top_1", lambda start, round_, value: None)
    missing = panels(folder)["curvature"]
    assert isinstance(missing, Missing)
    assert missing.need.startswith("the probe curvature")


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
    assert changes_order(Estimate(0.2, 0.1, 0.3, 3), 0.9, 36) == "yes"
    assert changes_order(same, 0.9, 36) == "no"
    assert changes_order(same, 0.9, couples=1) == "undecided"
    assert changes_order(same, 0.3, 36) == "undecided"
    assert changes_order(Estimate(0.1, -0.1, 0.3, 3), 0.9, 36) == "undecided"
    assert changes_order(None, None, 36) == "undecided"
