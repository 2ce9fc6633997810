"""The fitted head is scikit-learn's ridge regression on the features of the inner start;
the other layers stay.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from scipy.special import softmax
from sklearn.linear_model import Ridge, RidgeClassifier
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.starts.base import STARTS, Start
from headstart.starts.weights import NOTHING, load
from headstart.study.beginnings import start_weights
from headstart.study.folder.store import Folder
from headstart.study.folder.writer import Writer
from headstart.study.runner import run_study
from headstart.study.spec import Study
from headstart.tasks.base import Examples, Task
from headstart.tasks.digits import digits
from headstart.trees import Tree

Floats = np.ndarray


def start(written: str = "random", **parameters: Any) -> Start:
    return STARTS.build(STARTS.component({"head-first": {"start": written, **parameters}}))


def network(written: str = "mlp(hidden=[20], dropout=0.5)") -> Network:
    return Network(lambda: MODELS.build(MODELS.component(written), (1, 8, 8), 10), torch.float64)


def seen(params: Tree, task: Task) -> tuple[Floats, Floats]:
    """The features and labels of the training rows, by the MLP's own formula."""
    flat = task.train.inputs.flatten(1).double()
    hidden = (flat @ params["1.weight"].T + params["1.bias"]).clamp(min=0)
    return hidden.numpy(), task.train.targets.numpy()


@pytest.mark.parametrize("regularisation", [0.01, 1.0, 300.0])
def test_the_head_is_scikit_learns_ridge(regularisation: float) -> None:
    net, task = network(), digits()
    inner = net.initial(4)
    got = start(regularisation=regularisation, scale=1.0).weights(NOTHING, net, task, 4)
    features, labels = seen(inner, task)
    expected = Ridge(alpha=regularisation).fit(features, np.eye(10)[labels])
    np.testing.assert_allclose(got["4.weight"].numpy(), expected.coef_, rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(got["4.bias"].numpy(), expected.intercept_, rtol=1e-7, atol=1e-9)
    assert all(torch.equal(got[name], inner[name]) for name in ("1.weight", "1.bias"))
    assert list(got) == list(inner)


def test_it_predicts_as_scikit_learns_classifier_does_whatever_the_scale() -> None:
    net, task = network(), digits()
    expected = RidgeClassifier(alpha=2.0).fit(*seen(net.initial(1), task))
    for scale in (None, 1.0, 7.0):
        got = start(regularisation=2.0, scale=scale).weights(NOTHING, net, task, 1)
        predicted = net(got, task.test.inputs).argmax(-1).numpy()
        features, _ = seen(got, replace(task, train=task.test))
        np.testing.assert_array_equal(predicted, expected.predict(features))


def test_the_scale_is_where_the_loss_on_the_training_rows_is_least() -> None:
    """Where the mean of -log softmax(s z)_y is least, the means of z_y and of sum_c softmax(s z)_c
    z_c are equal.
    """
    net, task = network(), digits()
    one, best = (start(scale=scale).weights(NOTHING, net, task, 2) for scale in (1.0, None))
    factor = float(best["4.weight"][0, 0] / one["4.weight"][0, 0])
    scores, labels = net(one, task.train.inputs).numpy(), task.train.targets.numpy()
    expected = (softmax(factor * scores, axis=1) * scores).sum(1).mean()
    assert expected == pytest.approx(scores[np.arange(len(labels)), labels].mean(), abs=1e-4)
    assert 1 < factor < 100


class Convolutional(nn.Module):
    """A head over pixels, as SqueezeNet has it, averaged after or before an activation."""

    def __init__(self, last: nn.Module, bias: bool = True) -> None:
        super().__init__()
        self.body, self.head, self.last = nn.Conv2d(1, 9, 3), nn.Conv2d(9, 10, 1, bias=bias), last

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.head(self.body(images).tanh())).mean((-2, -1))


@pytest.mark.parametrize("bias", [True, False])
def test_a_head_that_is_averaged_over_pixels_is_fitted_to_averages(bias: bool) -> None:
    net, task = Network(lambda: Convolutional(nn.Identity(), bias), torch.float64), digits()
    got = start(scale=1.0).weights(NOTHING, net, task, 0)
    inner = net.initial(0)
    body = nn.functional.conv2d(
        task.train.inputs.double(), inner["body.weight"], inner["body.bias"]
    )
    features, labels = body.tanh().mean((-2, -1)).numpy(), task.train.targets.numpy()
    expected = Ridge(alpha=1.0, fit_intercept=bias).fit(features, np.eye(10)[labels])
    assert got["head.weight"].shape == (10, 9, 1, 1)
    np.testing.assert_allclose(
        got["head.weight"].flatten(1).numpy(), expected.coef_, rtol=1e-6, atol=1e-9
    )
    np.testing.assert_allclose(
        net(got, task.train.inputs).numpy(), expected.predict(features), rtol=1e-6, atol=1e-9
    )


def test_a_head_whose_outputs_are_not_the_models_is_refused() -> None:
    net = Network(lambda: Convolutional(nn.ReLU()), torch.float64)
    with pytest.raises(
        HeadstartError,
        match="linear head whose outputs are the model's, which those of 'head' are not",
    ):
        start().weights(NOTHING, net, digits(), 0)
    with pytest.raises(HeadstartError, match="which those of '1' are not"):
        start(head_layer="1").weights(NOTHING, network(), digits(), 0)
    with pytest.raises(
        HeadstartError,
        match="expected a layer with a weight and at most a bias, got '2' with no param",
    ):
        start(head_layer="2").weights(NOTHING, network(), digits(), 0)


