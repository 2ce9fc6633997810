"""Every executor equals the loop, and the loop equals the equations."""

import inspect
import shutil
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from tests.engine.conftest import (
    CLASSES,
    FEATURES,
    METHODS,
    RELATIVE,
    Small,
    assert_equal_to_the_loop,
    distance,
    one_round,
)
from torch import nn
from torch.overrides import TorchFunctionMode

from headstart import rng, trees
from headstart.child_processes import cannot_fork
from headstart.engine.executors.base import EXECUTORS, Cohort
from headstart.engine.federation import Federation, State, begin, on_device
from headstart.engine.plan import PAD, Population, plan
from headstart.kernels.recorded import RecordingError, Traced
from headstart.models.network import MODELS, Network, Precision
from headstart.study.rounds import advance
from headstart.tasks.base import Examples, Pixels, Task
from headstart.tasks.text.next_token import next_token

NOT_HERE: dict[str, Any] = {"processes"} if cannot_fork("cpu") else set()  # type: ignore[assignment]
OTHERS = [entry.name for entry in EXECUTORS if entry.name not in {"loop", *NOT_HERE}]


def as_float32(task: Task) -> Task:
    examples = Examples(task.train.inputs.float(), task.train.targets)
    return replace(task, train=examples, validation=examples, test=examples)


def after(federation: Federation, rounds: int) -> tuple[State, Cohort]:
    state = begin(federation, federation.network.initial(1))
    for _ in range(rounds):
        state, cohort = one_round(federation, state)
        assert cohort is not None
    return state, cohort  # type: ignore[return-value]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("executor", OTHERS)
def test_executor_equals_the_loop(small: Small, executor: str, method: str) -> None:
    """Three rounds with dropout, clients of 1 to 18 rows, and a budget of time that leaves them 0
    to 10 steps.
    """
    network = small.network(dropout=0.3)
    settings: dict[str, Any] = {
        "client": method,
        "network": network,
        "local_epochs": 2,
        "cohort": 5,
        "seed": 2,
    }
    settings["devices"] = "budget(seconds=0.4, spread=1.5)"
    ours, expected = (
        after(small.federation(executor=name, **settings), rounds=3) for name in (executor, "loop")
    )
    assert_equal_to_the_loop(ours, expected)


@pytest.mark.parametrize("executor", OTHERS)
def test_executor_equals_the_loop_in_a_part_of_an_epoch(small: Small, executor: str) -> None:
    settings: dict[str, Any] = {
        "client": "scaffold",
        "local_epochs": 0.5,
        "cohort": 5,
        "devices": "uneven-epochs",
    }
    ours, expected = (
        after(small.federation(executor=e, **settings), rounds=3) for e in (executor, "loop")
    )
    assert_equal_to_the_loop(ours, expected)


TEXT: dict[str, Any] = {
    "lstm": "lstm(embedding=3, hidden=4, layers=1, projection=3)",
    "charlm": "charlm(alphabet=6, embedding=2, filters=(2, 2), hidden=4, layers=1, dropout=0.3)",
    "gpt2": "gpt2(width=4, layers=1, heads=2, dropout=0.3)",
}


