"""A module becomes a function of its parameters; what clients could not share or repeat is refused."""

import copy
import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from headstart.errors import HeadstartError
from headstart.models.conversion.group_norm import to_group_norm
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


class Twice(nn.Module):
    """One dropout layer, used two times."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, inputs: Tensor) -> Tensor:
        return torch.cat([self.drop(inputs), self.drop(inputs)], -1)


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
    single, double = (Network(lambda: nn.Linear(4, 3), dtype).initial(1) for dtype in (torch.float32, torch.float64))
    assert all(torch.equal(single[name].double(), double[name]) for name in single)


def test_the_users_module_stays_as_it_is() -> None:
    module = nn.Sequential(nn.Linear(4, 3), nn.Dropout(0.5))
    Network(lambda: module, torch.float64)
    assert type(module[1]) is nn.Dropout
    assert module[0].weight.requires_grad
    assert module[0].weight.dtype == torch.float32


def test_nested_dropout_layers_are_told_apart_and_follow_the_key() -> None:
    network = Network(lambda: nn.Sequential(nn.Sequential(nn.Dropout(0.5)), nn.Sequential(nn.Dropout(0.5))))
    one_layer = Network(lambda: nn.Sequential(nn.Sequential(nn.Dropout(0.5))))
    ones = torch.ones(64, 64)
    twice, once = network({}, ones, KEY) != 0, one_layer({}, ones, KEY) != 0
    assert torch.equal(twice & once, twice)  # the first layer draws the same in both networks
    assert twice.double().mean().item() == pytest.approx(0.25, abs=4.9 * (0.25 * 0.75) ** 0.5 / 64)
    assert not torch.equal(twice, network({}, ones, KEY + 1) != 0)


def test_a_bare_dropout_follows_the_key() -> None:
    network = Network(lambda: nn.Dropout(0.5))
    ones = torch.ones(64, 64)
    assert torch.equal(network({}, ones, KEY), network({}, ones, KEY))
    agreeing = (network({}, ones, KEY) == network({}, ones, KEY + 1)).double().mean().item()
    assert agreeing == pytest.approx(0.5, abs=4.9 * 0.5 / 64)


def test_a_layer_used_twice_draws_twice_and_the_same_in_the_next_pass() -> None:
    network = Network(Twice)
    outputs = network({}, torch.ones(64, 64), KEY)
    agreeing = (outputs[:, :64] == outputs[:, 64:]).double().mean().item()
    assert agreeing == pytest.approx(0.5, abs=4.9 * 0.5 / 64)
    assert torch.equal(outputs, network({}, torch.ones(64, 64), KEY))


def test_a_dropout_layer_under_two_names_is_replaced_under_both() -> None:
    def build() -> nn.Module:
        shared = nn.Dropout(0.5)
        return nn.Sequential(nn.Linear(4, 3), shared, nn.Linear(3, 3), shared)

    network = Network(build)
    network.check(INPUTS, 3)
    params = network.initial(0)
    assert torch.equal(network(params, INPUTS, KEY), network(params, INPUTS, KEY))


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
    (got,) = torch.autograd.grad(network({"encoder.weight": weight}, INPUTS, KEY).square().sum(), weight)
    expected = (torch.tanh(INPUTS.double() @ weight.T) @ weight.T).square().sum()
    torch.testing.assert_close(got, torch.autograd.grad(expected, weight)[0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(
    "mixing",
    [lambda h: h - h.mean(0), lambda h: h / h.abs().max(), lambda h: h + h.flip(0), lambda h: h.softmax(0)],
)
def test_rows_that_depend_on_the_rows_beside_them_are_refused(mixing: Callable[[Tensor], Tensor]) -> None:
    """Executors pad batches, and would not agree."""
    assert "depends on the rows beside it" in refusal(lambda: Forward(mixing))
    assert "depends on the rows beside it" in refusal(lambda: nn.Sequential(Forward(mixing), nn.Dropout(0.5)))


def test_rows_that_do_not_are_taken() -> None:
    Network(lambda: nn.Sequential(nn.Linear(4, 64), nn.LayerNorm(64), nn.Softmax(-1), nn.Linear(64, 3))).check(
        INPUTS, 3
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_inputs_that_are_not_finite_are_called_so(value: float) -> None:
    inputs = INPUTS.clone()
    inputs[1, 2] = value
    assert "not finite" in refusal(lambda: nn.Linear(4, 3), inputs)


@pytest.mark.parametrize("bare", [False, True])
def test_batch_norm_is_refused_with_the_offer_to_convert(bare: bool) -> None:
    def build() -> nn.Module:
        return nn.BatchNorm1d(4) if bare else nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.BatchNorm1d(3)))

    with pytest.raises(HeadstartError, match=r"BatchNorm .*to_group_norm\(module, groups=2\)"):
        Network(build)
    Network(lambda: to_group_norm(build(), groups=1)).check(INPUTS, 4 if bare else 3)


def test_conversion_keeps_the_affine_weights_and_normalises_each_sample() -> None:
    norm = nn.BatchNorm2d(6, eps=1e-3).double()
    with torch.no_grad():
        norm.weight.copy_(torch.arange(1.0, 7.0))
        norm.bias.copy_(torch.arange(6.0))
    module = to_group_norm(nn.Sequential(nn.Conv2d(1, 6, 1).double(), norm, nn.ReLU(), norm), groups=4)
    assert isinstance(module[1], nn.GroupNorm)  # type: ignore[index]
    assert isinstance(module[3], nn.GroupNorm)  # type: ignore[index]  # a layer used under two names
    assert module[1].num_groups == 3  # type: ignore[index]  # the largest divisor of 6 that is not above 4
    images = torch.randn(2, 6, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    grouped = images.reshape(2, 3, -1)
    deviation = (grouped.var(-1, correction=0, keepdim=True) + 1e-3).sqrt()
    normal = ((grouped - grouped.mean(-1, keepdim=True)) / deviation).reshape(images.shape)
    expected = normal * torch.arange(1.0, 7.0)[:, None, None] + torch.arange(6.0)[:, None, None]
    torch.testing.assert_close(module[1](images), expected, rtol=1e-12, atol=1e-12)  # type: ignore[index]


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
    assert "returns tuple, expected one tensor" in refusal(lambda: Forward(lambda hidden: (hidden, hidden)))


def test_inputs_that_do_not_fit_are_refused_with_their_shape() -> None:
    assert "inputs of shape [6, 4]" in refusal(lambda: nn.Linear(5, 3))


def test_lazy_layers_are_refused() -> None:
    assert "the parameter '0.weight' has no shape" in refusal(lambda: nn.Sequential(nn.LazyLinear(3)))


class Frozen(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 2)
        self.weight.requires_grad_(False)


@pytest.mark.parametrize(
    ("build", "line"),
    [
        (lambda: 3, "the model is int, expected a torch.nn.Module"),
        (Frozen, "the parameter 'weight' is frozen (requires_grad=False), but `trainable` says what is trained"),
        (lambda: nn.Linear(3, 2, dtype=torch.complex64), "the parameter 'weight' is of torch.complex64, expected"),
    ],
)
def test_what_cannot_be_trained_is_refused(build: Callable[[], Any], line: str) -> None:
    with pytest.raises(HeadstartError) as caught:
        Network(build)
    assert str(caught.value).startswith(line)


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(HeadstartError, match=r"^the model has no parameters to train$"):
        Network(nn.Identity).check(torch.zeros(2, 3), 3)


class Undefined(nn.Linear):
    """A layer whose weights nobody drew."""

    def reset_parameters(self) -> None:
        nn.init.constant_(self.weight, float("nan"))


class Failing(torch.autograd.Function):
    """A function that has no gradient."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return 2 * x


