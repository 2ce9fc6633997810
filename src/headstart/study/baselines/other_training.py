"""Other training that the runs of a study are held against: on all rows in one place, and by
clients that each train alone.

Both are runs of the same engine with one client that takes part in every round. They differ from
the run that they are held against in that alone: start, pair, rates, rounds and seed are its own.
Where all rows lie in one place, a round has as many steps as a client of the run takes in the mean,

    S = round(mean over clients i of the steps of E epochs over n_i rows),

so that centralised training takes as many steps, one after another, as the model of the run. A
client alone takes as many steps a round as it would in the run's cohort.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from headstart import rng
from headstart.engine.devices import DEVICES, steps_of
from headstart.engine.plan import Population
from headstart.errors import HeadstartError
from headstart.study.file.keys import StudyFile
from headstart.study.file.run_spec import RunSpec

EVALUATION = "evaluation"
MOST = 50_000
"""Runs of baselines that a study may have, each with a folder of its own."""

SELDOM = 10**6
"""Rounds between two measurements: before the first round and after the last is enough."""


def baseline_runs(runs: Sequence[RunSpec], file: StudyFile) -> dict[RunSpec, RunSpec]:
    """Return the runs of the baselines that a study asks for, each with the run it is held against.

    Those are the runs in the setting that the file names first.

    Args:
        runs: those of the study, with the number of their clients.
        file: the study file.

    Raises:
        HeadstartError: more clients are to train alone than there are, or than can be kept.
    """
    found: dict[RunSpec, RunSpec] = {}
    if not file.baselines:
        return found
    first = _setting(runs[0])
    held = [run for run in runs if _setting(run) == first]
    each = (file.local_clients or runs[0].cohort) + 1
    if "local" in file.baselines and each * len(held) > MOST:
        raise HeadstartError(
            f"baselines: expected at most {MOST:,} runs, got about {each * len(held):,} ({each} "
            f"for each of {len(held):,} runs); lower local_clients, or leave local out"
        )
    for run in held:
        for baseline in _of_run(run, file):
            found[baseline] = run
    return found


def refuse_slips(file: StudyFile) -> None:
    """Refuse what a study file says of baselines and does not fit together.

    Raises:
        HeadstartError: one is asked for twice, or clients of which none trains alone are counted.
    """
    asked = file.baselines or []
    if len(asked) > len(set(asked)):
        raise HeadstartError(f"baselines[1]: {asked[1]} is there twice; remove one")
    if file.local_clients is not None and "local" not in asked:
        raise HeadstartError(
            "local_clients: expected it beside `baselines: local`, which says that clients train "
            "alone; add that, or leave it out"
        )


def clients_alone(run: RunSpec, wanted: int | None) -> list[int]:
    """Return the clients of a run that train alone: so many, as many as a cohort has by default.

    They are drawn by the seed, so that their mean is that of all clients but for the draw.
    """
    number = run.cohort if wanted is None else wanted
    if number > run.population:
        raise HeadstartError(
            f"local_clients: expected at most the number of clients ({run.population}), got "
            f"{number}"
        )
    draw = rng.generator(run.seed, "clients alone")
    return sorted(draw.choice(run.population, number, replace=False).tolist())


def pooled(dealt: Population) -> Population:
    """Return one client with the rows of all."""
    return Population([np.sort(dealt.rows)])


def alone(run: RunSpec, dealt: Population, batching: Literal["minibatch", "full"]) -> RunSpec:
    """Return the settings of a baseline's rounds, which have one client.

    Args:
        run: the run of a baseline.
        dealt: the training rows of each client of the run that it is held against.
        batching: that of its client optimizer.
    """
    epochs = run.local_epochs
    if run.baseline == "centralised":
        batch = dealt.widest if batching == "full" else min(run.batch_size, dealt.widest)
        steps_N = steps_of(epochs, -(-dealt.sizes_N // batch))
        rows = int(dealt.sizes_N.sum())
        whole = 1 if batching == "full" else -(-rows // min(run.batch_size, rows))
        epochs = max(1, round(float(steps_N.mean()))) / whole
    equal = DEVICES.component("equal")
    return replace(run, population=1, cohort=1, local_epochs=epochs, devices=equal)


def _of_run(run: RunSpec, file: StudyFile) -> list[RunSpec]:
    probes = tuple(probe for probe in run.probes if probe.name == EVALUATION)
    plain = replace(run, probes=probes, every=SELDOM, keep_weights="last")
    asked = file.baselines or []
    found = []
    if "centralised" in asked:
        found.append(replace(plain, baseline="centralised"))
    if "local" in asked:
        for client in clients_alone(run, file.local_clients):
            found.append(replace(plain, baseline="local", alone=client))
    return found


def _setting(run: RunSpec) -> tuple[object, ...]:
    return run.partition, run.devices, run.local_epochs, run.trainable
