"""A module as a function of its parameters, fit to be trained by many clients at once.

What would make clients depend on each other or on the order of computation is refused or replaced here, once:
BatchNorm (its statistics leak between clients), other buffers that change in training, and randomness in the
forward pass; dropout layers get masks that are a function of a key (`dropout`).
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from headstart import rng
from headstart.errors import HeadstartError
from headstart.models.dropout import KeyedDropout
from headstart.registry import Registry
from headstart.trees import Tree

MODELS: Registry[nn.Module] = Registry("model", "headstart.models")
"""Factories (input_shape, outputs, *, parameters) -> module."""

_DROPOUT: dict[type[nn.Module], bool] = {
    nn.Dropout: False,
    nn.Dropout1d: True,
    nn.Dropout2d: True,
    nn.Dropout3d: True,
}


class Network:
    """The function (parameters, inputs, key) -> outputs of a module.

    Args:
        build: makes a new module; its parameters are drawn from torch's generator, as torch's layers do.
        dtype: of parameters and inputs.

    Raises:
        HeadstartError: the module normalises over the batch, changes a buffer in training, or is random in a way
            that a key cannot repeat.
    """

    def __init__(self, build: Callable[[], nn.Module], dtype: torch.dtype = torch.float32) -> None:
        self.build, self.dtype = build, dtype
        module = _with_keyed_dropout(_built(build, seed=0).to(dtype))
        _refuse_batch_norm(module)
        module.requires_grad_(False)
        self._training = module.train()
        self._evaluating = copy.deepcopy(module).eval()
        self._keys = [f"{name}.key" for name, part in module.named_modules() if isinstance(part, KeyedDropout)]

    def initial(self, seed: int) -> Tree:
        """The parameters of a newly built module, a pure function of the seed."""
        module = _built(self.build, rng.key(seed, "initial weights")).to(self.dtype)
        return {name: leaf.detach().clone() for name, leaf in module.named_parameters()}

    def __call__(self, params: Tree, inputs: Tensor, key: Tensor | None = None) -> Tensor:
        """Outputs [B, ...] for inputs [B, ...]; with a key (int32 scalar) in training mode, else in evaluation."""
        if inputs.is_floating_point():
            inputs = inputs.to(self.dtype)
        if key is None:
            outputs = functional_call(self._evaluating, params, (inputs,))
        else:
            outputs = functional_call(self._training, {**params, **dict.fromkeys(self._keys, key)}, (inputs,))
        assert isinstance(outputs, Tensor)
        return outputs

    def check(self, inputs: Tensor, outputs: int) -> None:
        """Run the module on a few inputs and refuse what cannot be simulated faithfully.

        Raises:
            HeadstartError: the inputs do not fit, the outputs are not [B, outputs], a buffer changed, or two passes
                with the same key differ.
        """
        params, key = self.initial(0), torch.zeros((), dtype=torch.int32)
        buffers = {name: leaf.clone() for name, leaf in self._training.named_buffers()}
        try:
            first, second = self(params, inputs, key), self(params, inputs, key)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            reason = str(error).splitlines()[0]
            raise HeadstartError(f"the model does not take inputs of shape {list(inputs.shape)}: {reason}") from error
        if first.shape[0] != len(inputs) or first.shape[-1] != outputs:
            raise HeadstartError(
                f"the model's output does not fit the task: expected [{len(inputs)}, {outputs}] for "
                f"{len(inputs)} rows, got {list(first.shape)}; give its last layer {outputs} outputs"
            )
        changed = [n for n, leaf in self._training.named_buffers() if not torch.equal(leaf, buffers[n])]
        if changed:
            raise HeadstartError(
                f"the model changes the buffer {changed[0]!r} in training, which clients could not share; "
                "make it a parameter or leave it constant"
            )
        if not torch.equal(first, second):
            raise HeadstartError(
                "the model is random in its forward pass in a way that cannot be repeated; "
                "use nn.Dropout layers rather than functional dropout or noise"
            )


def to_group_norm(module: nn.Module, groups: int = 2) -> nn.Module:
    """Replace every BatchNorm by GroupNorm with `groups` groups, in place, keeping the affine weights.

    The running statistics are left behind: GroupNorm (arXiv 1803.08494) takes its statistics from each
    sample. `groups` falls back to the largest divisor of the number of channels below it.
    """
    for name, part in list(module.named_children()):
        if isinstance(part, _BatchNorm):
            channels = part.num_features
            fitting = next(g for g in range(min(groups, channels), 0, -1) if channels % g == 0)
            new = nn.GroupNorm(fitting, channels, eps=part.eps, affine=part.affine)
            if part.affine:
                new.load_state_dict({"weight": part.weight.detach(), "bias": part.bias.detach()})
            setattr(module, name, new)
        else:
            to_group_norm(part, groups)
    return module


def _built(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a module. Torch's layers draw from the global generator, so it is set and put back here, and only here."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def _refuse_batch_norm(module: nn.Module) -> None:
    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm):
            raise HeadstartError(
                f"the model has BatchNorm ({name!r}), whose statistics mix clients; convert it with "
                "headstart.to_group_norm(module, groups=2), which keeps the affine weights"
            )


def _with_keyed_dropout(module: nn.Module) -> nn.Module:
    """Replace dropout layers, in the order of their names, by ones whose mask is a function of a key."""
    layers = [(name, part) for name, part in module.named_modules() if type(part) in _DROPOUT]
    for layer, (name, part) in enumerate(layers):
        keyed = KeyedDropout(float(getattr(part, "p")), layer, channels=_DROPOUT[type(part)])  # noqa: B009
        if not name:
            return keyed
        parent, _, child = name.rpartition(".")
        setattr(module.get_submodule(parent), child, keyed)
    return module
