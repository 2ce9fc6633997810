"""One run on one's own module and tensors: what it starts from, that it is the run of a study,
and bad input.
"""

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import headstart
from headstart.engine.federation import begin
from headstart.errors import HeadstartError
from headstart.kernels.threads import torch_threads
from headstart.models.network import MODELS
from headstart.probes.base import PROBES
from headstart.simulation import simulate
from headstart.study.data import task_of
from headstart.study.federations import clients_of, federation_of
from headstart.study.rounds import Progress, do_rounds
from headstart.study.spec import Study
from headstart.tasks.base import Scores


def blobs(seed: int, rows: Any = 12, shift: Any = 0.0) -> Any:
    """Two classes of points in the plane."""
    generator = np.random.default_rng(seed)
    labels = np.arange(rows) % 2
    points = generator.normal(size=(rows, 2)) + 2 * labels[:, None] + shift
    return torch.tensor(points, dtype=torch.float32), torch.tensor(labels)


DATA = [blobs(seed) for seed in range(4)]
TEST = blobs(99, 40)


class Own(nn.Module):
    """A module as a user writes one."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Linear(2, 5)
        self.outer = nn.Linear(5, 2)

    def forward(self, x: Any) -> Any:
        return self.outer(torch.tanh(self.inner(x)))


def run(model: Any = Own, data: Any = DATA, test: Any = TEST, **keys: Any) -> Any:
    return simulate(
        model, data, test, **{"cohort": 2, "rounds": 3, "every": 1, "executor": "loop", **keys}
    )


def same(tree: Any, other: Any) -> Any:
    return list(tree) == list(other) and all(torch.equal(tree[name], other[name]) for name in tree)


def test_the_name_is_the_function_however_often_it_is_asked_for() -> None:
    """A module of that name would take its place once it was imported."""
    for _ in range(2):
        assert headstart.simulate is simulate


def test_one_full_batch_step_of_one_round_is_the_weighted_gradient_step() -> None:
    module = Own().double()
    data = [blobs(0, 4), blobs(1, 10)]
    result = run(
        module, data, cohort=2, rounds=1, client="gd", client_rate=0.5, dtype=torch.float64
    )
    loss = sum(len(y) * cross_entropy(module(x.double()), y) for x, y in data) / 14
    loss.backward()  # type: ignore[union-attr]
    for name, leaf in module.named_parameters():
        torch.testing.assert_close(
            result.weights[name],
            leaf.detach() - 0.5 * leaf.grad,  # type: ignore[operator]
            rtol=1e-12,
            atol=1e-15,
        )


def test_a_module_is_the_start_and_stays_as_it_is() -> None:
    module = Own().train()
    before = copy.deepcopy(module.state_dict())
    first, second = run(module, seed=0), run(module, seed=1)
    assert same(module.state_dict(), before)
    assert module.training
    assert all(leaf.requires_grad and leaf.grad is None for leaf in module.parameters())
    loss = cross_entropy(module(TEST[0]), TEST[1]).item()
    assert first.metric("test_loss")[0] == pytest.approx(loss, rel=1e-6)
    assert first.metric("test_loss")[0] == second.metric("test_loss")[0]
    assert first.metric("test_loss")[3] != second.metric("test_loss")[3]


def test_a_function_gives_new_weights_for_every_seed() -> None:
    starts = [run(Own, seed=seed).metric("test_loss")[0] for seed in (0, 0, 1)]
    assert starts[0] == starts[1] != starts[2]


def test_the_users_generators_are_left_as_they_were() -> None:
    module = nn.Sequential(Own(), nn.Dropout(0.5))
    torch_before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    run(module)
    run(Own)
    assert torch.equal(torch.get_rng_state(), torch_before)
    assert (np.random.get_state()[1] == numpy_before).all()  # type: ignore[index]  # noqa: NPY002


def test_the_same_arguments_give_the_same_bits_and_executors_agree() -> None:
    keys: dict[str, Any] = {
        "client": "scaffold",
        "server": "adam@torch",
        "devices": "dropped(share=0.4)",
        "dtype": torch.float64,
    }
    first, second, loop = (
        run(**keys, executor=executor) for executor in ("stacked", "stacked", "loop")
    )
    assert first.rows == second.rows
    assert same(first.weights, second.weights)
    for name in first.weights:
        torch.testing.assert_close(first.weights[name], loop.weights[name], rtol=1e-10, atol=1e-14)


def test_it_learns_what_can_be_learnt() -> None:
    result = run(rounds=40, client_rate=0.5, batch_size=4)
    inputs, labels = torch.cat([x for x, _ in DATA]), torch.cat([y for _, y in DATA])
    best = nn.Linear(2, 2)
    optimizer = torch.optim.LBFGS(best.parameters(), max_iter=200)

    def loss() -> Any:
        optimizer.zero_grad()
        value = cross_entropy(best(inputs), labels)
        value.backward()
        return value

    optimizer.step(loss)
    central = (best(TEST[0]).argmax(1) == TEST[1]).float().mean().item()
    assert result.metric("test_accuracy")[40] >= central - 0.1


@pytest.mark.parametrize(
    ("model", "executor"), [("mlp(hidden=[8], dropout=0.2)", "stacked"), ("cnn", "loop")]
)
def test_it_is_the_run_of_a_study(model: str, executor: str) -> None:
    """The digits of a study's clients, given as one's own tensors:
    the same rounds in the same bits.
    """
    keys: dict[str, Any] = {
        "cohort": 3,
        "rounds": 4,
        "every": 2,
        "batch_size": 60,
        "executor": executor,
    }
    (spec,) = Study(
        task="digits", model=model, clients="mimelite", servers="momentum", seeds=5, population=10,
        partitions="dirichlet(alpha=1)", devices="uneven-epochs", **keys,
    ).runs  # fmt: skip
    task = task_of(spec.task)
    parts = [torch.as_tensor(rows) for rows in clients_of(spec.task, spec.partition, 10, 5)]
    data = [(task.train.inputs[rows], task.train.targets[rows]) for rows in parts]
    with torch_threads(1):
        federation = federation_of(spec)
        probes = [PROBES.build(probe, federation) for probe in spec.probes]
        start = federation.network.initial(5)
        theirs = do_rounds(federation, Progress(begin(federation, start)), 4, 2, probes)
        mine = simulate(
            lambda: MODELS.build(spec.model, (1, 8, 8), 10), data,
            (task.test.inputs, task.test.targets), client="mimelite", server="momentum",
            devices="uneven-epochs", seed=5, probes=["evaluation", "alignment", "distance"], **keys,
        )  # fmt: skip
    assert same(mine.weights, theirs.state.x)
    sampled = ("train_loss", "train_accuracy")  # of other rows: the sample is drawn by position
    assert [row for row in mine.rows if row[1] not in sampled] == [
        row for row in theirs.rows if row[1] not in sampled
    ]


def test_without_a_cohort_it_is_ten_clients_or_all_if_there_are_fewer() -> None:
    keys: dict[str, Any] = {"rounds": 2, "executor": "loop", "dtype": torch.float64}
    assert same(simulate(Own, DATA, TEST, **keys).weights, run(cohort=4, every=5, **keys).weights)
    many = [DATA[0]] * 11
    assert same(
        simulate(Own, many, TEST, **keys).weights, run(data=many, cohort=10, **keys).weights
    )


def test_half_an_epoch_is_half_of_its_steps_rounded_up() -> None:
    """Of twelve rows in batches of four: two steps of three,
    which are those of an epoch that is cut off.
    """
    keys: dict[str, Any] = {"rounds": 1, "batch_size": 4, "cohort": 4, "dtype": torch.float64}
    half, most = run(local_epochs=0.5, **keys), run(local_epochs=0.6, **keys)
    assert same(half.weights, most.weights)
    assert not same(half.weights, run(local_epochs=1, **keys).weights)
    assert not same(half.weights, run(local_epochs=0.3, **keys).weights)


def test_a_loss_of_ones_own_and_targets_that_are_no_labels() -> None:
    """Least squares on one full-batch client: gradient descent in closed form."""

    def squares(outputs: Any, targets: Any) -> Any:
        loss = 0.5 * ((outputs - targets) ** 2).sum(-1)
        return Scores(loss, torch.zeros_like(loss), torch.ones_like(loss))

    x, y = torch.tensor([[1.0], [2.0]]), torch.tensor([[2.0], [4.0]])
    module = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(module.weight)
    result = simulate(
        module, [(x, y)], (x, y), cohort=1, rounds=3, client="gd", client_rate=0.2, outputs=1,
        objective=squares, dtype=torch.float64,
    )  # fmt: skip
    # w <- w - 0.2 * mean(x^2) (w - 2) with mean(x^2) = 2.5, so the distance to 2 halves every
    # round.
    assert result.weights["weight"].item() == pytest.approx(2 - 2 * 0.5**3, rel=1e-12)


def test_components_may_be_given_as_mappings() -> None:
    written = run(client="proximal(mu=0.5)", server="momentum")
    mapped = run(client={"proximal": {"mu": 0.5}}, server={"name": "momentum"})
    assert same(written.weights, mapped.weights)


def test_a_diverged_run_says_so() -> None:
    result = run(client_rate=1e30, rounds=5)
    assert result.status == "diverged"
    assert result.metric("distance_to_final") == {}


# ---------------------------------------------------------------------------------------- bad input


def untouchable() -> None:
    raise AssertionError("the model was built before the numbers were checked")


BAD_NUMBERS = [
    ({"client_rate": -0.1}, "client_rate: expected a number > 0, got -0.1"),
    ({"client_rate": float("nan")}, "client_rate: expected a number > 0, finite, got nan"),
    ({"server_rate": 0.0}, "server_rate: expected a number > 0, got 0.0"),
    ({"server_rate": "1"}, "server_rate: expected a number > 0, got '1'"),
    ({"rounds": -1}, "rounds: expected a whole number >= 1, got -1"),
    ({"rounds": True}, "rounds: expected a whole number >= 1, got True"),
    ({"every": 0}, "every: expected a whole number >= 1, got 0"),
    ({"batch_size": 0}, "batch_size: expected a whole number >= 1, got 0"),
    ({"local_epochs": 0}, "local_epochs: expected a number > 0, got 0"),
    ({"cohort": 0}, "cohort: expected a whole number >= 1 or nothing, got 0"),
    ({"cohort": 5}, "cohort: expected at most the number of clients (4), got 5"),
    ({"seed": -1}, "seed: expected a whole number >= 0, got -1"),
    ({"outputs": 0}, "outputs: expected a whole number >= 1 or nothing, got 0"),
    ({"weighting": "sample"}, "weighting: expected one of samples, uniform, got 'sample'"),
]
with warnings.catch_warnings(action="ignore"):  # torch's, of its quantised tensors
    QUANTISED = torch.quantize_per_tensor(DATA[0][0], 0.1, 0, torch.qint8)
BAD_DATA = [
    ([], TEST, "data: expected inputs and targets of at least one client, got none"),
    ([DATA[0], (torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))], TEST,
     "client 1 has no training data (1 such clients); leave them out"),
    ([DATA[0], (DATA[1][0] / 0, DATA[1][1])], TEST,
     "data[1]: row 0 of the inputs has a value that is not finite (NaN or infinite)"),
    ([DATA[0], (DATA[1][0], DATA[1][1][:-1])], TEST,
     "data[1]: expected as many targets as inputs, got 11 and 12"),
    ([DATA[0], DATA[1][0]], TEST,
     "data[1]: expected a pair of tensors or arrays, inputs [n, ...] and targets [n, ...], got "
     "Tensor"),
    ([(["a", "b"], DATA[0][1][:2])], TEST,
     "data[0]: the inputs: expected numbers, got list (can't convert np.ndarray "
     "of type numpy.str_. The only supported types are: float64, float32, float16, complex64, "
     "complex128, int64, int32, int16, int8, uint64, uint32, uint16, uint8, and bool.)"),
    ([(DATA[0][0].to_sparse(), DATA[0][1])], TEST,
     "data[0]: the inputs: expected dense numbers, got a tensor that is torch.sparse_coo"),
    ([(DATA[0][0], DATA[0][1].to_sparse())], TEST,
     "data[0]: the targets: expected dense numbers, got a tensor that is torch.sparse_coo"),
    (DATA, (TEST[0].to("meta"), TEST[1]),
     "test: the inputs: expected dense numbers, got a tensor that is on meta, without numbers"),
    ([(QUANTISED, DATA[0][1])], TEST,
     "data[0]: the inputs: expected dense numbers, got a tensor that is quantised"),
    (DATA[0][0], TEST, "data: expected (inputs, targets) of each client, got Tensor"),
    (iter(()), TEST, "data: expected inputs and targets of at least one client, got none"),
    ([DATA[0], (torch.zeros(3, 5), torch.zeros(3, dtype=torch.int64))], TEST,
     "data[1]: expected inputs of shape [2] as in data[0], got [5]"),
    (DATA, (torch.zeros(3, 5), torch.zeros(3, dtype=torch.int64)),
     "test: expected inputs of shape [2] as in data[0], got [5]"),
    ([(np.ma.masked_greater(DATA[0][0].numpy(), -1.0), DATA[0][1])], TEST,
     "data[0]: the inputs: expected a number in "
     f"every place, got an array of which {int((DATA[0][0] > -1).sum())} are masked; fill them or "
     "leave their rows out"),
    (DATA, (TEST[0][:0], TEST[1][:0]),
     "task 'own data': expected at least one row in its test split, got none"),
    (DATA, (TEST[0], TEST[1] + 1),
     "task 'own data': expected labels 0 to 1 in its test split, got 1 to 2"),
    ([(DATA[0][0], DATA[0][1] - 1)], TEST,
     "task 'own data': expected labels 0 to 0 in its train split, got -1 to 0"),
    ([(DATA[0][0], DATA[0][1].float())], TEST,
     "data[0]: expected class labels, which are whole numbers, got "
     "torch.float32; convert them with .long(), or give `outputs` and an `objective` for other "
     "targets"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line"), BAD_NUMBERS)
def test_numbers_out_of_range_get_one_line(keys: Any, line: Any) -> None:
    with pytest.raises(HeadstartError) as caught:
        run(untouchable, **keys)
    assert str(caught.value) == line


@pytest.mark.parametrize(("data", "test", "line"), BAD_DATA)
def test_data_that_cannot_be_trained_on_get_one_line(data: Any, test: Any, line: Any) -> None:
    with pytest.raises(HeadstartError) as caught:
        run(untouchable, data, test, cohort=1)
    assert str(caught.value) == line


BAD_PARTS = [
    ({"client": "fedproximal"},
     "client: unknown client optimizer 'fedproximal'; did you mean 'proximal'?"),
    ({"client": "proximal(mu=-1)"}, "client.mu: expected a number >= 0, got -1"),
    ({"server": "adm"}, "server: unknown server optimizer 'adm'; did you mean 'adam'?"),
    ({"devices": "equl"}, "devices: unknown device setting 'equl'; did you mean 'equal'?"),
    ({"executor": "lop"}, "executor: unknown executor 'lop'; did you mean 'loop'?"),
    ({"probes": ["evaluation", "aligment"]},
     "probes[1]: unknown probe 'aligment'; did you mean 'alignment'?"),
    ({"probes": "aligment"}, "probes[0]: unknown probe 'aligment'; did you mean 'alignment'?"),
    ({"model": nn.Sequential(nn.Linear(2, 3))},
     "the model's output does not fit the task: expected [2, 2] for 2 rows, "
     "got [2, 3]; give its last layer 2 outputs"),
    ({"model": nn.Linear(3, 2)},
     " on inputs of shape [2, 2]: mat1 and mat2 shapes cannot be multiplied (2x2 and 3x2)"),
    ({"model": nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))},
     "the model has BatchNorm ('1'), whose statistics "
     "mix clients; convert it with headstart.to_group_norm(module, groups=2), which keeps the "
     "affine weights"),
    ({"model": "mlp"}, "model: expected an nn.Module or a function that builds one, got str"),
    ({"model": nn.Linear},
     "model: it cannot be built: TypeError: Linear.__init__() missing 2 required positional"),
    ({"model": dict}, "model: expected an nn.Module or a function that builds one, got dict"),
]  # fmt: skip


@pytest.mark.parametrize(("keys", "line"), BAD_PARTS)
def test_parts_that_do_not_fit_get_one_line(keys: Any, line: Any) -> None:
    with pytest.raises(HeadstartError) as caught:
        run(**keys)
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_loss_that_does_not_take_the_targets_gets_one_line() -> None:
    data = [(x, y.to(torch.int32)[:, None]) for x, y in DATA]
    with pytest.raises(HeadstartError) as caught:
        run(data=data)
    assert str(caught.value).startswith(
        "task 'own data': its loss does not take outputs of shape [2, 2] with targets of shape [2, "
        "1] (torch.int64): "
    )
    assert "\n" not in str(caught.value)


def test_a_converted_model_is_taken() -> None:
    module = headstart.to_group_norm(
        nn.Sequential(nn.Linear(2, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))
    )
    assert run(module).status == "finished"


# --------------------------------------------------------------------------------- as users have it


def test_generators_mappings_and_arrays_are_data() -> None:
    plain = run()
    assert same(run(data=(pair for pair in DATA)).weights, plain.weights)
    assert same(
        run(data={f"hospital {i}": pair for i, pair in enumerate(DATA)}).weights, plain.weights
    )
    arrays = [(inputs.numpy(), labels.numpy()) for inputs, labels in DATA]
    assert same(run(data=arrays, test=(TEST[0].numpy(), TEST[1].tolist())).weights, plain.weights)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.bool])
def test_labels_are_whole_numbers_of_any_kind(kind: Any) -> None:
    data = [(inputs, labels.to(kind)) for inputs, labels in DATA]
    assert same(run(data=data).weights, run().weights)


def test_labels_that_begin_at_one_get_one_line() -> None:
    data = [(inputs, labels + 1) for inputs, labels in DATA]
    with pytest.raises(HeadstartError) as caught:
        run(data=data, test=(TEST[0], TEST[1] + 1))
    assert str(caught.value) == (
        "data: expected labels that begin at 0, as the model has 2 outputs, got 1 to 2; subtract 1 "
        "from them"
    )


def half_frozen() -> Any:
    module = Own()
    module.inner.requires_grad_(False)
    return module


@pytest.mark.parametrize("model", [half_frozen, half_frozen()], ids=["function", "module"])
def test_frozen_layers_stay_as_they_are_and_the_rest_is_trained(model: Any) -> None:
    """Against gradient descent written out, on the last layer alone."""
    result = run(model, cohort=4, rounds=2, client="gd", client_rate=0.5, dtype=torch.float64)
    if isinstance(model, nn.Module):
        module = copy.deepcopy(model).double()
        inputs, labels = torch.cat([x for x, _ in DATA]).double(), torch.cat([y for _, y in DATA])
        for _ in range(2):
            loss = cross_entropy(module(inputs), labels)
            gradients = torch.autograd.grad(loss, list(module.outer.parameters()))  # type: ignore[union-attr]
            with torch.no_grad():
                for leaf, gradient in zip(module.outer.parameters(), gradients, strict=True):  # type: ignore[union-attr]
                    leaf -= 0.5 * gradient
        for name, leaf in module.named_parameters():
            torch.testing.assert_close(result.weights[name], leaf.detach(), rtol=1e-12, atol=1e-15)
    begun = run(model, rounds=1, client_rate=1e-300, dtype=torch.float64).weights
    assert torch.equal(result.weights["inner.weight"], begun["inner.weight"])
    assert not torch.equal(result.weights["outer.weight"], begun["outer.weight"])


def test_a_model_that_is_frozen_throughout_gets_one_line() -> None:
    with pytest.raises(HeadstartError) as caught:
        run(Own().requires_grad_(False))
    assert str(caught.value) == (
        "model: expected a parameter to train, and none requires a gradient; unfreeze a layer"
    )


def test_it_is_said_why_nothing_was_trained() -> None:
    line = (
        r"devices: with 'dropped\(share=1.0\)' no client did a step in any of the 3 rounds, so "
        r"nothing was trained"
    )
    with pytest.warns(UserWarning, match=line):
        result = run(devices="dropped(share=1.0)")
    assert result.metric("test_loss")[0] == result.metric("test_loss")[3]


@pytest.mark.parametrize(
    ("width", "cores", "executor"),
    [
        (4, 2, "stacked"),
        (512, 2, "threads"),
        (512, 1, "stacked"),
        (100, 2, "stacked"),
        (100, 64, "threads"),
    ],
)
def test_the_executor_is_chosen_by_the_size_of_products_and_the_cores(
    width: int, cores: int, executor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 16 rows times width x width: 2 * 16 * width**2: 8.4 million at 512, 0.3 at 100."""
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    data = [(torch.randn(16, width, generator=torch.Generator().manual_seed(k)),
             torch.arange(16) % 2)
            for k in range(2)]  # fmt: skip
    model = nn.Sequential(*[nn.Linear(width, width) for _ in range(3)], nn.Linear(width, 2))
    keys: dict[str, Any] = {"cohort": 1, "rounds": 1, "batch_size": 16, "probes": ["evaluation"]}
    assert simulate(model, data, data[0], **keys).executor == executor
