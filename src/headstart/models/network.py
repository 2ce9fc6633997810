"""A module as a function of its parameters, fit to be trained by many clients at once.

What would make clients depend on each other or on the order of computation is refused or replaced here, once:
BatchNorm (its statistics leak between clients), other buffers that change in training, and randomness in the
forward pass; dropout layers get masks that are a function of a key (`dropout`).
"""

import copy
from collections.abc import Callable
from typing import Literal, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm, _LazyNormBase
from torch.nn.parameter import is_lazy

from headstart import rng, trees
from headstart.errors import HeadstartError, as_memory, reason
from headstart.models.conversion.dropout import KeyedDropout
from headstart.parts.registry import Registry
from headstart.trees import Tree

MODELS: Registry[nn.Module] = Registry("model", "headstart.models", nn.Module, takes=("input_shape", "outputs"))
"""Factories (input_shape, outputs, *, parameters) -> module."""

Precision = Literal["fp32", "bf16"]

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
        precision: "bf16" computes training passes under autocast in bfloat16 where torch holds that safe; parameters,
            gradients of parameters, losses and evaluation stay as they are.
        device: where parameters are, and where inputs are expected.
        prepare: makes what is computed on inputs first, a module without parameters: bytes of images to numbers.

    Raises:
        HeadstartError: what was built is no module, has parameters that cannot be trained, normalises over the batch,
            changes a buffer in training, or is random in a way that a key cannot repeat.

    `buffers` names what the module keeps beside its parameters and saves with them; `tied` leads from the second name
    of a tensor to the one that it has here; `order` has all names, as the module saves them. `held` is what a call adds
    to the parameters it is given.

    One network serves one thread: a call puts the parameters into its module for the time of the call. Threads
    take a `copy.deepcopy` each.
    """

    def __init__(
        self,
        build: Callable[[], nn.Module],
        dtype: torch.dtype = torch.float32,
        precision: Precision = "fp32",
        device: str | torch.device = "cpu",
        prepare: Callable[[], nn.Module] = nn.Identity,
    ) -> None:
        self.build, self.dtype, self.precision, self.device = build, dtype, precision, torch.device(device)
        self.prepare, self._prepare = prepare, prepare().to(self.device)
        self.held: Tree = {}
        built = _built(build, seed=0)
        _refuse_batch_norm(built)
        _refuse_parameters(built)
        _refuse_counting(built)
        self.order, self.buffers, self.tied = _names(built)
        module = self._taken(built)
        self._training = module.train()
        self._evaluating = copy.deepcopy(module).eval()
        dropouts = {name: part for name, part in module.named_modules() if isinstance(part, KeyedDropout)}
        self._keys, self._dropouts = [f"{name}.key" for name in dropouts], list(dropouts.values())

    def _taken(self, built: nn.Module) -> nn.Module:
        try:
            module = _placed(copy.deepcopy(built), self.device, self.dtype)
            return _with_keyed_dropout(module).requires_grad_(False)
        except Exception as error:  # of many kinds, by module
            raise as_memory(error) or HeadstartError(
                f"the model cannot be used as a function of its parameters ({reason(error)})"
            ) from error

    @property
    def draws(self) -> bool:
        """Whether training passes depend on the key: whether there is dropout."""
        return any(part.p > 0 for part in self._dropouts)

    def holding(self, state: Tree) -> "Network":
        """The same network as a function of its other parameters; these, and these buffers, are held as they are.

        Whoever trains it sees the others alone, and sends and keeps no more than them. Both share a module, and so one
        thread.
        """

        def held(leaf: Tensor) -> Tensor:
            return leaf.to(self.device, self.dtype if leaf.is_floating_point() else leaf.dtype)

        network = copy.copy(self)
        network.held = {**self.held, **trees.map_tree(held, state)}
        return network

    def initial(self, seed: int) -> Tree:
        """The parameters of a newly built module but those held: a pure function of the seed, drawn on the CPU."""
        module = self._drawn(seed)
        return {name: leaf.detach().clone() for name, leaf in module.named_parameters() if name not in self.held}

    def state(self, seed: int) -> Tree:
        """What that module would save: all its parameters, then its buffers."""
        module = self._drawn(seed)
        leaves = {**dict(module.named_parameters()), **{name: module.get_buffer(name) for name in self.buffers}}
        return {name: leaf.detach().clone() for name, leaf in leaves.items()}

    def parameters_of(self, state: Tree) -> Tree:
        """A state without its buffers."""
        return {name: leaf for name, leaf in state.items() if name not in self.buffers}

    def unsaved(self) -> Tree:
        """The buffers that the module makes anew each time it is built, and does not save."""
        made = dict(self._evaluating.named_buffers(remove_duplicate=False))
        return {name: leaf for name, leaf in made.items() if name not in {*self.order, *self._keys}}

    def is_linear(self, layer: str) -> bool:
        """Whether a layer is linear or a convolution, whose parameters have a row for each of its outputs."""
        return isinstance(self._evaluating.get_submodule(layer), nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d)

    def state_dict(self, state: Tree) -> Tree:
        """A state by every name that the module knows it by, as its `load_state_dict` wants it."""
        return {**state, **{second: state[name] for second, name in self.tied.items() if name in state}}

    def _drawn(self, seed: int) -> nn.Module:
        return _placed(_built(self.build, rng.key(seed, "initial weights")), self.device, self.dtype)

    def __call__(self, params: Tree, inputs: Tensor, key: Tensor | None = None) -> Tensor:
        """Outputs [B, ...] for inputs [B, ...]; with a key (int32 scalar) in training mode, else in evaluation."""
        inputs, params = self.prepared(inputs), {**self.held, **params}
        if key is None:
            outputs = functional_call(self._evaluating, params, (inputs,))
        else:
            for part in self._dropouts:
                part.calls = 0
            keyed = {**params, **dict.fromkeys(self._keys, key)}
            with torch.autocast(inputs.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
                outputs = functional_call(self._training, keyed, (inputs,))
            outputs = outputs.to(self.dtype) if isinstance(outputs, Tensor) else outputs
        if not isinstance(outputs, Tensor):
            raise TypeError(f"its forward pass returns {type(outputs).__name__}, expected one tensor")
        return outputs

    def prepared(self, inputs: Tensor) -> Tensor:
        """A batch of inputs as the module takes it: bytes of images as numbers, and numbers in the network's type."""
        inputs = self._prepare(inputs)
        return inputs.to(self.dtype) if inputs.is_floating_point() else inputs

    def wait(self) -> None:
        """Until the device has done what it was asked to; a CPU always has."""
        if self.device.type != "cpu":
            torch.accelerator.synchronize(self.device)

    def check(self, inputs: Tensor, outputs: int) -> None:
        """Run the module on a few inputs and refuse what cannot be simulated faithfully.

        Raises:
            HeadstartError: there are no parameters, they or the inputs are not finite or do not fit, the outputs are
                not [B, ..., outputs], a buffer or a parameter changed, the outputs of a row depend on the rows beside
                it, or the forward pass drew random numbers or differs between two passes with the same key.
        """
        if inputs.is_floating_point() and not inputs.isfinite().all():
            raise HeadstartError("the inputs have values that are not finite (NaN or infinite); remove or replace them")
        params = self.initial(0)
        if not params:
            raise HeadstartError("the model has no parameters to train")
        for name, leaf in params.items():
            if not leaf.isfinite().all():
                raise HeadstartError(
                    f"the parameter {name!r} of the newly built model has values that are not finite (NaN or "
                    "infinite); draw it, for example with torch.nn.init"
                )
        begun = trees.map_tree(torch.clone, params)
        key = torch.zeros((), dtype=torch.int32, device=self.device)
        plain = None if self.draws or self.precision == "bf16" else key
        buffers = {name: leaf.clone() for name, leaf in self._training.named_buffers()}
        try:
            with torch.random.fork_rng(devices=[]):
                before = torch.get_rng_state()
                first, second = self(params, inputs, key), self(params, inputs, key)
                drew = not torch.equal(before, torch.get_rng_state())
                beside, alone = self(params, inputs, plain), self(params, inputs[:1], plain)
        except Exception as error:  # whatever a user's own forward pass may raise
            raise as_memory(error) or HeadstartError(
                f"the model fails on inputs of shape {list(inputs.shape)}: {reason(error)}"
            ) from error
        if first.ndim < 2 or first.shape[0] != len(inputs) or first.shape[-1] != outputs:
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
        rewritten = [name for name, leaf in params.items() if not torch.equal(leaf, begun[name])]
        if rewritten:
            raise HeadstartError(
                f"the model changes its parameter {rewritten[0]!r} in its forward pass (as nn.Embedding does with "
                "max_norm), which clients could not share; leave that to the optimizer"
            )
        if drew or not torch.allclose(first, second, rtol=0, atol=0, equal_nan=True):
            raise HeadstartError(
                "the model is random in its forward pass in a way that cannot be repeated; "
                "use nn.Dropout layers rather than functional dropout or noise"
            )
        if not torch.allclose(beside[:1], alone, rtol=1e-3, atol=1e-3 * float(alone.abs().max()), equal_nan=True):
            raise HeadstartError(
                "the model's output for a row depends on the rows beside it in the batch, which differ between ways to "
                "compute the same clients; let it treat every row alone"
            )