def test_targets_that_are_not_one_class_a_row_are_refused() -> None:
    rows = Examples(torch.zeros(4, 1, 8, 8), torch.zeros(4, 7, dtype=torch.int64))
    with pytest.raises(
        HeadstartError,
        match=r"task 'text' has targets of shape \[7\] \(torch.int64\); train it by rounds instead "
        r"\(rounds=10\)",
    ):
        start().weights(NOTHING, network(), Task("text", rows, rows, rows, 10), 0)


def test_an_inner_start_that_is_none_is_refused_when_it_is_read() -> None:
    with pytest.raises(
        HeadstartError, match=r"^start head-first.start: unknown start 'prxy'; did you mean 'proxy'"
    ):
        start("prxy")


def test_it_shares_what_the_inner_start_pre_trained_and_is_kept_for_each_seed(
    tmp_path: Path,
) -> None:
    """One pre-training for both starts; a head of each seed's own features or, from one artefact,
    the same.
    """
    proxy = "proxy(task='rendered-digits(examples=100)', epochs=1)"
    starts = [proxy, {"head-first": {"start": proxy}}, "head-first(start='random')"]
    study = Study(
        task="digits", model="mlp(hidden=[8])", starts=starts, population=10, cohort=2, rounds=1,
        seeds=[0, 1], executor="loop", batch_size=64, every=1, probes="evaluation",
    )  # fmt: skip
    out = run_study(study, tmp_path / "out")
    names = sorted(path.name[:17] for path in (out / "starts").iterdir())
    assert names == [
        "head-first-seed-0",
        "head-first-seed-0",
        "head-first-seed-1",
        "head-first-seed-1",
        names[-1],
    ]
    (pretrained,) = (out / "starts").glob("pre-trained-*")
    told = [str(Folder(out).record(run.key)["begun_with"]) for run in study.runs]
    assert [line.startswith("pre-trained for 1 epoch in ") for line in told] == [
        True,
        True,
        True,
        True,
        False,
        False,
    ]
    assert all(line.endswith(" test rows of 'rendered-digits'") for line in told[:4])
    plain, fitted = (Writer(out).write_all(start_weights(study.runs[i], out)) for i in (0, 2))
    assert torch.equal(load(pretrained).state["1.weight"], fitted["1.weight"])
    assert torch.equal(plain["1.weight"], fitted["1.weight"])
    assert not torch.equal(plain["3.weight"], fitted["3.weight"])
    before, after = (
        Writer(out).write_all(start_weights(study.runs[i], out))["3.weight"] for i in (4, 5)
    )
    assert not torch.equal(before, after)


# ------------------------------------------------------------------------ rounds instead of the fit

KEYS = {
    "task": "digits", "model": "mlp(hidden=[6])", "population": 10, "cohort": 3, "rounds": 2,
    "every": 2, "seeds": 1, "clients": "mimelite", "servers": "adam", "client_rates": 0.1,
    "server_rates": 0.1, "probes": ["evaluation"],
}  # fmt: skip


def test_rounds_on_the_head_are_those_of_a_run_that_trains_it_alone(tmp_path: Path) -> None:
    """Its last weights are where the run begins, and its bytes are counted."""
    alone = run_study(Study(**{**KEYS, "rounds": 4}, trainable="head"), tmp_path / "alone")
    study = Study(**KEYS, starts="head-first(start=random, rounds=4)")
    out = run_study(study, tmp_path / "out")
    (head,), (run,) = (
        pq.read_table(folder / "results" / "runs.parquet").to_pylist() for folder in (alone, out)
    )
    assert curve(alone)[4] == curve(out)[0]
    assert curve(out).keys() == {0, 2}
    everything = run_study(Study(**KEYS), tmp_path / "everything")
    (other,) = pq.read_table(everything / "results" / "runs.parquet").to_pylist()
    for sent in ("bytes_up", "bytes_down", "simulated_seconds"):
        assert run[sent] == head[sent] + other[sent]


def curve(out: Path) -> dict[int, float]:
    rows = pq.read_table(out / "results" / "rounds.parquet").to_pylist()
    return {row["round"]: row["value"] for row in rows if row["metric"] == "test_loss"}


def test_rounds_that_diverge_are_a_diverged_run(tmp_path: Path) -> None:
    study = Study(
        **{**KEYS, "clients": "sgd", "client_rates": 1e39},
        starts="head-first(start=random, rounds=2)",
    )
    out = run_study(study, tmp_path / "out")
    (run,) = pq.read_table(out / "results" / "runs.parquet").to_pylist()
    assert (run["status"], run["diverged_at"], run["rounds"]) == ("diverged", 0, 0)


def test_a_head_that_cannot_be_is_refused_before_any_training(tmp_path: Path) -> None:
    for written, line in (
        (
            "head-first(start=random, rounds=2, head_layer=none)",
            "trainable: .* names no parameter of the model",
        ),
        (
            "head-first(start=random, head_layer='1')",
            "whose outputs are the model's, which those of '1' are not",
        ),
    ):
        with pytest.raises(HeadstartError, match=line):
            run_study(Study(**KEYS, starts=written), tmp_path / "out")
        assert not (tmp_path / "out").exists()
