"""One federated run in a few lines, on one's own module and tensors."""

import copy
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import torch
from pydantic import Field
from torch import nn

from headstart.clients.base import CLIENTS
from headstart.engine.devices import DEVICES
from headstart.engine.executors.auto import by_operations
from headstart.engine.executors.base import EXECUTORS
from headstart.engine.federation import begin
from headstart.engine.measurements import Row
from headstart.engine.rate_by_round import RATES_BY_ROUND
from headstart.engine.refusals import check_network
from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.parts.own_modules import one_line
from headstart.parts.validation import validate
from headstart.probes.base import PROBES
from headstart.servers.base import SERVERS
from headstart.study.data import check_cohort
from headstart.study.federations import assembled
from headstart.study.file.keys import USUAL_COHORT, Rate, Seed, Strict
from headstart.study.file.run_spec import Settings
from headstart.study.file.settings import Count
from headstart.study.given.examples import Pair, task_and_clients
from headstart.study.rounds import Progress, do_rounds, or_by_loop
from headstart.tasks.base import Objective, Task, classification
from headstart.trees import Tree


@dataclass(frozen=True)
class Result:
    """What came of a run: `rows` of (round, metric, value), `finished` or `diverged`, and the final
    `weights`.

    They are by the names of the module's `state_dict`, with its buffers:
    `module.load_state_dict(result.weights)`. `executor` was asked for, or chosen; `fallback` says
    why the loop did in its place, and is None where it did not.
    """

    rows: list[Row]
    weights: Tree
    status: str
    executor: str = "loop"
    fallback: str | None = None

    def __repr__(self) -> str:
        last = max((round_ for round_, _, _ in self.rows), default=0)
        accuracy = self.metric("test_accuracy")
        reached = f", test accuracy {accuracy[max(accuracy)]:.3f}" if accuracy else ""
        return f"<Result: {self.status}, measured until round {last}{reached}>"

    def metric(self, name: str) -> dict[int, float]:
        """The values of a metric by round; empty where it was not measured."""
        return {round_: value for round_, metric, value in self.rows if metric == name}


class _Numbers(Strict):
    client_rate: Rate
    server_rate: Rate
    rounds: Count
    cohort: Count | None
    batch_size: Count
    local_epochs: Annotated[float, Field(gt=0)]
    weighting: Literal["samples", "uniform"]
    seed: Seed
    every: Count
    outputs: Count | None


