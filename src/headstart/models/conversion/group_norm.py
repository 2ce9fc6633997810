"""GroupNorm: in place of BatchNorm, whose statistics mix clients, and with a gradient that can be
recorded as it is.
"""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm, _LazyNormBase

from headstart.errors import HeadstartError
from headstart.kernels.group_norm import FusedGroupNorm


def to_group_norm(module: nn.Module, groups: int = 2) -> nn.Module:
    """Replace every BatchNorm by GroupNorm with `groups` groups, in place, keeping the affine
    weights.

    The running statistics are left behind: GroupNorm (arXiv 1803.08494) takes its statistics from
    each sample. `groups` falls back to the largest divisor of the number of channels below it. A
    module that is itself a BatchNorm cannot change in place: use what is returned.

    Raises:
        HeadstartError: there is no group, or a BatchNorm does not know its channels yet.
    """
    if groups < 1:
        raise HeadstartError(f"groups: expected a whole number >= 1, got {groups}")
    if isinstance(module, _BatchNorm):
        return _group_norm_like(module, groups)
    # Unlike named_children(), this gives a layer that is used under two names twice.
    for name, part in module._modules.items():
        if part is not None:
            setattr(module, name, to_group_norm(part, groups))
    return module


def _group_norm_like(part: _BatchNorm, groups: int) -> nn.GroupNorm:
    if isinstance(part, _LazyNormBase):
        raise HeadstartError(
            f"{type(part).__name__} has no channels before the first input arrives; give the model "
            "a batch first, or use the norm that takes their number"
        )
    channels = part.num_features
    fitting = min(groups, channels)
    while channels % fitting:
        fitting -= 1
    new = nn.GroupNorm(fitting, channels, eps=part.eps, affine=part.affine).train(part.training)
    if part.affine:
        new.weight, new.bias = part.weight, part.bias
    return new


def with_fused_group_norm(module: nn.Module) -> nn.Module:
    """Have every GroupNorm compute its gradient by torch's fused kernel, in place; numbers and
    names stay.
    """
    for part in module.modules():
        if type(part) is nn.GroupNorm:
            part.__class__ = FusedGroupNorm
    return module