def to_group_norm(module: nn.Module, groups: int = 2) -> nn.Module:
    """Replace every BatchNorm by GroupNorm with `groups` groups, in place, keeping the affine weights.

    The running statistics are left behind: GroupNorm (arXiv 1803.08494) takes its statistics from each
    sample. `groups` falls back to the largest divisor of the number of channels below it. A module that is itself a
    BatchNorm cannot change in place: use what is returned.
    """
    if groups < 1:
        raise HeadstartError(f"groups: expected a whole number >= 1, got {groups}")
    if isinstance(module, _BatchNorm):
        return _group_norm_like(module, groups)
    for name, part in module._modules.items():  # unlike named_children(), a layer used under two names comes twice
        if part is not None:
            setattr(module, name, to_group_norm(part, groups))
    return module


def _group_norm_like(part: _BatchNorm, groups: int) -> nn.GroupNorm:
    if isinstance(part, _LazyNormBase):
        raise HeadstartError(
            f"{type(part).__name__} has no channels before the first input arrives; give the model a batch first, "
            "or use the norm that takes their number"
        )
    channels = part.num_features
    fitting = next(g for g in range(min(groups, channels), 0, -1) if channels % g == 0)
    new = nn.GroupNorm(fitting, channels, eps=part.eps, affine=part.affine).train(part.training)
    if part.affine:
        new.weight, new.bias = part.weight, part.bias
    return new


