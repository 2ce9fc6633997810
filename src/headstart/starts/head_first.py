"""The head first: fit the last layer to the weights of another start, or train it alone for some
rounds; then all.

A head that knows nothing sends gradients that spoil pre-trained features before it has learnt to
read them; a fitted one does not (linear probing, then fine-tuning: Kumar et al., arXiv 2202.10054).
In federated learning a linear head can be fitted in closed form, exactly, whatever the clients' mix
of classes: by class means (FedNCM, Legate et al., arXiv 2306.03937) or by ridge regression with
softmax temperature, as here (Fed3R+FT, Fani et al., arXiv 2406.01116). What a server adds up of its
clients is A = sum phi phi^T, b = sum phi, B = sum phi y^T and the counts of classes, each a sum
over rows, and so over clients: one message from each, and no rounds.

With `rounds` the head is not fitted but trained, by the run's own clients and optimizers, before
the run's first round: for heads that are not linear, targets that are no classes, and for those who
want to see what the fit is worth.

Shape suffixes: N rows, D features, C classes, B rows of a batch.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import numpy.typing as npt
import torch
from pydantic import Field
from scipy import special
from torch import Tensor, nn
from torch.func import functional_call

from headstart.errors import HeadstartError
from headstart.models.network import Network
from headstart.parts.parameters import AddedLater
from headstart.parts.written import PartText
from headstart.starts.base import STARTS, Build, RoundsBefore, Start
from headstart.starts.heads import HeadLayer, last_layer, within
from headstart.starts.weights import Weights
from headstart.tasks.base import Task
from headstart.trees import Tree
from headstart.wording.phrases import some

Floats = npt.NDArray[np.float64]
SHARPEST = 100.0
"""The largest factor that `scale` is looked for: scores of separable rows would be scaled without
end.
"""


@STARTS.register(
    "head-first",
    source="Kumar et al., arXiv 2202.10054 (LP-FT); Fani et al., arXiv 2406.01116 (ridge)",
)
def head_first(
    *,
    start: Annotated[
        PartText,
        Field(description="the start whose weights the head is fitted to, with its parameters"),
    ],
    regularisation: Annotated[
        float,
        Field(
            gt=0,
            description="lambda of |Y - phi W - c|^2 + lambda |W|^2, summed over rows and classes",
        ),
    ] = 1.0,
    scale: Annotated[
        float | None,
        Field(
            gt=0,
            description="factor on the fitted scores; left out, that with the least loss on the "
            "training rows",
        ),
    ] = None,
    batch: Annotated[int, Field(ge=1, description="rows computed at once")] = 256,
    head_layer: HeadLayer = None,
    rounds: Annotated[
        int,
        AddedLater(),
        Field(ge=0, description="instead of the fit, rounds that train the head alone; 0: the fit"),
    ] = 0,
) -> Start:
    """Fit the head by ridge regression to the features of another start, or train it alone for some
    rounds.

    The fit is on the training rows of all clients: ridge regression to classes coded 0 and 1, with
    an intercept that is not penalised where the head has a bias, solved in float64 (scikit-learn's
    `Ridge(alpha=regularisation)`). Scores near 0 and 1 make a poor softmax, so they are multiplied
    by one factor, as Fed3R does; it changes no prediction. Dropout is off.

    `rounds` on the head alone have the clients, optimizers and rates of the run. They come before
    its round 0, which is when the run's optimizers begin anew with all weights; their bytes and
    simulated seconds count among the run's.

    Raises:
        HeadstartError: the inner start is none, or has no weights for the model; the head is no
            linear layer whose outputs are the model's (averaged over pixels or not); the targets
            are not one class a row.
    """
    inner = STARTS.build(STARTS.component(start, "start head-first.start"))
    if rounds:
        head = "head" if head_layer is None else re.escape(head_layer) + r"\..*"
        return replace(inner, before=RoundsBefore(rounds, head))

    def weights(artefact: Weights, network: Network, task: Task, seed: int) -> Tree:
        params = inner.weights(artefact, network, task, seed)
        layer = head_layer or last_layer(network.parameters_of(params))
        _refuse_other_heads(layer, params, task)
        features_ND = _features(network, params, task.train.inputs, layer, batch)
        labels_N, biased = task.train.targets.cpu().numpy(), f"{layer}.bias" in params
        weight_CD, bias_C = ridge(features_ND, labels_N, task.outputs, regularisation, biased)
        factor = scale or _sharpness(features_ND @ weight_CD.T + bias_C, labels_N)
        fitted = {f"{layer}.weight": weight_CD, f"{layer}.bias": bias_C}
        own = {name: torch.from_numpy(factor * fitted[name]) for name in within(layer, params)}
        return {
            name: own[name].to(leaf).reshape(leaf.shape) if name in own else leaf
            for name, leaf in params.items()
        }

    def check(network: Network, task: Task, build: Build) -> Sequence[str]:
        said = inner.check(network, task, build)
        params = network.state(0)
        layer = head_layer or last_layer(network.parameters_of(params))
        _refuse_other_heads(layer, params, task)
        _features(network, params, task.train.inputs[:2], layer, batch)
        return said

    return Start(weights, inner.artefact, inner.content, costly=True, check=check)


def ridge(
    features_ND: Floats,
    labels_N: npt.NDArray[np.int64],
    classes: int,
    regularisation: float,
    intercept: bool,
) -> tuple[Floats, Floats]:
    """W [C, D] and c [C] that minimise |Y - phi W^T - c|^2 + regularisation * |W|^2.

    From sums over rows: with means m and q of phi and Y, (A - N m m^T + lambda) W^T = B - N m q^T,
    c = q - W m.

    Args:
        features_ND: phi, the inputs of the head for each row.
        labels_N: the class of each row; Y [N, C] has a one in its place and zeros elsewhere.
        classes: C.
        regularisation: lambda, in the units of phi squared.
        intercept: whether there is a c; without it, it is zero.
    """
    rows, width = features_ND.shape
    sums_DC = np.stack([features_ND[labels_N == label].sum(0) for label in range(classes)], axis=1)
    counts_C = np.bincount(labels_N, minlength=classes)
    mean_D, share_C = np.zeros(width), np.zeros(classes)
    if intercept:
        mean_D, share_C = features_ND.mean(0), counts_C / rows
    gram_DD = (
        features_ND.T @ features_ND
        - rows * np.outer(mean_D, mean_D)
        + regularisation * np.eye(width)
    )
    weight_DC = np.linalg.solve(gram_DD, sums_DC - rows * np.outer(mean_D, share_C))
    return weight_DC.T, share_C - mean_D @ weight_DC


def _sharpness(scores_NC: Floats, labels_N: npt.NDArray[np.int64]) -> float:
    """The factor s from 1 to SHARPEST with the least mean cross-entropy of softmax(s * scores):
    convex in s.
    """

    from scipy import optimize  # takes a quarter of a second, and only this start needs it

    def loss(log_s: float) -> float:
        scaled_NC = np.exp(log_s) * scores_NC
        own_N = scaled_NC[np.arange(len(labels_N)), labels_N]
        return float((special.logsumexp(scaled_NC, axis=1) - own_N).mean())

    found = optimize.minimize_scalar(loss, bounds=(0.0, float(np.log(SHARPEST))), method="bounded")
    return float(np.exp(found.x))


def _features(network: Network, params: Tree, inputs_N: Tensor, layer: str, batch: int) -> Floats:
    """What the head takes in, for every row [N, D], averaged over pixels where it is a 1x1
    convolution.
    """
    # A module draws weights when it is built; these are not used.
    with torch.random.fork_rng(devices=[]):
        module = network.build().to(network.dtype).eval()
    taken: list[Tensor] = []
    hook = module.get_submodule(layer).register_forward_pre_hook(
        lambda _, inputs: taken.append(inputs[0])
    )
    chunks = []
    try:
        with torch.no_grad():
            for first in range(0, len(inputs_N), batch):
                inputs_B = network.prepared(inputs_N[first : first + batch].to(network.device))
                outputs_BC = functional_call(module, params, (inputs_B.cpu(),))
                features_BD = taken.pop().flatten(2).mean(-1) if taken[-1].ndim > 2 else taken.pop()
                if not first:
                    _refuse_what_is_not_linear(layer, params, features_BD, outputs_BC, bool(taken))
                chunks.append(features_BD.double().numpy())
    finally:
        hook.remove()
    return np.concatenate(chunks)


def _refuse_other_heads(layer: str, params: Tree, task: Task) -> None:
    own = within(layer, params)
    if f"{layer}.weight" not in own or not set(own) <= {f"{layer}.weight", f"{layer}.bias"}:
        raise HeadstartError(
            "start head-first.head_layer: expected a layer with a weight and at most a bias, got "
            f"{layer!r} with {some(own) or 'no parameters'}"
        )
    targets = task.train.targets
    if targets.ndim != 1 or targets.is_floating_point():
        raise HeadstartError(
            f"the start head-first fits one class a row, but task {task.name!r} has targets of "
            f"shape {list(targets.shape[1:])} ({targets.dtype}); train it by rounds instead "
            "(rounds=10)"
        )


def _refuse_what_is_not_linear(
    layer: str, params: Tree, features_BD: Tensor, outputs: Tensor, again: bool
) -> None:
    """Hold the model's outputs to the head's weights on what it takes in."""
    weight_CD = params[f"{layer}.weight"].flatten(1)
    linear = (
        not again
        and weight_CD.shape[1] == features_BD.shape[1]
        and outputs.shape == (len(outputs), len(weight_CD))
    )
    if linear:
        expected = nn.functional.linear(features_BD, weight_CD, params.get(f"{layer}.bias"))
        tolerance = 1e-3 * float(expected.abs().max()) + 1e-6
        linear = torch.allclose(outputs, expected, rtol=0.0, atol=tolerance)
    if not linear:
        raise HeadstartError(
            "the start head-first fits a linear head whose outputs are the model's, which those "
            f"of {layer!r} are not; name another layer (head_layer), or train it by rounds "
            "instead (rounds=10)"
        )