class OnlyForward(nn.Linear):
    """A layer with that function."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return Failing.apply(super().forward(x))


REFUSED = {
    "nan": (lambda: Undefined(3, 2, bias=False), "the parameter 'weight' of the newly built model has values that"),
    "meta": (lambda: nn.Linear(3, 2, device="meta"), "the parameter 'weight' is on the device 'meta', where"),
    "counting": (
        lambda: nn.Sequential(nn.Embedding(5, 2, scale_grad_by_freq=True)),
        "the embedding '0' has scale_grad_by_freq=True",
    ),
    "memory": (lambda: nn.Linear(64, 10**11), "this machine has not enough memory for 23,841.9 GiB at once; choose"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_trained_gets_one_line(name: str) -> None:
    build, line = REFUSED[name]
    with pytest.raises(HeadstartError, match=re.escape(line)) as refused:
        Network(build).check(torch.zeros(2, 3), 2)
    assert "\n" not in str(refused.value)


def test_a_parameter_that_changes_in_the_forward_pass_is_refused() -> None:
    network = Network(lambda: nn.Sequential(nn.Embedding(5, 2, max_norm=0.1), nn.Flatten()))
    with pytest.raises(HeadstartError, match=r"the model changes its parameter '0\.weight' in its forward pass"):
        network.check(torch.tensor([[0], [1]]), 2)


def test_a_compiled_module_is_taken_as_it_was() -> None:
    module = nn.Linear(3, 2)
    network = Network(lambda: torch.compile(module))  # type: ignore[arg-type, return-value]
    assert list(network.initial(0)) == ["weight", "bias"]


def test_bad_conversions_to_group_norm_get_one_line() -> None:
    with pytest.raises(HeadstartError, match=r"^groups: expected a whole number >= 1, got 0$"):
        to_group_norm(nn.BatchNorm2d(4), groups=0)
    with pytest.raises(HeadstartError, match=r"^LazyBatchNorm2d has no channels before the first input arrives"):
        to_group_norm(nn.Sequential(nn.LazyBatchNorm2d()))
