"""From a run's specification to what the engine runs. What runs share is made once a process."""

import os
from dataclasses import dataclass, field, replace
from functools import lru_cache

import torch

from headstart import trees
from headstart.clients.base import CLIENTS, ClientOptimizer
from headstart.engine.devices import DEVICES
from headstart.engine.executors.base import EXECUTORS, Compute
from headstart.engine.federation import Federation
from headstart.engine.plan import Population, Schedule
from headstart.engine.rate_by_round import RATES_BY_ROUND
from headstart.engine.refusals import check_network, check_plan
from headstart.engine.streaming import Streamed, width, windowed
from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network, Precision
from headstart.parts import own_modules
from headstart.parts.caches import forgets
from headstart.parts.registry import Component
from headstart.servers.base import SERVERS
from headstart.study.baselines.other_training import alone, pooled
from headstart.study.data import (
    CPU,
    check_clients,
    check_cohort,
    check_examples,
    check_rows,
    fits,
    task_of,
)
from headstart.study.file.run_spec import RunSpec, Settings
from headstart.study.file.trainable import trained
from headstart.study.rounds import or_by_loop
from headstart.tasks.base import PARTITIONS, Task
from headstart.trees import Tree


def federation_of(run: RunSpec, start: Tree | None = None) -> Federation:
    """The federation of a run.

    Args:
        start: the weights and buffers that it begins from, of which what is not trained stays as it
            is. None: random weights, enough for checking and timing.

    Raises:
        HeadstartError: task, model, partition and what is trained do not fit together.
    """
    device = torch.device(run.device)
    resident = fits(run.task, device, run.data_mib)
    task = task_of(run.task, device if resident else CPU)
    network = trained_network(run, start)
    if run.evaluate_on == "validation":
        if not len(task.validation):
            raise HeadstartError(
                f"task {task.name!r}: it has no validation split, which tuning measures on; set "
                "rows aside for it (`validation` of own_task or of a table)"
            )
        task = replace(task, test=task.validation, test_owners=task.validation_owners)
        check_examples(task)
    client = CLIENTS.build(run.client)
    clients = clients_of_run(run)
    settings = run
    if run.baseline != "none":
        dealt = clients_of(run.task, run.partition, run.population, run.seed)
        settings = alone(run, dealt, client.batching)
    schedule = schedule_of(settings, client)
    check_cohort(settings.cohort, clients)
    check_plan(schedule, clients)
    streams = () if resident else (width(clients, settings.cohort), os.getpid())
    execute = executor_of(run.executor, network, run.task, run.client, *streams)
    return assembled(network, task, clients, client, execute, settings)


def schedule_of(settings: Settings, client: ClientOptimizer) -> Schedule:
    """Return what the rounds of these settings are drawn from."""
    return Schedule(
        cohort=settings.cohort,
        local_epochs=settings.local_epochs,
        batch_size=settings.batch_size,
        batching=client.batching,
        weighting=settings.weighting,
        devices=DEVICES.build(settings.devices),
    )


def assembled(
    network: Network,
    task: Task,
    clients: Population,
    client: ClientOptimizer,
    execute: Compute,
    settings: Settings,
) -> Federation:
    """Return a federation: the one place where one is made.

    Args:
        network: the model as a function of its parameters.
        task: whose rows are trained and tested on.
        clients: the training rows of each client.
        client: what each client does.
        execute: computes a cohort.
        settings: of its rounds.
    """
    by_round = {}
    for name in ("client_rate_by_round", "server_rate_by_round"):
        by_round[name] = RATES_BY_ROUND.build(RATES_BY_ROUND.component(getattr(settings, name)))
    return Federation(
        network=network,
        task=task,
        clients=clients,
        client=client,
        server=SERVERS.build(settings.server),
        client_rate=settings.client_rate,
        server_rate=settings.server_rate,
        schedule=schedule_of(settings, client),
        execute=execute,
        seed=settings.seed,
        **by_round,
    )


