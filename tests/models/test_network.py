"""A module becomes a function of its parameters; what clients could not share or repeat is
refused.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from headstart.errors import HeadstartError
from headstart.models.network import Network

INPUTS = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))


KEY = torch.tensor(11, dtype=torch.int32)


class Forward(nn.Module):
    """A linear layer and whatever a test does with its output."""

    def __init__(self, function: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.linear, self.function = nn.Linear(4, 3), function

    def forward(self, inputs: Tensor) -> Any:
        return self.function(self.linear(inputs))


class Doubled(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.mul_(2)


class Counting(nn.Module):
    """Changes a buffer, in place or by assignment."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self.linear, self.in_place = nn.Linear(4, 3), in_place
        self.register_buffer("seen", torch.zeros(()))

    def forward(self, inputs: Tensor) -> Tensor:
        if self.in_place:
            self.seen += 1  # type: ignore[has-type]
        else:
            self.seen = self.seen + 1  # type: ignore[has-type]
        return self.linear(inputs)


class Tied(nn.Module):
    """An encoder and a decoder with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False)
        self.decoder.weight = self.encoder.weight

    def forward(self, inputs: Tensor) -> Tensor:
        return self.decoder(torch.tanh(self.encoder(inputs)))


def refusal(build: Callable[[], nn.Module], inputs: Tensor = INPUTS, outputs: int = 3) -> str:
    with pytest.raises(HeadstartError) as caught:
        Network(build).check(inputs, outputs)
    return str(caught.value)


def test_it_computes_what_the_module_computes() -> None:
    module = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    network = Network(lambda: module)
    params = {name: leaf.detach() for name, leaf in module.named_parameters()}
    assert torch.equal(network(params, INPUTS), module(INPUTS))
    assert torch.equal(network(params, INPUTS, KEY), module(INPUTS))


def test_initial_is_pure_and_leaves_the_global_generator() -> None:
    network = Network(lambda: nn.Linear(4, 3))
    state = torch.get_rng_state()
    first = network.initial(5)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(17)
    again = network.initial(5)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["weight"], network.initial(6)["weight"])


def test_check_leaves_the_global_generator() -> None:
    state = torch.get_rng_state()
    refusal(lambda: Forward(dropout))
    assert torch.equal(torch.get_rng_state(), state)


def test_initial_weights_in_float64_are_those_in_float32() -> None:
    single, double = (
        Network(lambda: nn.Linear(4, 3), dtype).initial(1)
        for dtype in (torch.float32, torch.float64)
    )
    assert all(torch.equal(single[name].double(), double[name]) for name in single)


def test_the_users_module_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
    Network(lambda: module, torch.float64)
    assert type(module[1]) is nn.Dropout
    assert module[0].weight.requires_grad
    assert module[0].weight.dtype == torch.float32


def test_a_copy_computes_the_same_and_shares_nothing() -> None:
    network = Network(lambda: nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5)))
    clone, params = copy.deepcopy(network), network.initial(0)
    assert torch.equal(clone(params, INPUTS, KEY), network(params, INPUTS, KEY))
    assert clone._training is not network._training
    assert clone._dropouts[0] is clone._training[1]  # type: ignore[index]


def test_tied_weights_are_one_parameter_with_the_gradients_of_both_uses() -> None:
    network = Network(Tied, torch.float64)
    network.check(INPUTS, 4)
    params = network.initial(0)
    assert set(params) == {"encoder.weight"}
    weight = params["encoder.weight"].requires_grad_()
    (got,) = torch.autograd.grad(
        network({"encoder.weight": weight}, INPUTS, KEY).square().sum(), weight
    )
    expected = (torch.tanh(INPUTS.double() @ weight.T) @ weight.T).square().sum()
    torch.testing.assert_close(
        got, torch.autograd.grad(expected, weight)[0], rtol=1e-13, atol=1e-13
    )


@pytest.mark.parametrize(
    "mixing",
    [
        lambda h: h - h.mean(0),
        lambda h: h / h.abs().max(),
        lambda h: h + h.flip(0),
        lambda h: h.softmax(0),
    ],
)
def test_rows_that_depend_on_the_rows_beside_them_are_refused(
    mixing: Callable[[Tensor], Tensor],
) -> None:
    """Executors pad batches, and would not agree."""
    assert "depends on the rows beside it" in refusal(lambda: Forward(mixing))
    assert "depends on the rows beside it" in refusal(
        lambda: nn.Sequential(Forward(mixing), nn.Dropout(0.5))
    )


def test_rows_that_do_not_are_taken() -> None:
    Network(
        lambda: nn.Sequential(nn.Linear(4, 64), nn.LayerNorm(64), nn.Softmax(-1), nn.Linear(64, 3))
    ).check(INPUTS, 3)


def test_a_model_that_changes_its_inputs_is_refused_and_they_stay() -> None:
    before = INPUTS.clone()
    assert "the model changes its inputs in its forward pass" in refusal(
        lambda: nn.Sequential(Doubled(), nn.Linear(4, 3))
    )
    assert torch.equal(INPUTS, before)


def test_outputs_that_are_not_a_number_are_refused() -> None:
    assert "the model's output is NaN at the weights" in refusal(
        lambda: Forward(lambda h: (h - h) / (h - h))
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_inputs_that_are_not_finite_are_called_so(value: float) -> None:
    inputs = INPUTS.clone()
    inputs[1, 2] = value
    assert "not finite" in refusal(lambda: nn.Linear(4, 3), inputs)


@pytest.mark.parametrize("in_place", [True, False])
def test_a_module_that_changes_a_buffer_is_refused(in_place: bool) -> None:
    assert "changes the buffer 'seen' in training" in refusal(lambda: Counting(in_place))


@pytest.mark.parametrize(
    "noise",
    [
        dropout,
        lambda hidden: dropout(hidden, 1e-6),  # drops nothing in so few rows: seen by what it draws
        lambda hidden: hidden + torch.randn_like(hidden),
        nn.AlphaDropout(0.5),
    ],
)
def test_randomness_in_the_forward_pass_is_refused(noise: Callable[[Tensor], Tensor]) -> None:
    assert "random in its forward pass" in refusal(lambda: Forward(noise))


def test_outputs_that_do_not_fit_are_refused_with_both_widths() -> None:
    message = refusal(lambda: nn.Linear(4, 7))
    assert "expected [6, 3]" in message
    assert "got [6, 7]" in message
    assert "got [6]" in refusal(lambda: Forward(lambda hidden: hidden[:, 0]))
    assert "got []" in refusal(lambda: Forward(torch.sum))
    assert "returns tuple, expected one tensor" in refusal(
        lambda: Forward(lambda hidden: (hidden, hidden))
    )


def test_inputs_that_do_not_fit_are_refused_with_their_shape() -> None:
    assert "inputs of shape [6, 4]" in refusal(lambda: nn.Linear(5, 3))


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(HeadstartError, match=r"^the model has no parameters to train$"):
        Network(nn.Identity).check(torch.zeros(2, 3), 3)


def test_a_parameter_that_changes_in_the_forward_pass_is_refused() -> None:
    network = Network(lambda: nn.Sequential(nn.Embedding(5, 2, max_norm=0.1), nn.Flatten()))
    with pytest.raises(
        HeadstartError, match=r"the model changes its parameter '0\.weight' in its forward pass"
    ):
        network.check(torch.tensor([[0], [1]]), 2)


def test_a_compiled_module_is_taken_as_it_was() -> None:
    module = nn.Linear(3, 2)
    network = Network(lambda: torch.compile(module))  # type: ignore[arg-type, return-value]
    assert list(network.initial(0)) == ["weight", "bias"]
