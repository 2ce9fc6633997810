"""The probe: where in a run it measures, on which rows, and that its numbers are those of the dense
Hessian.
"""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headstart.engine.federation import begin
from headstart.errors import HeadstartError
from headstart.probes.base import PROBES, Metrics, Moment
from headstart.probes.hessian import Hessian
from headstart.simulation import simulate
from headstart.study.federations import federation_of
from headstart.study.spec import Study
from headstart.trees import Tree

ROUNDS = 3


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(3, 4), nn.Linear(4, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.b(torch.tanh(self.a(x)))


def data() -> list[tuple[Tensor, Tensor]]:
    draw = torch.Generator().manual_seed(8)
    inputs = torch.randn(4, 6, 3, generator=draw, dtype=torch.float64)
    return [(rows, (rows.sum(-1) > 0).long()) for rows in inputs]


def run(probe: str) -> tuple[dict[str, dict[int, float]], Tree]:
    clients = data()
    result = simulate(
        Small, clients, clients[0], cohort=2, rounds=ROUNDS, every=1, client_rate=0.5, batch_size=3,
        probes=[probe], executor="loop", dtype=torch.float64,
    )  # fmt: skip
    return {
        name: result.metric(name) for name in dict.fromkeys(metric for _, metric, _ in result.rows)
    }, result.weights


def eigenvalues(x: Tree) -> list[float]:
    """Of the dense Hessian of the mean loss over all rows of all clients, in falling order."""
    inputs, labels = (torch.cat(parts) for parts in zip(*data(), strict=True))

    def loss(flat: Tensor) -> Tensor:
        a, b, c, d = (
            part.view_as(leaf)
            for part, leaf in zip(flat.split([12, 4, 8, 2]), x.values(), strict=True)
        )
        return nn.functional.cross_entropy(torch.tanh(inputs @ a.T + b) @ c.T + d, labels)

    dense = torch.func.hessian(loss)(torch.cat([leaf.flatten() for leaf in x.values()]))
    return sorted(torch.linalg.eigvalsh(dense).tolist(), reverse=True)


def test_numbers_are_those_of_the_dense_hessian_where_the_run_ended() -> None:
    metrics, x = run("curvature(at='end', top=3, tolerance=1e-8, trace_vectors=400)")
    expected = eigenvalues(x)
    for i in range(3):
        assert metrics[f"hessian_top_{i + 1}"] == {ROUNDS: pytest.approx(expected[i], rel=1e-8)}
    assert metrics["hessian_residual"][ROUNDS] <= 1e-8
    assert metrics["hessian_converged"] == {ROUNDS: 1.0}
    assert 3 <= metrics["hessian_products"][ROUNDS] <= 26
    error = metrics["hessian_trace_error"][ROUNDS]
    assert error < 0.05 * sum(expected)
    assert metrics["hessian_trace"][ROUNDS] == pytest.approx(sum(expected), abs=4 * error)


@pytest.mark.parametrize(
    ("at", "rounds"),
    [("start", {0}), ("end", {ROUNDS}), ("both", {0, ROUNDS}), ("always", {0, 1, 2, 3})],
)
def test_it_is_measured_where_it_is_asked_for(at: str, rounds: set[int]) -> None:
    metrics, _ = run(f"curvature(at={at!r}, trace_vectors=0)")
    assert metrics["hessian_top_1"].keys() == rounds
    assert "hessian_trace" not in metrics


def test_what_has_not_converged_says_so_with_its_residual() -> None:
    metrics, x = run("curvature(at='end', products=2, tolerance=1e-10, trace_vectors=1)")
    assert metrics["hessian_converged"] == {ROUNDS: 0.0}
    assert metrics["hessian_products"] == {ROUNDS: 2.0}
    value, residual = metrics["hessian_top_1"][ROUNDS], metrics["hessian_residual"][ROUNDS]
    assert residual > 1e-10
    assert min(abs(np.array(eigenvalues(x)) - value)) <= residual * value
    assert "hessian_trace_error" not in metrics, "one vector has no standard error"


def measured(study: Study, probe: str) -> list[Metrics]:
    """At the same weights, in every run of the study."""
    found = []
    for spec in study.runs:
        federation = federation_of(spec)
        state = begin(federation, federation.network.initial(0))
        found.append(
            PROBES.build(PROBES.component(probe), federation).measure(Moment(state, None, None))
        )
    return found


def test_all_runs_of_a_seed_share_the_sample_and_other_seeds_draw_another() -> None:
    study = Study(
        task="digits", model="logistic", partitions=["iid", "dirichlet(alpha=0.1)"], seeds=[0, 1],
        population=10, executor="loop",
    )  # fmt: skip
    first, other_seed, other_partition, _ = measured(study, "curvature(rows=50, trace_vectors=2)")
    assert first == other_partition
    assert first["hessian_top_1"] != other_seed["hessian_top_1"]


def test_runs_that_begin_alike_are_measured_once_and_others_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    computed = []

    def counting(*arguments: object, **options: Any) -> Hessian:
        computed.append(arguments)
        return Hessian(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("headstart.probes.curvature.Hessian", counting)
    fed = federation_of(Study(task="digits", model="mlp(hidden=[4])", seeds=[0]).runs[0])
    x = fed.network.initial(3)
    other = {name: leaf + 0.1 for name, leaf in x.items()}

    def measured(weights: Tree, parameters: str = "") -> dict[str, float]:
        probe = PROBES.build(PROBES.component(f"curvature(rows=9{parameters})"), fed)
        return probe.measure(Moment(begin(fed, weights), None, None))

    first = measured(x)
    assert measured({name: leaf.clone() for name, leaf in x.items()}) == first
    assert len(computed) == 1
    assert measured(other) != first
    measured(x, ", top=2")
    assert len(computed) == 3


@pytest.mark.parametrize("trainable", ["all", "head"])
def test_double_precision_on_request_and_batches_change_nothing_but_rounding(
    trainable: str,
) -> None:
    study = Study(
        task="digits",
        model="small-cnn",
        seeds=[0],
        population=10,
        executor="loop",
        trainable=trainable,
    )
    options = "rows=60, tolerance=1e-6, trace_vectors=2"
    (single,) = measured(study, f"curvature({options})")
    (double,) = measured(study, f"curvature({options}, double=True)")
    (batched,) = measured(study, f"curvature({options}, double=True, batch=7, memory=0.001)")
    for name in ("hessian_top_1", "hessian_trace"):
        assert single[name] == pytest.approx(double[name], rel=2e-5)
        assert single[name] != double[name]
        assert batched[name] == pytest.approx(double[name], rel=1e-11)


def test_fewer_products_than_eigenvalues_are_refused_before_training() -> None:
    with pytest.raises(
        HeadstartError, match=r"^curvature.products: expected at least as many as top \(5\), got 4$"
    ):
        run("curvature(top=5, products=4)")


class RefusesWithCudnn(torch.autograd.Function):
    """Stands in for cuDNN's recurrent kernels, whose backward pass cannot be derived while cuDNN is
    on.
    """

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if torch.backends.cudnn.enabled and torch.is_grad_enabled():
            raise RuntimeError("the derivative for '_cudnn_rnn_backward' is not implemented")
        return g.clone()


class Fused(Small):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(RefusesWithCudnn.apply(self.a.weight.sum()) * 0 + x)


def test_a_fused_kernel_that_is_left_out_is_said_in_one_line() -> None:
    clients = data()
    with pytest.warns(
        UserWarning, match="^curvature: cuDNN's recurrent kernels have no second derivative;"
    ):
        simulate(
            Fused,
            clients,
            clients[0],
            cohort=2,
            rounds=1,
            probes=["curvature(at='end')"],
            executor="loop",
        )