def convolutions() -> nn.Module:
    """Of 2x8x8 images: what image models are made of, maps dropped whole and numbers dropped one by
    one.
    """
    maps = [
        nn.Conv2d(2, 4, 3, padding=1),
        nn.GroupNorm(2, 4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Dropout2d(0.3),
    ]
    maps += [nn.Conv2d(4, 5, 1), nn.ReLU(), nn.Conv2d(5, 6, 3, stride=2, bias=False), nn.ReLU()]
    return nn.Sequential(*maps, nn.Flatten(), nn.Dropout(0.3), nn.Linear(6, 3))


@pytest.mark.parametrize("method", ["sgd(momentum=0.9)", "mimelite", "scaffold"])
@pytest.mark.parametrize("executor", [name for name in OTHERS if name != "auto"])
def test_executor_equals_the_loop_on_images(executor: str, method: str) -> None:
    """Clients of 1 to 11 rows, batches of 1 to 4."""
    draw = rng.torch_generator(0, "small images")
    inputs, labels = (
        torch.randn(20, 2, 8, 8, generator=draw),
        torch.randint(3, (20,), generator=draw),
    )
    rows = Examples(inputs, labels)
    images = Small(
        Task("images", rows, rows, rows, 3),
        Population([np.arange(1), np.arange(1, 12), np.arange(12, 20)]),
    )
    network = Network(convolutions, torch.float64)
    settings: dict[str, Any] = {
        "network": network,
        "cohort": 3,
        "client": method,
        "local_epochs": 2,
    }
    state, cohort = after(images.federation(executor=executor, **settings), rounds=2)
    expected, reference = after(images.federation(executor="loop", **settings), rounds=2)
    assert distance(expected.x, network.initial(1)) > 1e-3
    for name in ("x", "shared"):
        assert distance(getattr(state, name), getattr(expected, name)) < RELATIVE
    assert float(cohort.local_loss) == pytest.approx(float(reference.local_loss), rel=RELATIVE)


@pytest.mark.parametrize("executor", ["loop", *(name for name in OTHERS if name != "auto")])
def test_images_kept_as_bytes_give_the_same_bits(executor: str) -> None:
    """Prepared in float32 and computed in float64, as the numbers that they stand for would be."""
    draw = rng.torch_generator(0, "images")
    pixels, labels = (
        torch.randint(256, (15, 2, 3, 3), generator=draw).byte(),
        torch.randint(3, (15,), generator=draw),
    )
    prepare = partial(Pixels, [0.4, 0.5], [0.2, 0.3])
    states = []
    for inputs, seen in ((pixels, prepare), (prepare()(pixels), nn.Identity)):
        rows = Examples(inputs, labels)
        images = Small(
            Task("images", rows, rows, rows, 3), Population([np.arange(4), np.arange(4, 15)])
        )
        network = Network(
            lambda: nn.Sequential(nn.Conv2d(2, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(12, 3)),
            torch.float64,
            prepare=seen,
        )
        settings: dict[str, Any] = {
            "executor": executor,
            "network": network,
            "cohort": 2,
            "client": "mimelite",
        }
        states.append(after(images.federation(**settings), rounds=2)[0])
    for name in ("x", "shared"):
        ours, theirs = getattr(states[0], name), getattr(states[1], name)
        assert all(torch.equal(ours[leaf], theirs[leaf]) for leaf in theirs)


def _costs_seconds(executor: str, model: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if executor == "stacked" and model != "lstm" else []


@pytest.mark.parametrize(
    ("executor", "model"),
    [
        pytest.param(executor, model, marks=_costs_seconds(executor, model))
        for executor in OTHERS
        for model in TEXT
        if executor != "auto"  # which is one of the others
    ],
)
def test_executor_equals_the_loop_on_text(executor: str, model: str) -> None:
    """Rows count between none and all of their tokens; clients of 1 to 7 rows,
    one of which counts for nothing.
    """
    if model == "gpt2":
        pytest.importorskip("transformers")
    draw = rng.torch_generator(0, "small text")
    shape = (3, 4) if model == "charlm" else (3,)
    targets = torch.randint(6, (15, 3), generator=draw)
    targets[0] = 0
    examples = Examples(torch.randint(6, (15, *shape), generator=draw), targets)
    task = Task("text", examples, examples, examples, 6, next_token(0))
    text = Small(
        task, Population([np.arange(1), np.arange(1, 4), np.arange(4, 8), np.arange(8, 15)])
    )
    network = Network(lambda: MODELS.build(MODELS.component(TEXT[model]), shape, 6), torch.float64)
    settings: dict[str, Any] = {
        "network": network,
        "cohort": 4,
        "client": "sgd(momentum=0.9)",
        "client_rate": 0.5,
    }
    state, cohort = after(text.federation(executor=executor, **settings), rounds=2)
    expected, reference = after(text.federation(executor="loop", **settings), rounds=2)
    assert distance(expected.x, network.initial(1)) > 1e-3
    assert distance(state.x, expected.x) < RELATIVE
    assert float(cohort.local_loss) == pytest.approx(float(reference.local_loss), rel=RELATIVE)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize(
    "executor", ["stacked(compiled=True)", "threads(compiled=True)", "processes(compiled=True)"]
)
@pytest.mark.parametrize("method", ["sgd(momentum=0.9)", "mimelite", "scaffold"])
def test_compiled_steps_equal_the_loop(small: Small, executor: str, method: str) -> None:
    test_executor_equals_the_loop(small, executor, method)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs a C++ compiler")
@pytest.mark.parametrize("executor", ["stacked(compiled=True)", "threads(compiled=True)"])
def test_compiled_convolutions_equal_the_loop(executor: str) -> None:
    test_executor_equals_the_loop_on_images(executor, "sgd(momentum=0.9)")


@pytest.mark.parametrize("method", METHODS)
def test_chunks_of_a_cohort_equal_the_loop(
    small: Small, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which the last is filled up: two of three clients for the five of the cohort."""
    recorded: list[int] = []

    def bytes_for_three(self: Traced, x: trees.Tree, y: trees.Tree, *rest: object) -> int:
        recorded.append(len(next(iter(y.values()))))
        return recorded[-1] * 2**20 // 3

    monkeypatch.setattr(Traced, "peak_bytes", bytes_for_three)
    test_executor_equals_the_loop(small, "stacked(memory_mib=1)", method)
    assert recorded[:2] == [5, 3]


def test_a_client_that_does_not_fit_is_computed_with_a_warning(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Traced, "peak_bytes", lambda *_: 3 * 2**20 + 1)
    with pytest.warns(
        UserWarning, match="memory_mib=2, but a step of one client takes 4; it is taken"
    ):
        state, _ = after(small.federation(executor="stacked(memory_mib=2)"), rounds=1)
    expected, _ = after(small.federation(executor="loop"), rounds=1)
    assert distance(state.x, expected.x) < RELATIVE


@pytest.mark.parametrize("executor", [*OTHERS, "stacked(runs=2)"])
def test_a_cohort_of_one_client_equals_the_loop(small: Small, executor: str) -> None:
    """With a server that does more than take the mean, so that weights changed in place would
    show.
    """
    network = small.network()
    settings: dict[str, Any] = {
        "cohort": 1,
        "server": "momentum",
        "server_rate": 0.5,
        "client": "sgd(momentum=0.9)",
        "network": network,
    }
    x = network.initial(1)
    expected, _ = after(small.federation(executor="loop", **settings), rounds=3)
    alike = [small.federation(executor=executor, **settings)] * (2 if "runs" in executor else 1)
    states = [begin(federation, x) for federation in alike]
    for _ in range(3):
        results = advance(alike, dict(enumerate(states)))
        states = [results[i][0] for i in range(len(alike))]
    for state in states:
        assert distance(state.x, expected.x) < RELATIVE
    assert distance(x, network.initial(1)) == 0.0


class SaysWhere(TorchFunctionMode):
    """Notes which code of the engine makes tensors without saying on which device."""

    MAKES = (
        torch.zeros,
        torch.ones,
        torch.full,
        torch.empty,
        torch.arange,
        torch.tensor,
        torch.as_tensor,
        torch.randn,
    )

    def __init__(self) -> None:
        super().__init__()
        self.places: set[str] = set()

    def __torch_function__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if function in self.MAKES and "device" not in (kwargs or {}):
            caller = inspect.stack()[1]
            if "headstart/engine" in caller.filename:
                self.places.add(f"{caller.filename}:{caller.lineno}")
        return function(*args, **(kwargs or {}))


@pytest.mark.parametrize("executor", ["loop", "stacked", "threads(workers=1)"])
@pytest.mark.parametrize("method", ["mimelite", "scaffold"])
def test_every_tensor_is_made_where_the_network_is(
    small: Small, executor: str, method: str
) -> None:
    """What runs on the CPU alone can show of other devices;
    threads begin on their own and are shown by the others.
    """
    with SaysWhere() as mode:
        after(
            small.federation(executor=executor, client=method, network=small.network(dropout=0.3)),
            rounds=2,
        )
    assert not mode.places


def test_a_state_moves_with_all_that_it_holds(small: Small) -> None:
    state, _ = after(small.federation(client="scaffold", server="adam"), rounds=2)
    moved = on_device(state, torch.device("meta"))
    held = [
        *moved.x.values(),
        *moved.server.values(),
        *moved.shared.values(),
        *moved.pseudo_gradient.values(),
    ]
    held += [leaf for memory in moved.memories.values() for leaf in memory.values()]
    # X, m, v, c, the pseudo-gradient; t; and every c_i.
    assert len(held) == 4 * 5 + 1 + 4 * len(state.memories)
    assert {leaf.device.type for leaf in held} == {"meta"}


def test_what_a_recorded_function_takes_is_what_lives_at_once() -> None:
    """At the end of the sum: the argument, its square and the result; the square root has gone."""
    function = Traced(lambda tree: ((tree["a"].sqrt().sum() + tree["a"] * tree["a"]).sum(),))
    a = torch.zeros(1000, dtype=torch.float64)
    # Argument, square, square plus sum, and the sum.
    assert function.peak_bytes({"a": a}) == 3 * a.nbytes + 8
    assert torch.equal(a, torch.zeros_like(a))


def test_a_tensor_given_twice_is_two_arguments() -> None:
    function = Traced(lambda a, b: (a - 2 * b,))
    one, other = torch.ones(3), torch.full((3,), 5.0)
    assert function(one, one)[0].tolist() == [-1.0] * 3
    assert function(other, one)[0].tolist() == [3.0] * 3


def test_one_full_batch_step_of_fedavg_is_the_weighted_gradient_step(small: Small) -> None:
    """Two independent ways to x - rate * sum_i p_i grad f_i(x): the engine,
    and one gradient of the pooled loss.
    """
    federation = small.federation(client="gd", cohort=8, client_rate=0.3)
    x = federation.network.initial(1)
    state, _ = one_round(federation, begin(federation, x))
    leaves = {name: leaf.clone().requires_grad_() for name, leaf in x.items()}
    loss = torch.nn.functional.cross_entropy(
        federation.network(leaves, small.task.train.inputs), small.task.train.targets
    )
    gradient: dict[str, Any] = dict(
        zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True)
    )
    assert distance(state.x, trees.add(x, gradient, -0.3)) < 1e-14


def test_the_loop_is_local_sgd_written_out(small: Small) -> None:
    """One round against torch.optim.SGD on a module per client, dropout masks included."""
    federation = small.federation(network=small.network(dropout=0.4), local_epochs=2)
    network, x = federation.network, federation.network.initial(1)
    now = plan(federation.seed, 1, small.clients, federation.schedule)
    expected = trees.zeros_like(x)
    for k, weight in enumerate(now.weights_K):
        y = {name: leaf.clone().requires_grad_() for name, leaf in x.items()}
        optimizer = torch.optim.SGD(list(y.values()), lr=federation.client_rate)
        for s in range(now.steps_K[k]):
            rows = torch.tensor([row for row in now.rows_KSB[k, s] if row != PAD])
            key = rng.step_key(torch.tensor(now.keys_K[k], dtype=torch.int32), s)
            optimizer.zero_grad()
            outputs = network(y, small.task.train.inputs[rows], key)
            torch.nn.functional.cross_entropy(outputs, small.task.train.targets[rows]).backward()
            optimizer.step()
        expected = trees.add(
            expected, {name: leaf.detach() for name, leaf in y.items()}, float(weight)
        )
    state, _ = one_round(federation, begin(federation, x))
    assert distance(state.x, expected) < 1e-14


@pytest.mark.parametrize("executor", ["loop", *OTHERS])
def test_identical_clients_never_drift_apart(small: Small, executor: str) -> None:
    rows = np.arange(8)
    same = Small(small.task, Population([rows] * 8))
    _, cohort = after(same.federation(client="gd", executor=executor, local_epochs=3), rounds=2)
    sums = cohort.alignment
    assert float(sums.squared_norms / sums.total_squared) == pytest.approx(  # type: ignore[union-attr]
        1 / sums.count,  # type: ignore[union-attr]
        rel=RELATIVE,
    )
    assert float(sums.unit_total_squared) == pytest.approx(sums.count**2, rel=RELATIVE)  # type: ignore[union-attr]


# Auto may choose anew.
@pytest.mark.parametrize("executor", [name for name in ["loop", *OTHERS] if name != "auto"])
def test_the_same_run_gives_the_same_bits(small: Small, executor: str) -> None:
    first, _ = after(small.federation(executor=executor, client="scaffold"), rounds=3)
    second, _ = after(small.federation(executor=executor, client="scaffold"), rounds=3)
    assert all(torch.equal(first.x[name], second.x[name]) for name in first.x)


@pytest.mark.parametrize("executor", OTHERS)
def test_bf16_rounds_alike_in_every_executor(small: Small, executor: str) -> None:
    """bfloat16 has 8 bits: executors differ from the loop by that rounding,
    and all from float32 by no more.
    """
    x: dict[tuple[str, Precision], trees.Tree] = {}
    for precision in ("fp32", "bf16"):
        for name in ("loop", executor):
            network = Network(
                lambda: nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)),
                precision=precision,
            )
            task = as_float32(small.task)
            state, _ = after(
                Small(task, small.clients).federation(network=network, executor=name), rounds=3
            )
            assert all(leaf.dtype == torch.float32 for leaf in state.x.values())
            x[name, precision] = trees.subtract(state.x, network.initial(1))
    assert distance(x[executor, "fp32"], x["loop", "fp32"]) < 1e-5
    assert 1e-5 < distance(x["loop", "bf16"], x["loop", "fp32"]) < 2**-6
    assert distance(x[executor, "bf16"], x["loop", "bf16"]) < 2**-6


class WithoutRules(torch.autograd.Function):
    """A function that says nothing of how torch.func may take it, as many that people wrote."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return 2 * x

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return 2 * gradient


class Doubled(nn.Linear):
    """A layer with that function."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return WithoutRules.apply(super().forward(x))


@pytest.mark.parametrize("executor", [name for name in OTHERS if name != "auto"])
def test_a_network_that_cannot_be_recorded_is_one_line(small: Small, executor: str) -> None:
    network = Network(lambda: Doubled(FEATURES, CLASSES), torch.float64)
    with pytest.raises(
        RecordingError, match=r"cannot be recorded \(.*setup_context.*\)$"
    ) as refused:
        after(small.federation(executor=executor, network=network), rounds=1)
    assert "\n" not in str(refused.value)


def test_auto_computes_what_cannot_be_recorded_with_the_loop(small: Small) -> None:
    network = Network(lambda: Doubled(FEATURES, CLASSES), torch.float64)
    state, _ = after(small.federation(executor="auto", network=network), rounds=2)
    expected, _ = after(small.federation(executor="loop", network=network), rounds=2)
    assert all(torch.equal(state.x[name], leaf) for name, leaf in expected.x.items())
