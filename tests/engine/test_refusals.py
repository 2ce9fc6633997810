"""What cannot be computed here is one line, before any training."""

from dataclasses import replace

import pytest
import torch
from tests.engine.conftest import FEATURES, Small
from torch import Tensor, nn

from headstart import machine
from headstart.engine.refusals import check_device, check_network, check_plan
from headstart.errors import HeadstartError
from headstart.models.network import Network


def test_what_fits_is_let_through(small: Small) -> None:
    federation = small.federation()
    check_network(federation.network, small.task)
    check_plan(federation.schedule, small.clients)
    check_device("cpu")


@pytest.mark.parametrize("device", ["meta", "warp", "cpu:1"])
def test_a_device_that_torch_cannot_use_is_named(device: str) -> None:
    with pytest.raises(HeadstartError, match=f"^device: torch cannot use '{device}' here"):
        check_device(device)


def test_a_loss_that_does_not_take_the_outputs_is_named(small: Small) -> None:
    def objective(outputs: Tensor, targets: Tensor) -> Tensor:
        raise ValueError("expected pairs")

    wrong = r"task 'small': its loss does not take outputs of shape \[2, 3\].*: expected pairs"
    with pytest.raises(HeadstartError, match=wrong):
        check_network(small.network(), replace(small.task, objective=objective))  # type: ignore[arg-type]


class Rounded(nn.Linear):
    """Its outputs pass through a function that has no gradient."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x) * torch.from_numpy(super().forward(x).numpy())


def test_a_model_without_a_gradient_is_named(small: Small) -> None:
    network = Network(lambda: Rounded(FEATURES, 3), torch.float64)
    wrong = rf"the model has no gradient on inputs of shape \[2, {FEATURES}\]"
    with pytest.raises(HeadstartError, match=wrong):
        check_network(network, small.task)


def test_a_round_that_memory_cannot_hold_is_counted(
    small: Small, monkeypatch: pytest.MonkeyPatch
) -> None:
    """32 bytes for each of 4 clients, 1,000 epochs and 18 rows: 2.3 MB, of which half are had."""
    schedule = replace(small.federation().schedule, local_epochs=1000)
    monkeypatch.setattr(machine, "memory", lambda: 2 * 32 * 4 * 1000 * 18)
    check_plan(schedule, small.clients)
    monkeypatch.setattr(machine, "memory", lambda: 2 * 32 * 4 * 1000 * 18 - 2)
    with pytest.raises(HeadstartError, match=r"^local_epochs: a round of 4 clients with up to 18"):
        check_plan(schedule, small.clients)
