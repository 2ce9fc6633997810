"""GroupNorm in place of BatchNorm keeps the affine weights and takes each sample alone."""

import pytest
import torch
from torch import nn

from headstart.errors import HeadstartError
from headstart.models.conversion.group_norm import to_group_norm


def test_conversion_keeps_the_affine_weights_and_normalises_each_sample() -> None:
    norm = nn.BatchNorm2d(6, eps=1e-3).double()
    with torch.no_grad():
        norm.weight.copy_(torch.arange(1.0, 7.0))
        norm.bias.copy_(torch.arange(6.0))
    module = to_group_norm(
        nn.Sequential(nn.Conv2d(1, 6, 1).double(), norm, nn.ReLU(), norm), groups=4
    )
    assert isinstance(module[1], nn.GroupNorm)  # type: ignore[index]
    # A layer used under two names.
    assert isinstance(module[3], nn.GroupNorm)  # type: ignore[index]
    # The largest divisor of 6 that is not above 4.
    assert module[1].num_groups == 3  # type: ignore[index]
    images = torch.randn(
        2, 6, 5, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)
    )
    grouped = images.reshape(2, 3, -1)
    deviation = (grouped.var(-1, correction=0, keepdim=True) + 1e-3).sqrt()
    normal = ((grouped - grouped.mean(-1, keepdim=True)) / deviation).reshape(images.shape)
    expected = normal * torch.arange(1.0, 7.0)[:, None, None] + torch.arange(6.0)[:, None, None]
    torch.testing.assert_close(module[1](images), expected, rtol=1e-12, atol=1e-12)  # type: ignore[index]


def test_bad_conversions_to_group_norm_get_one_line() -> None:
    with pytest.raises(HeadstartError, match=r"^groups: expected a whole number >= 1, got 0$"):
        to_group_norm(nn.BatchNorm2d(4), groups=0)
    with pytest.raises(
        HeadstartError, match=r"^LazyBatchNorm2d has no channels before the first input arrives"
    ):
        to_group_norm(nn.Sequential(nn.LazyBatchNorm2d()))
