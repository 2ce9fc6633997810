"""A study is checked: what its runs are made of is built, without training."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from headstart.engine.refusals import check_device
from headstart.parts.caches import forget_changed
from headstart.probes.base import PROBES
from headstart.servers.base import SERVERS
from headstart.starts.base import STARTS
from headstart.study.data import task_of
from headstart.study.federations import build_network, federation_of, network_of
from headstart.study.file.keys import StudyFile
from headstart.study.file.run_spec import RunSpec
from headstart.study.spec import Study
from headstart.study.tuning.search import searches


def untuned_servers(study: Study) -> list[str]:
    """The adaptive servers whose rate is the default that suits plain averaging, and not tuned."""
    named = [axes.server_rates for axes in study.file.also]
    if study.file.tuning or "server_rates" in study.file.model_fields_set or any(named):
        return []
    (usual,) = StudyFile.model_fields["server_rates"].default
    servers = dict.fromkeys(run.server for run in study.grid if run.server_rate == usual)
    return [server.label for server in servers if SERVERS.build(server).adaptive]


def seeds_tuned_on(study: Study) -> list[int]:
    """The seeds that are tuned on and judged as well."""
    tuning = study.file.tuning
    return sorted({run.seed for run in study.grid} & set(tuning.seeds)) if tuning else []


def check(
    study: Study, is_done: Callable[[RunSpec], bool] = lambda run: False
) -> dict[str, list[str]]:
    """Build what the runs are made of, without training.

    Returns what is to be known of starts, by their names: what was left out of a file, what became
    of a head.

    is_done: whether a run has ended; its data have been dealt then.

    Raises:
        HeadstartError: task, model, partitions, cohort and probes do not fit together.
    """
    forget_changed()
    check_device(study.file.device)
    samples: dict[object, RunSpec] = {}
    # not every combination, but every part of one, and every dealing of the data
    for run in study.runs:
        for part in (run.client, run.server, run.devices, run.trainable):
            samples[part] = run
        if not is_done(run):
            samples[run.partition, run.seed] = run
    for run in study.baselines:
        samples["baseline", run.baseline, run.partition, run.client] = run
    for search in searches(study):
        base = search.base
        for seed in search.seeds:
            samples["search", base.partition, base.client, seed] = replace(base, seed=seed)
    for run in {run.key: run for run in samples.values()}.values():
        federation = federation_of(run)
    for probe in study.probes:  # a probe looks at no more of a run than all have
        PROBES.build(probe, federation)
    notes: dict[str, list[str]] = {}
    for run in {run.start: run for run in study.runs}.values():
        start = STARTS.build(run.start)
        said = start.check(
            network_of(run.model, run.task), task_of(run.task), partial(build_network, run.model)
        )
        if said:
            notes[run.start.label] = list(said)
        if start.before is not None:
            federation_of(replace(run, trainable=start.before.trainable))
    return notes