def simulate(
    model: nn.Module | Callable[[], nn.Module],
    data: Iterable[Pair],
    test: Pair,
    *,
    client: str = "sgd",
    server: str = "sgd",
    client_rate: float = 0.1,
    server_rate: float = 1.0,
    client_rate_by_round: str = "constant",
    server_rate_by_round: str = "constant",
    rounds: int = 100,
    cohort: int | None = None,
    batch_size: int = 32,
    local_epochs: float = 1,
    devices: str = "equal",
    weighting: Literal["samples", "uniform"] = "samples",
    seed: int = 0,
    every: int = 5,
    probes: Sequence[str] = ("evaluation", "alignment"),
    executor: str | None = None,
    outputs: int | None = None,
    objective: Objective = classification,
    dtype: torch.dtype = torch.float32,
) -> Result:
    """Simulate one federated run.

    Args:
        model: a module, whose weights are the start and stay as they are, or a function that builds
            one, for new weights from `seed`. Parameters that do not require a gradient stay as they
            are.
        data: inputs [n_i, ...] and targets [n_i, ...] of each client, as tensors or arrays; labels
            count from 0.
        test: inputs and targets that the global model is measured on.
        client, server, devices, probes, executor: registered names with parameters, such as
            "proximal(mu=0.1)".
        cohort: clients of a round; by default 10, or all if there are fewer.
        local_epochs: also parts of one: 0.5 is half of an epoch's steps, rounded up.
        client_rate_by_round, server_rate_by_round: the share of the rate that a round has, such as
            "cosine(over=100, warmup=5)".
        executor: by default `threads` where a client's step has large products for this machine's
            cores, else `stacked`; the result says which. They agree to rounding.
        outputs: width of the model's output; by default one more than the largest label.

    Raises:
        HeadstartError: the data, the model and the names do not fit together; nothing has been
            trained then.

    >>> inputs, labels = torch.tensor([[0.0], [1.0]] * 4), torch.tensor([0, 1] * 4)
    >>> clients = [(inputs, labels)] * 3
    >>> result = simulate(lambda: nn.Linear(1, 2), clients, (inputs, labels), rounds=50,
    ...                   client_rate=1.0, cohort=2)
    >>> result.metric("test_accuracy")[50]
    1.0
    """
    numbers = {name: value for name, value in locals().items() if name in _Numbers.model_fields}
    validate(_Numbers, numbers)
    task, clients = task_and_clients(data, test, outputs, objective)
    cohort = min(USUAL_COHORT, len(clients)) if cohort is None else cohort
    check_cohort(cohort, clients)
    network, frozen = _network(model, dtype)
    _check(network, task)
    drawn = network.state(seed)
    held = {name: leaf for name, leaf in drawn.items() if name in {*network.buffers, *frozen}}
    start = {name: leaf for name, leaf in drawn.items() if name not in held}
    network = network.holding(held)
    optimizer = CLIENTS.build(CLIENTS.component(client, "client"))
    if executor is None:
        batch = clients.widest if optimizer.batching == "full" else min(batch_size, clients.widest)
        executor = by_operations(network, task, batch, os.cpu_count() or 1)
    chosen = EXECUTORS.component(executor, "executor")
    settings = Settings(
        server=SERVERS.component(server, "server"),
        devices=DEVICES.component(devices, "devices"),
        local_epochs=local_epochs,
        client_rate=client_rate,
        server_rate=server_rate,
        client_rate_by_round=_rate_by_round(client_rate_by_round, "client_rate_by_round"),
        server_rate_by_round=_rate_by_round(server_rate_by_round, "server_rate_by_round"),
        seed=seed,
        cohort=cohort,
        batch_size=batch_size,
        weighting=weighting,
    )
    execute = or_by_loop(EXECUTORS.build(chosen), network, task, optimizer)
    federation = assembled(network, task, clients, optimizer, execute, settings)
    names = [probes] if isinstance(probes, str) else probes
    measured = []
    for i, name in enumerate(names):
        probe = PROBES.component(name, f"probes[{i}]")
        measured.append(PROBES.build(probe, federation))
    progress = do_rounds(federation, Progress(begin(federation, start)), rounds, every, measured)
    if progress.fallback:
        why = f"{progress.fallback}, so it was computed by 'loop', not '{chosen}'"
        warnings.warn(why, stacklevel=2)
    if not progress.state.pseudo_gradient and progress.diverged_at is None:
        done = f"no client did a step in any of the {rounds} rounds"
        warnings.warn(f"devices: with {devices!r} {done}, so nothing was trained", stacklevel=2)
    final = network.held | progress.state.x
    weights = network.state_dict({name: final[name] for name in drawn})
    return Result(list(progress.rows), weights, progress.status, str(chosen), progress.fallback)


def _rate_by_round(written: str, path: str) -> str:
    return str(RATES_BY_ROUND.component(written, path))


def _network(model: Any, dtype: torch.dtype) -> tuple[Network, set[str]]:
    """The network, and the names of those parameters that the module says need no gradient."""
    build = _builder(model)
    with torch.random.fork_rng(devices=[]):
        params = dict(build().named_parameters())
    frozen = set()
    for name, leaf in params.items():
        if leaf.is_floating_point() and not leaf.requires_grad:
            frozen.add(name)
    if not frozen:
        return Network(build, dtype), frozen
    if len(frozen) == len(params):
        wrong = "expected a parameter to train, and none requires a gradient"
        raise HeadstartError(f"model: {wrong}; unfreeze a layer")

    def unfrozen() -> nn.Module:
        module = build()
        for name, leaf in module.named_parameters():
            if name in frozen:
                leaf.requires_grad_()
        return module

    return Network(unfrozen, dtype), frozen


def _builder(model: Any) -> Callable[[], nn.Module]:
    if isinstance(model, nn.Module):
        return partial(copy.deepcopy, model)
    # a try, which leaves the user's generator as it was
    with torch.random.fork_rng(devices=[]), one_line("model: it cannot be built"):
        built = model() if callable(model) else model
    if not isinstance(built, nn.Module):
        expected = "an nn.Module or a function that builds one"
        raise HeadstartError(f"model: expected {expected}, got {type(built).__name__}")
    return model  # type: ignore[no-any-return]


def _check(network: Network, task: Task) -> None:
    """`check_network`, which cannot know that labels count from 1 where a model has an output for
    each of them.
    """
    try:
        check_network(network, task)
    except HeadstartError:
        targets = [split.targets for split in (task.train, task.test)]
        if any(one.is_floating_point() or int(one.min()) < 1 for one in targets):
            raise
        try:
            wide = network(network.initial(0), task.train.inputs[:1]).shape[-1]
        except Exception:  # what it fails on has been said in a better way
            wide = 0
        if wide != task.outputs - 1:
            raise
        raise HeadstartError(
            f"data: expected labels that begin at 0, as the model has {wide} outputs, got 1 to "
            f"{wide}; subtract 1 from them"
        ) from None
