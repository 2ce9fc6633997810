"""Metrics that no panel knows are those of the user's own probes, and no others."""

from collections.abc import Callable
from typing import Any

from headstart.engine.federation import begin
from headstart.looks.competitors import Pair
from headstart.probes.base import PROBES
from headstart.report.measures.own_metrics import KNOWN, family, last_values, unknown
from headstart.report.runs.grid import Grid
from headstart.study.federations import federation_of
from headstart.study.rounds import Progress, do_rounds
from headstart.study.spec import Study
from headstart.tables import OF_CLIENT

PAIR = "sgd + adam"


def test_all_that_the_probes_of_the_package_measure_is_known() -> None:
    names = [entry.name for entry in PROBES]
    study = Study(
        task="digits", model="mlp(hidden=[4])", probes=names, seeds=[0], population=6, cohort=3
    )
    federation = federation_of(study.runs[0])
    probes = [PROBES.build(probe, federation) for probe in study.probes]
    progress = do_rounds(
        federation, Progress(begin(federation, federation.network.initial(0))), 2, 1, probes
    )
    measured = {metric for _, metric, _ in progress.rows if not metric.startswith(OF_CLIENT)}
    assert len(measured) > 20
    assert {metric for metric in measured if family(metric) not in KNOWN} == set()


def test_one_of_ones_own_is_not(table: Callable[..., Grid], with_curves: Any) -> None:
    grid = table({"random": {PAIR: [0.5, None]}})
    for metric in ("test_loss", "hessian_top_2", "distance_to_final.stem", "norm", "norm.head"):
        grid = with_curves(grid, metric, lambda run: [(0, 1.0), (9, 2.0 + run.seed)])
    assert unknown(grid) == ["norm", "norm.head"]
    # the run that diverged has no last value
    assert last_values(grid, grid.cell("random", Pair("sgd", "adam")), "norm") == {0: 2.0}


def test_seeds_that_share_a_tuning_count_as_one(
    table: Callable[..., Grid], with_curves: Any
) -> None:
    grid = table({"random": {PAIR: [0.5] * 4}}, tuning={"trials": 3, "repeats": 2})
    grid = with_curves(grid, "norm", lambda run: [(0, 1.0), (9, 2.0 + run.seed**2)])
    assert last_values(grid, grid.cell("random", Pair("sgd", "adam")), "norm") == {0: 4.0, 1: 7.0}
