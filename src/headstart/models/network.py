"""A module as a function of its parameters, fit to be trained by many clients at once.

What would make clients depend on each other or on the order of computation is refused or replaced
(`conversion`). BatchNorm, whose statistics leak between clients, other buffers that change in
training, and random numbers in the forward pass are refused; `to_group_norm` is for the user to
call. Dropout layers are replaced by ones whose masks are a function of a key.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from headstart import rng, trees
from headstart.errors import HeadstartError, as_memory, reason
from headstart.kernels.freed_memory import kept_for_the_next_step
from headstart.models.conversion.building import TensorNames, built, placed
from headstart.models.conversion.dropout import KeyedDropout, with_keyed_dropout
from headstart.models.conversion.group_norm import with_fused_group_norm
from headstart.models.conversion.refusals import refuse_unfit
from headstart.parts.registry import Registry
from headstart.trees import Tree

MODELS: Registry[nn.Module] = Registry(
    "model", "headstart.models", nn.Module, takes=("input_shape", "outputs")
)
"""Factories (input_shape, outputs, *, parameters) -> module."""

Precision = Literal["fp32", "bf16"]


class Network:
    """The function (parameters, inputs, key) -> outputs of a module.

    Args:
        build: makes a new module; its parameters are drawn from torch's generator, as torch's
            layers do.
        dtype: of parameters and inputs.
        precision: "bf16" computes training passes under autocast in bfloat16 where torch holds that
            safe; parameters, gradients of parameters, losses and evaluation stay as they are.
        device: where parameters are, and where inputs are expected.
        prepare: makes what is computed on inputs first, a module without parameters: bytes of
            images to numbers.

    Raises:
        HeadstartError: what was built is no module, has parameters that cannot be trained,
            normalises over the batch, or is random in a way that a key cannot repeat.

    `buffers` names what the module keeps beside its parameters and saves with them; `tied` leads
    from the second name of a tensor to the one that it has here; `order` has all names, as the
    module saves them. `held` is what a call adds to the parameters it is given.

    One network serves one thread: a call puts the parameters into its module for the time of the
    call. Threads take a `copy.deepcopy` each.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        dtype: torch.dtype = torch.float32,
        precision: Precision = "fp32",
        device: str | torch.device = "cpu",
        prepare: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        self.build = build
        self.dtype = dtype
        self.precision = precision
        self.device = torch.device(device)
        kept_for_the_next_step()
        self.prepare = prepare
        self._prepare = prepare().to(self.device)
        self.held: Tree = {}
        first = built(build, seed=0)
        refuse_unfit(first)
        self.order, self.buffers, self.tied = TensorNames.of(first)
        module = self._converted(first)
        self._training = module.train()
        self._evaluating = copy.deepcopy(module).eval()
        self._dropouts: list[KeyedDropout] = []
        self._keys: list[str] = []
        for name, layer in module.named_modules():
            if isinstance(layer, KeyedDropout):
                self._dropouts.append(layer)
                self._keys.append(f"{name}.key")

    def _converted(self, module: nn.Module) -> nn.Module:
        try:
            here = placed(copy.deepcopy(module), self.device, self.dtype)
            return with_fused_group_norm(with_keyed_dropout(here)).requires_grad_(False)
        except Exception as error:  # of many kinds, by module
            raise as_memory(error) or HeadstartError(
                f"the model cannot be used as a function of its parameters ({reason(error)})"
            ) from error

    @property
    def draws(self) -> bool:
        """Whether training passes depend on the key: whether there is dropout."""
        return any(layer.p > 0 for layer in self._dropouts)

    def holding(self, state: Tree) -> "Network":
        """The same network as a function of its other parameters; these, and these buffers, are
        held.

        Whoever trains it sees the others alone, and sends and keeps no more than them. Both share a
        module, and so one thread.
        """

        def held(leaf: Tensor) -> Tensor:
            return leaf.to(self.device, self.dtype if leaf.is_floating_point() else leaf.dtype)

        network = copy.copy(self)
        network.held = {**self.held, **trees.map_tree(held, state)}
        return network

    def initial(self, seed: int) -> Tree:
        """The parameters of a newly built module but those held, drawn on the CPU from the seed."""
        parameters = dict(self._drawn(seed).named_parameters())
        free = {name: leaf for name, leaf in parameters.items() if name not in self.held}
        return _copied(free)

    def state(self, seed: int) -> Tree:
        """What that module would save: all its parameters, then its buffers."""
        module = self._drawn(seed)
        buffers = {name: module.get_buffer(name) for name in self.buffers}
        return _copied({**dict(module.named_parameters()), **buffers})

    def _drawn(self, seed: int) -> nn.Module:
        module = built(self.build, rng.key(seed, "initial weights"))
        return placed(module, self.device, self.dtype)

    def parameters_of(self, state: Tree) -> Tree:
        """A state without its buffers."""
        return {name: leaf for name, leaf in state.items() if name not in self.buffers}

    def unsaved(self) -> Tree:
        """The buffers that the module makes anew each time it is built, and does not save."""
        buffers = dict(self._evaluating.named_buffers(remove_duplicate=False))
        known = {*self.order, *self._keys}
        return {name: leaf for name, leaf in buffers.items() if name not in known}

    def is_linear(self, layer: str) -> bool:
        """Whether a layer's parameters have a row for each of its outputs: linear or a
        convolution.
        """
        linear = nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d
        return isinstance(self._evaluating.get_submodule(layer), linear)

    def state_dict(self, state: Tree) -> Tree:
        """A state by every name that the module knows it by, as its `load_state_dict` wants it."""
        named = dict(state)
        for second, first in self.tied.items():
            if first in state:
                named[second] = state[first]
        return named

    def __call__(self, params: Tree, inputs: Tensor, key: Tensor | None = None) -> Tensor:
        """Compute outputs [B, ...] for inputs [B, ...].

        With a key, an int32 scalar, the module is in training mode, else in evaluation.
        """
        inputs = self.prepared(inputs)
        params = {**self.held, **params}
        if key is None:
            outputs = functional_call(self._evaluating, params, (inputs,))
        else:
            for layer in self._dropouts:
                layer.calls = 0
            keyed = {**params, **dict.fromkeys(self._keys, key)}
            low = self.precision == "bf16"
            with torch.autocast(inputs.device.type, torch.bfloat16, enabled=low):
                outputs = functional_call(self._training, keyed, (inputs,))
            outputs = outputs.to(self.dtype) if isinstance(outputs, Tensor) else outputs
        if not isinstance(outputs, Tensor):
            raise TypeError(
                f"its forward pass returns {type(outputs).__name__}, expected one tensor"
            )
        return outputs

    def prepared(self, inputs: Tensor) -> Tensor:
        """Prepare a batch for the module: bytes of images as numbers, numbers in the network's
        type.
        """
        inputs = self._prepare(inputs)
        return inputs.to(self.dtype) if inputs.is_floating_point() else inputs

    def wait(self) -> None:
        """Wait until the device has done what it was asked to; a CPU always has."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)

    def check(self, inputs: Tensor, outputs: int) -> None:
        """Run the module on a few inputs and refuse what cannot be simulated faithfully.

        Raises:
            HeadstartError: there are no parameters, they or the inputs are not finite or do not
                fit, the outputs are not [B, ..., outputs], a buffer or a parameter changed, the
                outputs of a row depend on the rows beside it, or the forward pass drew random
                numbers or differs between two passes with the same key.
        """
        if inputs.is_floating_point() and not inputs.isfinite().all():
            raise HeadstartError(
                "the inputs have values that are not finite (NaN or infinite); remove or replace "
                "them"
            )
        params = self.initial(0)
        _refuse_bad_numbers(params)
        params_before = trees.map_tree(torch.clone, params)
        buffers_before = _copied(dict(self._training.named_buffers()))
        given = inputs.clone()
        first, second, drew, alone, beside = self._passes(params, given)
        if not torch.equal(given.nan_to_num(), inputs.nan_to_num()):
            raise HeadstartError(
                "the model changes its inputs in its forward pass, which other passes read, too; "
                "write x = x * 2 in place of x.mul_(2)"
            )
        if first.ndim < 2 or first.shape[0] != len(inputs) or first.shape[-1] != outputs:
            raise HeadstartError(
                f"the model's output does not fit the task: expected [{len(inputs)}, {outputs}] "
                f"for {len(inputs)} rows, got {list(first.shape)}; give its last layer {outputs} "
                "outputs"
            )
        changed = _first_change(buffers_before, dict(self._training.named_buffers()))
        if changed:
            raise HeadstartError(
                f"the model changes the buffer {changed!r} in training, which clients could not "
                "share; make it a parameter or leave it constant"
            )
        rewritten = _first_change(params_before, params)
        if rewritten:
            raise HeadstartError(
                f"the model changes its parameter {rewritten!r} in its forward pass (as "
                "nn.Embedding does with max_norm), which clients could not share; leave that to "
                "the optimizer"
            )
        if drew or not torch.allclose(first, second, rtol=0, atol=0, equal_nan=True):
            raise HeadstartError(
                "the model is random in its forward pass in a way that cannot be repeated; "
                "use nn.Dropout layers rather than functional dropout or noise"
            )
        if alone.isnan().any():
            raise HeadstartError(
                "the model's output is NaN at the weights that it is made with; look for a "
                "division by zero, or a root or logarithm of negative numbers, in its forward pass"
            )
        size = 1e-3 * float(alone.abs().max())
        if not torch.allclose(beside[:1], alone, rtol=1e-3, atol=size, equal_nan=True):
            raise HeadstartError(
                "the model's output for a row depends on the rows beside it in the batch, which "
                "differ between ways to compute the same clients; let it treat every row alone"
            )

    def _passes(self, params: Tree, inputs: Tensor) -> tuple[Tensor, Tensor, bool, Tensor, Tensor]:
        """Two passes alike, whether they drew, the first row alone, and that row among the
        others.
        """
        key = torch.zeros((), dtype=torch.int32, device=self.device)
        plain = None if self.draws or self.precision == "bf16" else key
        try:
            with torch.random.fork_rng(devices=[]):
                before = torch.get_rng_state()
                first = self(params, inputs, key)
                second = self(params, inputs, key)
                drew = not torch.equal(before, torch.get_rng_state())
                beside = self(params, inputs, plain)
                alone = self(params, inputs[:1], plain)
        except (KeyboardInterrupt, GeneratorExit, SystemExit):
            raise
        except BaseException as error:  # whatever a user's own forward pass may raise
            raise as_memory(error) or HeadstartError(
                f"the model fails on inputs of shape {list(inputs.shape)}: {reason(error)}"
            ) from error
        return first, second, drew, alone, beside


def _copied(leaves: Mapping[str, Tensor]) -> Tree:
    return {name: leaf.detach().clone() for name, leaf in leaves.items()}


def _first_change(before: Tree, after: Tree) -> str | None:
    """The first name whose tensor is another one afterwards."""
    for name, leaf in after.items():
        if not torch.equal(leaf, before[name]):
            return name
    return None


def _refuse_bad_numbers(params: Tree) -> None:
    if not params:
        raise HeadstartError("the model has no parameters to train")
    for name, leaf in params.items():
        if not leaf.isfinite().all():
            raise HeadstartError(
                f"the parameter {name!r} of the newly built model has values that are not finite "
                "(NaN or infinite); draw it, for example with torch.nn.init"
            )
