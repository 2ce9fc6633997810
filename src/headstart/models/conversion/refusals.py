"""Modules that cannot be trained by many clients alike are refused, with what to do instead."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from headstart.errors import HeadstartError


def refuse_unfit(module: nn.Module) -> None:
    """Refuse what a look at the layers and parameters of a module shows.

    Raises:
        HeadstartError: it normalises over the batch, has parameters that cannot be trained, or an
            embedding that counts the rows of a batch.
    """
    for name, layer in module.named_modules():
        if isinstance(layer, _BatchNorm):
            raise HeadstartError(
                f"the model has BatchNorm ({name!r}), whose statistics mix clients; convert it "
                "with headstart.to_group_norm(module, groups=2), which keeps the affine weights"
            )
    for name, parameter in module.named_parameters():
        _refuse_untrainable(name, parameter)
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Embedding | nn.EmbeddingBag) and layer.scale_grad_by_freq:
            raise HeadstartError(
                f"the embedding {name!r} has scale_grad_by_freq=True, so that what a row teaches "
                "depends on the rows beside it in the batch; leave it out"
            )


def _refuse_untrainable(name: str, parameter: nn.Parameter) -> None:
    if parameter.is_meta:
        raise HeadstartError(
            f"the parameter {name!r} is on the device 'meta', where tensors have no numbers; build "
            "the model on the CPU"
        )
    if is_lazy(parameter):
        raise HeadstartError(
            f"the parameter {name!r} has no shape before the first input arrives; give its layer "
            "the width of its input (nn.Linear rather than nn.LazyLinear)"
        )
    if not parameter.is_floating_point():
        raise HeadstartError(
            f"the parameter {name!r} is of {parameter.dtype}, expected floating-point numbers"
        )
    if not parameter.requires_grad:
        raise HeadstartError(
            f"the parameter {name!r} is frozen (requires_grad=False), but `trainable` says what is "
            "trained: leave requires_grad as it is, or make a buffer of what never changes"
        )