def _built(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Build a module. Torch's layers draw from the global generator, so it is set and put back here, and only here.

    Of the CPU's generator only: `torch.manual_seed` would also set those of accelerators, which nothing puts back.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            module: object = build()
        except (MemoryError, RuntimeError) as error:
            raise as_memory(error) or error from None
    module = getattr(module, "_orig_mod", module)  # what torch.compile was given; executors compile by themselves
    if not isinstance(module, nn.Module):
        raise HeadstartError(f"the model is {type(module).__name__}, expected a torch.nn.Module")
    return module


def _placed(module: nn.Module, device: torch.device, dtype: torch.dtype) -> nn.Module:
    """The module on a device, with its real numbers in a type; `Module.to` would cut complex ones to real ones."""

    def placed(leaf: Tensor) -> Tensor:
        return leaf.to(device, dtype if leaf.is_floating_point() else leaf.dtype)

    return cast(nn.Module, module._apply(placed))  # type: ignore[no-untyped-call]


def _names(module: nn.Module) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, str]]:
    """The names of what a module saves, those of buffers among them, and of each tensor's second names the first.

    A parameter's first name is that among the module's parameters.
    """
    order: list[str] = []
    first = {id(leaf): name for name, leaf in module.named_parameters()}
    known = dict(module.named_buffers(remove_duplicate=False))
    buffers: list[str] = []
    tied: dict[str, str] = {}
    for name, leaf in module.state_dict(keep_vars=True).items():
        if not isinstance(leaf, Tensor):
            continue
        if id(leaf) not in first:
            if name not in known:
                continue
            first[id(leaf)] = name
            buffers.append(name)
        if first[id(leaf)] != name:
            tied[name] = first[id(leaf)]
        order.append(name)
    return tuple(order), tuple(buffers), tied


def _refuse_batch_norm(module: nn.Module) -> None:
    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm):
            raise HeadstartError(
                f"the model has BatchNorm ({name!r}), whose statistics mix clients; convert it with "
                "headstart.to_group_norm(module, groups=2), which keeps the affine weights"
            )


def _refuse_parameters(module: nn.Module) -> None:
    for name, leaf in module.named_parameters():
        if leaf.is_meta:
            raise HeadstartError(
                f"the parameter {name!r} is on the device 'meta', where tensors have no numbers; build the model "
                "on the CPU"
            )
        if is_lazy(leaf):
            raise HeadstartError(
                f"the parameter {name!r} has no shape before the first input arrives; give its layer the width of "
                "its input (nn.Linear rather than nn.LazyLinear)"
            )
        if not leaf.is_floating_point():
            raise HeadstartError(f"the parameter {name!r} is of {leaf.dtype}, expected floating-point numbers")
        if not leaf.requires_grad:
            raise HeadstartError(
                f"the parameter {name!r} is frozen (requires_grad=False), but `trainable` says what is trained: leave "
                "requires_grad as it is, or make a buffer of what never changes"
            )


def _refuse_counting(module: nn.Module) -> None:
    for name, part in module.named_modules():
        if isinstance(part, nn.Embedding | nn.EmbeddingBag) and part.scale_grad_by_freq:
            raise HeadstartError(
                f"the embedding {name!r} has scale_grad_by_freq=True, so that what a row teaches depends on the rows "
                "beside it in the batch; leave it out"
            )


def _with_keyed_dropout(module: nn.Module) -> nn.Module:
    """Replace dropout layers, in the order of their names, by ones whose mask is a function of a key.

    One that stands under several names becomes several.
    """
    modules = list(module.named_modules(remove_duplicate=False))
    layers = [(name, part) for name, part in modules if type(part) in _DROPOUT]
    for layer, (name, part) in enumerate(layers):
        keyed = KeyedDropout(float(getattr(part, "p")), layer, channels=_DROPOUT[type(part)])  # noqa: B009
        if not name:
            return keyed
        parent, _, child = name.rpartition(".")
        setattr(module.get_submodule(parent), child, keyed)
    return module
