"""What a model keeps beside its parameters comes from the start, is held in training, seen by all,
and is saved.
"""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file
from tests.engine.conftest import one_round
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from headstart.engine.federation import begin
from headstart.models.network import Network
from headstart.simulation import simulate
from headstart.starts.weights import load
from headstart.study.beginnings import start_weights
from headstart.study.federations import federation_of, trained_network
from headstart.study.folder.writer import Writer
from headstart.study.groups import groups_of
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.digits import digits

KEYS = {
    "task": "digits", "population": 10, "cohort": 3, "seeds": [0, 1], "rounds": 2, "every": 1,
    "batch_size": 32, "probes": ["evaluation"],
}  # fmt: skip
HERE = "tests.study.test_buffers"


class Frozen(nn.Module):
    """Batch norm with fixed statistics, as one fine-tunes a backbone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight, self.bias = (
            nn.Parameter(torch.ones(channels)),
            nn.Parameter(torch.zeros(channels)),
        )
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, images: Tensor) -> Tensor:
        mean, var = self.get_buffer("running_mean"), self.get_buffer("running_var")
        return batch_norm(images, mean, var, self.weight, self.bias, training=False)


class Projected(nn.Module):
    """A random fixed projection, and what is learnt of it; a whole number,
    a mask and a second name beside them.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.register_buffer("projection", torch.randn(64, 50) / 8)
        self.register_buffer("mask", torch.arange(50) % 7 > 0)
        self.register_buffer("seen", torch.tensor(3))
        self.fc = nn.Linear(50, outputs)
        self.again = self.fc

    def forward(self, images: Tensor) -> Tensor:
        projected = (images.flatten(1) @ self.get_buffer("projection")).relu() * self.get_buffer(
            "mask"
        )
        return self.again(projected)


def frozen(input_shape: tuple[int, ...], outputs: int, norm: type[nn.Module] = Frozen) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        norm(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Linear(32, outputs),
    )


def projected(input_shape: tuple[int, ...], outputs: int) -> nn.Module:
    return Projected(outputs)


def accuracy(module: nn.Module) -> float:
    rows = digits().test
    with torch.no_grad():
        return float((module.eval()(rows.inputs).argmax(-1) == rows.targets).float().mean())


