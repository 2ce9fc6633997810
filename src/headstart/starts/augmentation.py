"""Images moved and mirrored at random, so that a server's pre-training sees each of them anew.

He et al., arXiv 1512.03385, section 4.2: 4 pixels padded on each side of 32, a crop of 32 of the
padded image or its mirror image. Here it is an eighth of each side, whatever the size.

Shape suffixes: B images of a batch, C channels, H rows and W columns of pixels.
"""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from headstart.errors import HeadstartError
from headstart.tasks.base import Task

Augmentation = Literal["none", "crop", "flip", "crop-and-flip"]


def augmented(images_BCHW: Tensor, how: Augmentation, draws: np.random.Generator) -> Tensor:
    """Return the images, each moved by up to an eighth of its sides (crop), mirrored left to right
    with probability .5 (flip), or both. What comes in from outside is 0: black, in bytes.

    >>> image = torch.arange(1, 9)[None, None, None]
    >>> augmented(image, "flip", np.random.default_rng(2)).tolist()
    [[[[8, 7, 6, 5, 4, 3, 2, 1]]]]
    >>> augmented(image, "crop", np.random.default_rng(0)).tolist()
    [[[[2, 3, 4, 5, 6, 7, 8, 0]]]]
    """
    if how == "none":
        return images_BCHW
    B, _, H, W = images_BCHW.shape
    down, right = H // 8, W // 8
    rows_BH = torch.arange(H) + _places(down, "crop" in how, B, draws)
    columns_BW = torch.arange(W) + _places(right, "crop" in how, B, draws)
    if "flip" in how:
        mirrored_B = torch.from_numpy(draws.random(B) < 0.5)
        columns_BW = torch.where(mirrored_B[:, None], columns_BW.flip(1), columns_BW)
    padded = nn.functional.pad(images_BCHW, (right, right, down, down))
    moved_BHWC = padded[torch.arange(B)[:, None, None], :, rows_BH[:, :, None], columns_BW[:, None]]
    return moved_BHWC.permute(0, 3, 1, 2).contiguous()


def _places(most: int, moves: bool, images: int, draws: np.random.Generator) -> Tensor:
    """Where the crops begin [B, 1] on an axis padded by `most` on both sides."""
    places_B = draws.integers(0, 2 * most + 1, images) if moves else np.full(images, most)
    return torch.from_numpy(places_B)[:, None]


def refuse_other_than_images(how: Augmentation, task: Task) -> None:
    """Refuse to move what has no pixels.

    Raises:
        HeadstartError: the task's inputs are not [channels, height, width].
    """
    if how != "none" and len(task.input_shape) != 3:
        raise HeadstartError(
            f"augment: {how!r} is for images [channels, height, width], but the inputs of task "
            f"{task.name!r} have the shape {list(task.input_shape)}; leave it out"
        )
