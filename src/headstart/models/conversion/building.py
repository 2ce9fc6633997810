"""How a module is built from a seed, where it is placed, and what its tensors are called."""

from collections.abc import Callable
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from headstart.errors import HeadstartError, as_memory


def built(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a module whose weights are a function of the seed.

    Torch's layers draw from the global generator, so it is set and put back here, and only here. Of
    the CPU's generator only: `torch.manual_seed` would also set those of accelerators, which
    nothing puts back.

    Raises:
        HeadstartError: what was built is no module.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            module: object = build()
        except (MemoryError, RuntimeError) as error:
            raise as_memory(error) or error from None
    # Executors compile by themselves, so what torch.compile was given is taken.
    module = getattr(module, "_orig_mod", module)
    if not isinstance(module, nn.Module):
        raise HeadstartError(f"the model is {type(module).__name__}, expected a torch.nn.Module")
    _refuse_itself_inside(module, ())
    return module


def _refuse_itself_inside(module: nn.Module, around: tuple[nn.Module, ...]) -> None:
    """Refuse a module that is a part of itself: its state dict would have no end."""
    if any(module is outer for outer in around):
        raise HeadstartError(
            f"the model has a {type(module).__name__} that is a part of itself; register it once"
        )
    for child in module.children():
        _refuse_itself_inside(child, (*around, module))


def placed(module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """Put a module on a device, with its real numbers in a type.

    `Module.to` would cut complex numbers to real ones.
    """

    def convert(leaf: Tensor) -> Tensor:
        return leaf.to(device, dtype if leaf.is_floating_point() else leaf.dtype)

    return cast(nn.Module, module._apply(convert))  # type: ignore[no-untyped-call]


class TensorNames(NamedTuple):
    """The names of what a module saves.

    `order` has all names in the order of its `state_dict`, `buffers` those of buffers among them;
    `tied` leads from the second name of a tensor to its first. A parameter's first name is the one
    that it has among the module's parameters.
    """

    order: tuple[str, ...]
    buffers: tuple[str, ...]
    tied: dict[str, str]

    @classmethod
    def of(cls, module: nn.Module) -> "TensorNames":
        """Read the names off a module."""
        first_names = {id(leaf): name for name, leaf in module.named_parameters()}
        known_buffers = dict(module.named_buffers(remove_duplicate=False))
        order: list[str] = []
        buffers: list[str] = []
        tied: dict[str, str] = {}
        for name, leaf in module.state_dict(keep_vars=True).items():
            if not isinstance(leaf, Tensor):
                continue
            if id(leaf) not in first_names:
                if name not in known_buffers:
                    continue
                first_names[id(leaf)] = name
                buffers.append(name)
            first = first_names[id(leaf)]
            if first != name:
                tied[name] = first
            order.append(name)
        return cls(tuple(order), tuple(buffers), tied)