@pytest.fixture(scope="module")
def norm_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that was trained with batch norm, as torch saves it."""
    rows, path = digits().train, tmp_path_factory.mktemp("norm") / "bn.pt"
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        module = frozen((1, 8, 8), 10, nn.BatchNorm2d)
        optimizer = torch.optim.Adam(module.parameters(), 0.01)
        for batch in torch.randperm(len(rows)).split(64) * 4:
            optimizer.zero_grad()
            nn.functional.cross_entropy(module(rows.inputs[batch]), rows.targets[batch]).backward()
            optimizer.step()
    torch.save(module.state_dict(), path)
    return path


def measured(out: Path, round_: int) -> dict[str, float]:
    rows = pq.read_table(out / "results" / "rounds.parquet").to_pylist()
    return {
        r["run"]: r["value"]
        for r in rows
        if r["metric"] == "test_accuracy" and r["round"] == round_
    }


def test_fixed_statistics_are_those_of_the_file_as_torch_loads_it(
    norm_file: Path, tmp_path: Path
) -> None:
    module = frozen((1, 8, 8), 10)
    # But for the number of batches that were tracked.
    module.load_state_dict(torch.load(norm_file), strict=False)
    study = Study(**KEYS, model=f"{HERE}:frozen", starts={"checkpoint": {"path": str(norm_file)}})
    out = run_study(study, tmp_path / "out")
    expected = accuracy(module)
    assert expected > 0.7
    assert list(measured(out, 0).values()) == [pytest.approx(expected, abs=1e-6)] * 2
    unsaid = accuracy(frozen((1, 8, 8), 10).train().requires_grad_())
    assert expected - unsaid > 0.4  # statistics matter here
    data = digits().train.inputs, digits().train.targets
    test = digits().test.inputs, digits().test.targets
    result = simulate(
        module, [data], test, rounds=1, cohort=1, probes=["evaluation"], client_rate=1e-9
    )
    assert result.metric("test_accuracy")[0] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "start", ["random", "proxy(task='rendered-digits(examples=50)', epochs=1)"]
)
def test_the_weights_of_a_run_and_of_a_proxy_load_strictly_and_give_what_was_measured(
    start: str, tmp_path: Path
) -> None:
    study = Study(**KEYS, model=f"{HERE}:projected", starts=start)
    out = run_study(study, tmp_path / "out")
    files = sorted(out.glob("runs/*/weights.safetensors"))
    assert len(files) == 2
    for file in files:
        module = Projected(10)
        module.load_state_dict(load_file(file))
        assert accuracy(module) == pytest.approx(measured(out, 2)[file.parent.name], abs=1e-6)
        assert set(load_file(file)) == set(module.state_dict())
    for file in out.glob("starts/*.safetensors"):
        Projected(10).load_state_dict(load_file(file))
    projections = [load_file(file)["projection"] for file in files]
    # Random weights are others for every seed.
    assert torch.equal(*projections) == (start != "random")


def test_a_run_can_begin_from_what_another_ended_with(tmp_path: Path) -> None:
    first = Study(**KEYS, model=f"{HERE}:projected")
    out = run_study(first, tmp_path / "first")
    file = out / "runs" / first.runs[0].key / "weights.safetensors"
    second = Study(**KEYS, model=f"{HERE}:projected", starts={"checkpoint": {"path": str(file)}})
    again = run_study(second, tmp_path / "second")
    expected = measured(out, 2)[first.runs[0].key]
    assert set(measured(again, 0).values()) == {expected}


@pytest.mark.parametrize("executor", ["stacked", "threads", "processes(workers=2)", "auto"])
@pytest.mark.parametrize("trainable", ["all", "fc.bias"])
def test_all_executors_hold_what_the_loop_holds(executor: str, trainable: str) -> None:
    x = {}
    for written in ("loop", executor):
        study = Study(**KEYS, model=f"{HERE}:projected", executor=written, trainable=trainable)
        run = study.runs[0]
        begun = Writer(Path()).write_all(start_weights(run, Path()))
        federation = federation_of(run, begun)
        assert set(federation.network.held) == {"projection", "mask", "seen"} | (
            {"fc.weight"} if trainable != "all" else set()
        )
        state = begin(
            federation, {name: begun[name] for name in begun if name not in federation.network.held}
        )
        x[written] = one_round(federation, state)[0].x
    for name, leaf in x["loop"].items():
        torch.testing.assert_close(x[executor][name], leaf, rtol=1e-5, atol=1e-6)


def test_runs_share_a_recorded_executor_only_where_their_buffers_are_equal() -> None:
    runs = Study(**KEYS, model=f"{HERE}:projected").runs
    states = [Writer(Path()).write_all(start_weights(run, Path())) for run in runs]
    assert not torch.equal(states[0]["projection"], states[1]["projection"])
    assert (
        federation_of(runs[0], states[0]).execute is not federation_of(runs[1], states[1]).execute
    )
    alike = states[1] | {name: states[0][name] for name in ("projection", "mask", "seen")}
    assert federation_of(runs[0], states[0]).execute is federation_of(runs[1], alike).execute
    assert trained_network(runs[0], states[0]) is trained_network(runs[1], alike)


def test_only_runs_of_one_start_and_seed_are_computed_at_once() -> None:
    keys: dict[str, Any] = {**KEYS, "servers": ["sgd", "adam"], "executor": "stacked(runs=8)"}
    groups = groups_of(Study(**keys, model=f"{HERE}:projected").runs)
    assert [{run.seed for run in group} for group in groups] == [{0}, {1}]
    assert len(groups_of(Study(**keys, model="logistic").runs)) == 1


def test_probes_see_what_is_held(tmp_path: Path) -> None:
    keys = {
        **KEYS,
        "probes": ["evaluation", "curvature(rows=64, double=true)", "distance"],
        "seeds": [0],
    }
    out = run_study(Study(**keys, model=f"{HERE}:projected"), tmp_path / "out")
    rows = pq.read_table(out / "results" / "rounds.parquet").to_pylist()
    names = {r["metric"] for r in rows}
    assert "distance_to_final.fc" in names
    assert not any("projection" in name for name in names)
    (top,) = [r["value"] for r in rows if r["metric"] == "hessian_top_1" and r["round"] == 0]
    assert top > 0


def test_a_simulation_ends_with_weights_that_load() -> None:
    rows = digits().train
    data = [(rows.inputs[i::4], rows.targets[i::4]) for i in range(4)]
    test = digits().test.inputs, digits().test.targets
    result = simulate(lambda: Projected(10), data, test, rounds=1, cohort=2, probes=["evaluation"])
    module = Projected(10)
    module.load_state_dict(result.weights)
    assert accuracy(module) == pytest.approx(result.metric("test_accuracy")[1], abs=1e-6)


def test_complex_buffers_stay_complex() -> None:
    class Turned(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(4, 2)
            self.register_buffer("turn", torch.polar(torch.ones(2), torch.tensor([0.5, 1.0])))

        def forward(self, inputs: Tensor) -> Tensor:
            pairs = torch.view_as_complex(inputs.reshape(len(inputs), 2, 2)) * self.get_buffer(
                "turn"
            )
            return self.fc(torch.view_as_real(pairs).flatten(1))

    network = Network(Turned, torch.float64)
    state = network.state(0)
    assert state["turn"].is_complex()
    assert state["turn"].imag.abs().min() > 0.4
    held = network.holding({"turn": state["turn"]})
    inputs = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = Turned().double()
    expected.turn = state["turn"]
    expected.fc.load_state_dict({"weight": state["fc.weight"], "bias": state["fc.bias"]})
    torch.testing.assert_close(
        held(network.parameters_of(state), inputs), expected(inputs).to(torch.float64)
    )


def test_a_start_whose_file_was_kept_is_read_with_its_buffers(tmp_path: Path) -> None:
    start = {"head-first": {"start": "proxy(task='rendered-digits(examples=50)', epochs=1)"}}
    study = Study(**KEYS, model=f"{HERE}:projected", starts=start)
    made = Writer(tmp_path).write_all(start_weights(study.runs[0], tmp_path))
    (file,) = tmp_path.glob("starts/head-first-*.safetensors")
    kept = load(file).state
    assert list(kept) == list(made)
    assert all(torch.equal(kept[name], made[name]) for name in made)
    assert kept["mask"].dtype == torch.bool
