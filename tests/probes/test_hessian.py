"""Products against the dense Hessian, for each kind of layer that makes them hard."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.func import functional_call
from torch.nn.attention import SDPBackend, sdpa_kernel

from headstart.errors import HeadstartError
from headstart.models.network import MODELS, Network
from headstart.probes.hessian import Hessian, refuse_asymmetric
from headstart.tasks.base import Examples, Scores, classification


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Convolutions(nn.Module):
    """3 x 3 convolutions with normalisation, pooling and dropout, which evaluation leaves out."""

    def __init__(self) -> None:
        super().__init__()
        first, second = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 2, 2, stride=2)
        self.layers = nn.Sequential(
            first,
            nn.GroupNorm(3, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(),
            second,
            nn.Flatten(),
            nn.Linear(2, 3),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(x)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(2, 3, num_layers=2, batch_first=True)
        self.head = nn.Linear(3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0])


class Attention(nn.Module):
    """Causal attention as GPT-2 calls it, whose fused kernel has no second derivative."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.norm, self.head = nn.Linear(4, 12), nn.LayerNorm(4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unsqueeze(1).chunk(3, -1)
        mixed = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True).squeeze(1)
        return self.head(nn.functional.gelu(self.norm(x + mixed)))


def tokens(logits: Tensor, labels: Tensor) -> Scores:
    """The loss of rows of text: a sum over positions, of which each row here counts one to four
    (label -1: none).
    """
    real = labels >= 0
    loss = -logits.log_softmax(-1).gather(-1, labels.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return Scores((loss * real).sum(-1), torch.zeros(len(labels)), real.sum(-1).to(loss.dtype))


IMAGES = Examples(numbers(7, 1, 6, 6), torch.tensor([0, 1, 2, 0, 1, 2, 2]))
TEXT = Examples(
    numbers(5, 4, 2, seed=1),
    torch.tensor([[0, 1, 2, 1], [2, 2, -1, -1], [1, -1, -1, -1], [0, 0, 0, -1], [2, 1, 0, 1]]),
)
WIDE = Examples(numbers(5, 4, 4, seed=2), TEXT.targets)
CASES = {
    "convolutions": (Convolutions, IMAGES, classification),
    "recurrent": (Recurrent, TEXT, tokens),
    "attention": (Attention, WIDE, tokens),
}


def loss(
    network: Network, examples: Examples, objective: Callable[..., Scores]
) -> tuple[Callable[..., Tensor], Tensor]:
    """The mean over all that the rows predict, in one piece, as a function of one vector;
    and a point of it.
    """
    x, module = network.initial(3), network.build().double().eval()

    def mean(flat: Tensor) -> Tensor:
        parts = flat.split([leaf.numel() for leaf in x.values()])
        leaves = {
            name: part.view_as(leaf) for (name, leaf), part in zip(x.items(), parts, strict=True)
        }
        scores = objective(functional_call(module, leaves, (examples.inputs,)), examples.targets)
        return scores.loss_B.sum() / scores.count_B.sum()

    return mean, torch.cat([leaf.flatten() for leaf in x.values()])


def by_differences(mean: Callable[..., Tensor], flat: Tensor) -> Tensor:
    """The dense Hessian by central differences of the gradient:
    it shares nothing with a second derivative.
    """

    def gradient(point: Tensor) -> Tensor:
        point = point.detach().requires_grad_()
        (found,) = torch.autograd.grad(mean(point), point)
        return found

    h = 1e-5
    steps = torch.eye(len(flat), dtype=flat.dtype) * h
    return torch.stack(
        [(gradient(flat + step) - gradient(flat - step)) / (2 * h) for step in steps]
    )


def forward_over_reverse(mean: Callable[..., Tensor], flat: Tensor) -> Tensor:
    """The dense Hessian a column at a time; there is no rule for the LSTM.

    `torch.func.hessian` maps over the columns, and that is wrong by 0.05 for the weight of
    LayerNorm in torch 2.13.0.
    """
    with sdpa_kernel(SDPBackend.MATH):
        basis = torch.eye(len(flat), dtype=flat.dtype)
        return torch.stack([torch.func.jvp(torch.func.grad(mean), (flat,), (v,))[1] for v in basis])


def columns(hessian: Hessian, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.stack([hessian(v) for v in torch.eye(hessian.size, dtype=dtype)])


@pytest.mark.parametrize("case", CASES)
def test_products_are_those_of_the_dense_hessian(case: str) -> None:
    build, examples, objective = CASES[case]
    network = Network(build, torch.float64)
    found = columns(Hessian(network, objective, examples, network.initial(3)))
    assert found == pytest.approx(by_differences(*loss(network, examples, objective)), abs=1e-8)
    assert found == pytest.approx(found.T, abs=1e-12)


@pytest.mark.parametrize("case", ["convolutions", "attention"])
def test_products_are_those_of_torch_func(case: str) -> None:
    build, examples, objective = CASES[case]
    network = Network(build, torch.float64)
    expected = forward_over_reverse(*loss(network, examples, objective))
    found = columns(Hessian(network, objective, examples, network.initial(3)))
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_single_precision_uses_fused_kernels_rightly(case: str) -> None:
    """torch's fused LSTM exists in single precision only."""
    build, examples, objective = CASES[case]
    single, double = Network(build), Network(build, torch.float64)
    found = columns(Hessian(single, objective, examples, single.initial(3)), torch.float32)
    expected = columns(Hessian(double, objective, examples, single.initial(3)))
    assert found.double() == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("case", CASES)
def test_batches_and_kept_graphs_change_nothing(case: str) -> None:
    build, examples, objective = CASES[case]
    network = Network(build, torch.float64)
    x = network.initial(3)
    v = numbers(sum(leaf.numel() for leaf in x.values()), seed=4)
    whole = Hessian(network, objective, examples, x)
    assert whole.kept_rows == len(examples)
    none_kept = Hessian(network, objective, examples, x, batch=2, memory=0.0)
    assert none_kept.kept_rows == 0
    for hessian in (none_kept, Hessian(network, objective, examples, x, batch=3), whole):
        assert hessian(v) == pytest.approx(whole(v), abs=1e-14)


def test_memory_is_a_limit_on_what_graphs_hold() -> None:
    network = Network(Convolutions, torch.float64)
    x = network.initial(3)
    everything = Hessian(network, classification, IMAGES, x, batch=1)
    one = everything._graph(Examples(IMAGES.inputs[:1].clone(), IMAGES.targets[:1].clone())).held
    assert one > 8 * 3 * 4 * 4  # at least the outputs of the first convolution
    assert Hessian(network, classification, IMAGES, x, batch=1, memory=3.5 * one).kept_rows == 3


def test_a_linear_loss_does_not_bend() -> None:
    network = Network(lambda: nn.Linear(2, 3), torch.float64)

    def total(outputs: Tensor, targets: Tensor) -> Scores:
        return Scores(outputs.sum(-1), torch.zeros(len(targets)), torch.ones(len(targets)))

    hessian = Hessian(network, total, Examples(numbers(4, 2), torch.zeros(4)), network.initial(0))
    assert columns(hessian).abs().max() == 0


class OnceUnlessUnfused(torch.autograd.Function):
    """A square that refuses a second derivative as cuDNN's recurrent kernels do:
    while cuDNN is on.
    """

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        if torch.backends.cudnn.enabled:
            return Refuses.apply(g)
        return 2 * ctx.saved_tensors[0] * g


class Refuses(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, g: Any) -> Any:
        return g.clone()

    @staticmethod
    def backward(ctx: Any, g: Any) -> None:
        raise RuntimeError("the derivative for '_cudnn_rnn_backward' is not implemented")


class Fused(nn.Module):
    def __init__(self, unless_unfused: bool) -> None:
        super().__init__()
        self.layer, self.function = (
            nn.Linear(2, 3),
            OnceUnlessUnfused if unless_unfused else Refuses,
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.function.apply(self.layer(x))


class Plain(Fused):
    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) ** 2


def test_a_fused_kernel_that_refuses_is_left_out() -> None:
    examples = Examples(numbers(4, 2), torch.tensor([0, 1, 2, 2]))
    fused, plain = (
        Network(lambda: Fused(True), torch.float64),
        Network(lambda: Plain(True), torch.float64),
    )
    hessian, expected = (
        Hessian(n, classification, examples, plain.initial(0)) for n in (fused, plain)
    )
    assert (hessian.unfused, expected.unfused) == (True, False)
    assert columns(hessian) == pytest.approx(columns(expected), abs=1e-14)
    assert torch.backends.cudnn.enabled


def test_no_second_derivative_is_one_line() -> None:
    network = Network(lambda: Fused(False), torch.float64)
    examples = Examples(numbers(4, 2), torch.tensor([0, 1, 2, 2]))
    with pytest.raises(
        HeadstartError, match=r"^curvature: .*no second derivative \(.*\); leave .* out$"
    ):
        Hessian(network, classification, examples, network.initial(0))


class SquareOnce(torch.autograd.Function):
    """Its backward pass is no function of the weights to autograd, and says nothing of it."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        (x,) = ctx.saved_tensors
        return 2 * x * g


class Once(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(2, 4), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(SquareOnce.apply(self.first(x)))


def test_a_second_derivative_that_is_silently_left_out_is_noticed() -> None:
    network = Network(Once, torch.float64)
    examples = Examples(numbers(4, 2), torch.tensor([0, 1, 2, 2]))
    with pytest.raises(
        HeadstartError, match=r"no second derivative \(its Hessian is not symmetric.*\); leave"
    ):
        refuse_asymmetric(network, classification, examples)
    refuse_asymmetric(Network(lambda: Plain(True), torch.float64), classification, examples)


@pytest.mark.parametrize("model", ["mlp", "small-cnn", "squeezenet1_0", "resnet18", "cnn"])
def test_networks_of_images_are_symmetric_in_single_precision(model: str) -> None:
    shape = (3, 32, 32)
    network = Network(lambda: MODELS.build(MODELS.component(model), shape, 10))
    examples = Examples(numbers(2, *shape).float(), torch.tensor([0, 1]))
    refuse_asymmetric(network, classification, examples)


@pytest.mark.slow
def test_products_with_gpt2_are_those_of_forward_over_reverse() -> None:
    transformers = pytest.importorskip("transformers", reason="needs the extra 'text'")
    config = transformers.GPT2Config(
        vocab_size=5, n_positions=4, n_embd=4, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0
    )

    class Gpt2(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = transformers.GPT2LMHeadModel(config)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x, use_cache=False).logits

    rows = Examples(
        torch.tensor([[0, 3, 1, 4], [2, 2, 0, 1]]), torch.tensor([[3, 1, 4, 2], [2, 0, 1, -1]])
    )
    network = Network(Gpt2, torch.float64)
    hessian = Hessian(network, tokens, rows, network.initial(3))
    mean, flat = loss(network, rows, tokens)
    with sdpa_kernel(SDPBackend.MATH):
        for seed in range(3):
            v = numbers(hessian.size, seed=seed)
            _, expected = torch.func.jvp(torch.func.grad(mean), (flat,), (v,))  # type: ignore[misc]
            assert hessian(v) == pytest.approx(expected, abs=1e-9)