@forgets
@lru_cache(maxsize=8)
def network_of(
    model: Component, task: Component, precision: Precision = "fp32", device: torch.device = CPU
) -> Network:
    """The network for a task, checked on a few of its inputs."""
    return build_network(model, task_of(task), precision, device)


def build_network(
    model: Component, task: Task, precision: Precision = "fp32", device: torch.device = CPU
) -> Network:
    """As `network_of`, for a task that no study file need name."""
    network = Network(
        lambda: MODELS.build(model, task.input_shape, task.outputs),
        torch.float32,
        precision,
        device,
        task.prepare,
    )
    check_network(network, task)
    return network


def trained_network(run: RunSpec, start: Tree | None) -> Network:
    """The network as a function of what the run trains; other parameters and buffers are held at
    those of its start.
    """
    network = bare_network(run)
    if not holds(run):
        return network
    state = network.state(0) if start is None else start
    free = set(trained(run.trainable, network.parameters_of(state)))
    return _holding(
        network, _Held.of({name: leaf for name, leaf in state.items() if name not in free})
    )


def bare_network(run: RunSpec) -> Network:
    """The network of a run as a function of all its parameters."""
    return network_of(run.model, run.task, run.precision, torch.device(run.device))


def holds(run: RunSpec) -> bool:
    """Whether a run keeps something of its start as it is: parameters that it does not train, or
    buffers.
    """
    return run.trainable != "all" or bool(bare_network(run).buffers)


@dataclass(frozen=True)
class _Held:
    """What is held, equal where its contents are: runs whose starts share it share a traced
    executor.
    """

    digest: str
    state: Tree = field(compare=False)

    @classmethod
    def of(cls, state: Tree) -> "_Held":
        return cls(trees.digest(state), state)


@forgets
@lru_cache(maxsize=8)
def _holding(network: Network, held: _Held) -> Network:
    return network.holding(held.state)


@forgets
@lru_cache(maxsize=16)
def executor_of(
    executor: Component,
    network: Network,
    task: Component,
    client: Component,
    room: int = 0,
    process: int = 0,
) -> Compute:
    """Return what computes cohorts; runs that differ in rates, server, start, partition or seed
    share what it has recorded.

    Args:
        executor: how cohorts are computed.
        network: the model as a function of what is trained.
        task: the task, of which the rows lie on the network's device.
        client: the client optimizer.
        room: there is room for so many rows on the device, into which they are streamed; 0 where
            all lie there.
        process: which process streams them. One that is forked needs a window and a thread of its
            own.
    """
    value, optimizer = EXECUTORS.build(executor), CLIENTS.build(client)
    if not room:
        return or_by_loop(value, network, task_of(task, network.device), optimizer)
    whole = task_of(task)
    window = windowed(whole, room, network.device)
    return Streamed(or_by_loop(value, network, window, optimizer), window.train, whole.train)


@forgets
@lru_cache(maxsize=32)
def clients_of(task: Component, partition: Component, population: int, seed: int) -> Population:
    """The training rows of each client."""
    source, deal = task_of(task), PARTITIONS.build(partition)
    with own_modules.one_line(f"partition {partition.name!r} failed"):
        clients = Population(deal(source, population, seed))
    check_clients(clients)
    if ":" in partition.name:  # what Python programs give was looked at already
        check_rows(clients, len(source.train), partition.name)
    return clients


def clients_of_run(run: RunSpec) -> Population:
    """The training rows of each client of a run; of a baseline, those of its one client."""
    dealing = run.task, run.partition, run.population, run.seed
    if run.baseline == "centralised":
        return _pooled(*dealing)
    return clients_of(*dealing) if run.alone is None else _alone(run.alone, *dealing)


@forgets
@lru_cache(maxsize=32)
def _pooled(task: Component, partition: Component, population: int, seed: int) -> Population:
    return pooled(clients_of(task, partition, population, seed))


@forgets
@lru_cache(maxsize=256)
def _alone(
    client: int, task: Component, partition: Component, population: int, seed: int
) -> Population:
    return Population([clients_of(task, partition, population, seed)[client]])
