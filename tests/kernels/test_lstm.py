"""The fused LSTM is torch's own: outputs, gradients, under vmap and where steps are recorded."""

import copy

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from headstart.kernels.lstm import FusedLSTM
from headstart.kernels.recorded import Traced
from headstart.trees import Tree

T, B, D, H = 5, 3, 4, 6


@pytest.fixture(params=[1, 2])
def pair(request: pytest.FixtureRequest) -> tuple[FusedLSTM, nn.LSTM]:
    torch.manual_seed(0)
    fused = FusedLSTM(D, H, request.param)
    plain = nn.LSTM(D, H, request.param, batch_first=True)
    plain.load_state_dict(fused.state_dict())
    return fused.train(), plain.train()


def inputs() -> Tensor:
    return torch.randn(B, T, D, generator=torch.Generator().manual_seed(1))


def loss_of(module: nn.Module, params: Tree, x: Tensor) -> Tensor:
    h, _ = functional_call(module, params, (x,))
    loss: Tensor = (h * torch.arange(1.0, T + 1)[:, None]).square().sum()
    return loss


def params_of(module: nn.Module) -> Tree:
    return {name: leaf.detach() for name, leaf in module.named_parameters()}


def test_outputs_and_gradients_are_those_of_torch(pair: tuple[FusedLSTM, nn.LSTM]) -> None:
    fused, plain = pair
    x = inputs()
    assert torch.allclose(fused(x)[0], plain(x)[0], atol=1e-6)
    ours = grad(lambda p: loss_of(fused, p, x))(params_of(fused))
    loss_of(plain, dict(plain.named_parameters()), x).backward()  # type: ignore[no-untyped-call]
    for name, leaf in plain.named_parameters():
        assert leaf.grad is not None
        assert torch.allclose(ours[name], leaf.grad, rtol=1e-4, atol=1e-4), name


def test_clients_have_the_gradients_that_each_has_alone(pair: tuple[FusedLSTM, nn.LSTM]) -> None:
    fused, _ = pair
    params = params_of(fused)
    x_K = torch.stack([inputs(), 2 * inputs()])
    gradient = grad(lambda p, x: loss_of(fused, p, x))
    together = vmap(gradient, in_dims=(None, 0))(params, x_K)
    for k in range(2):
        alone = gradient(params, x_K[k])
        for name, leaf in alone.items():
            assert torch.allclose(together[name][k], leaf, rtol=1e-4, atol=1e-4), name


def test_a_recorded_step_is_the_kernel(pair: tuple[FusedLSTM, nn.LSTM]) -> None:
    fused, _ = pair
    params, x = params_of(fused), inputs()

    def step(p: Tree, x: Tensor) -> tuple[Tree]:
        return (grad(lambda p: loss_of(fused, p, x))(p),)

    (replayed,) = Traced(step)(params, x)
    (written,) = step(params, x)
    for name, leaf in written.items():
        assert torch.allclose(replayed[name], leaf, rtol=1e-5, atol=1e-5), name


def test_evaluation_and_float64_are_torchs_own_layer(pair: tuple[FusedLSTM, nn.LSTM]) -> None:
    fused, _ = pair
    x = inputs()
    assert fused(x)[1] is None
    h, (last, _) = fused.eval()(x)
    assert torch.equal(last[-1], h[:, -1])
    double = copy.deepcopy(fused).double().train()
    assert double(x.double())[1] is not None
