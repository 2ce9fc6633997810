"""Digits that a server renders by itself: proxy data for `digits` that nobody has to give it.

Digits of the fonts that Matplotlib ships are distorted like handwriting and brought to 8x8 pixels
in the way of the UCI set: the NIST form (Garris et al., NISTIR 5469, 1994: size-normalised to 20 x
32 pixels, stroke width normalised), centred in a 32x32 bitmap, of which the pixels that are on are
counted in 4x4 blocks, 0 to 16.

Shape suffixes: G glyphs, N examples, H and W pixels of a canvas; a last 2 is (x, y).
"""

from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from pydantic import Field
from torch import Tensor
from torch.nn.functional import avg_pool2d, grid_sample

from headstart import rng
from headstart.tasks.base import TASKS, Examples, Task

# Every face that Matplotlib ships whose 0 to 9 are digits, but for DejaVu Sans Mono (its 0 is
# dotted) and the oblique twins of the same outlines, since shear is drawn here. cmmi10 and cmti10
# add old-style and italic shapes.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmb10", "cmmi10", "cmr10", "cmss10", "cmti10", "cmtt10"),
)
GLYPH, CANVAS, BITMAP = 48, 48, 32
# The canvas shows [-MARGIN, MARGIN]^2 where the glyph, undistorted, is 2 high around 0.
MARGIN = 1.5
# Pixels of 32, share of the bitmap: as in the training split of `digits`, for every digit.
WIDTH, INK = 22, 0.30
HELD_OUT = 500


@TASKS.register(
    "rendered-digits", source="fonts shipped with Matplotlib; UCI's and NIST's form of a digit"
)
@lru_cache(maxsize=8)
def rendered_digits(
    *,
    examples: Annotated[
        int, Field(ge=10, le=200_000, description="training rows; 500 each to validate and test")
    ] = 4000,
    seed: Annotated[int, Field(ge=0, description="of every draw")] = 0,
    rotation: Annotated[float, Field(ge=0, le=90, description="standard deviation, degrees")] = 5.0,
    shear: Annotated[float, Field(ge=0, le=1, description="standard deviation of x per y")] = 0.1,
    warp: Annotated[
        float, Field(ge=0, le=1, description="standard deviation of bends, of half the height")
    ] = 0.35,
    scale: Annotated[
        float, Field(ge=0, le=0.5, description="standard deviation of the width, relative")
    ] = 0.1,
    shift: Annotated[
        float, Field(ge=0, le=8, description="standard deviation to the side, of 32 pixels")
    ] = 1.0,
    ink: Annotated[
        float, Field(ge=0, le=0.1, description="standard deviation of the share that is inked")
    ] = 0.02,
) -> Task:
    """Digits rendered from fonts, distorted and brought to 8x8 pixels: proxy data for `digits`,
    made on the server.
    """
    generator = rng.generator(seed, "rendered digits")
    total = examples + 2 * HELD_OUT
    labels = generator.permutation(np.arange(examples) % 10)
    labels = np.concatenate(
        [labels, *(generator.permutation(np.arange(HELD_OUT) % 10) for _ in range(2))]
    )
    glyphs = glyphs_of_fonts()

    def normal(deviation: float, *shape: int) -> Tensor:
        return torch.from_numpy(
            deviation * generator.standard_normal((total, *shape), dtype=np.float32)
        )

    fonts = generator.integers(len(FONTS), size=total)
    angle, slant, bends = normal(rotation * np.pi / 180), normal(shear), normal(warp, 2, 4, 4)
    widths, sides = WIDTH * (1 + normal(scale)), normal(shift)
    inks = (INK + normal(ink)).clamp(0.1, 0.6)
    whiches = torch.from_numpy(fonts * 10 + labels)
    chunks = []
    for chunk in (slice(first, first + 1000) for first in range(0, total, 1000)):
        distorted = _distorted(glyphs[whiches[chunk]], angle[chunk], slant[chunk], bends[chunk])
        chunks.append(_counted(_normalised(distorted, widths[chunk], sides[chunk]), inks[chunk]))
    images, targets = torch.cat(chunks), torch.from_numpy(labels)
    ends = [0, examples, examples + HELD_OUT, total]
    train, validation, test = (
        Examples(images[first:end], targets[first:end]) for first, end in pairwise(ends)
    )
    return Task("rendered-digits", train, validation, test, outputs=10, classes=tuple("0123456789"))


@lru_cache(maxsize=1)
def glyphs_of_fonts() -> Tensor:
    """Digits 0 to 9 of every font as grey images [G, 1, H, W] in [0, 1], G = font * 10 + digit,
    filling the height.
    """
    import matplotlib  # takes a tenth of a second to import

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    images = []
    for name in FONTS:
        font = ImageFont.truetype(str(folder / f"{name}.ttf"), 2 * GLYPH)
        for digit in "0123456789":
            left, top, right, bottom = font.getbbox(digit)
            drawn = Image.new("L", (int(right - left), int(bottom - top)))
            ImageDraw.Draw(drawn).text((-left, -top), digit, fill=255, font=font)
            width = min(GLYPH, max(1, round(drawn.width * GLYPH / drawn.height)))
            canvas = Image.new("L", (GLYPH, GLYPH))
            canvas.paste(
                drawn.resize((width, GLYPH), Image.Resampling.BOX), ((GLYPH - width) // 2, 0)
            )
            images.append(np.asarray(canvas, dtype=np.float32) / 255)
    return torch.from_numpy(np.stack(images))[:, None]


def _axis(pixels: int) -> Tensor:
    """Centres of pixels on [-1, 1], where `grid_sample` (align_corners=False) has them."""
    return (2 * torch.arange(pixels) + 1) / pixels - 1


def _distorted(glyphs_N1HW: Tensor, angle_N: Tensor, slant_N: Tensor, bends_N244: Tensor) -> Tensor:
    """Glyphs on a larger canvas, turned, sheared and bent by a smooth field of displacements."""
    rows = len(glyphs_N1HW)
    axis = MARGIN * _axis(CANVAS)
    x_NHW, y_NHW = axis.expand(rows, CANVAS, CANVAS), axis[:, None].expand(rows, CANVAS, CANVAS)
    cos, sin = (part[:, None, None] for part in (torch.cos(angle_N), torch.sin(angle_N)))
    turned_x, turned_y = cos * x_NHW + sin * y_NHW, cos * y_NHW - sin * x_NHW
    grid_NHW2 = torch.stack([turned_x + slant_N[:, None, None] * turned_y, turned_y], -1)
    cubics_W4 = _cubics()
    bend_N2HW = cubics_W4 @ bends_N244 @ cubics_W4.T
    return grid_sample(glyphs_N1HW, grid_NHW2 + bend_N2HW.permute(0, 2, 3, 1), align_corners=False)


def _cubics() -> Tensor:
    """The four cubic Bernstein polynomials at every pixel [W, 4]; two of them span a bicubic Bezier
    surface.
    """
    t_W = (_axis(CANVAS) + 1) / 2
    return torch.stack(
        [(1 - t_W) ** 3, 3 * t_W * (1 - t_W) ** 2, 3 * t_W**2 * (1 - t_W), t_W**3], -1
    )


def _normalised(images_N1HW: Tensor, width_N: Tensor, side_N: Tensor) -> Tensor:
    """The ink's bounding box, stretched to the full height of the bitmap and to a width, off the
    centre by `side`.
    """
    centres, extents = [], []
    for dim in (-2, -1):
        on = images_N1HW.amax((1, dim)) > 0.5
        first, last = on.float().argmax(1), CANVAS - on.flip(1).float().argmax(1)
        centres.append((first + last) / CANVAS - 1)
        extents.append((last - first) / CANVAS)
    # A "1" is narrow: it grows in width by as much as in height, and at most to the width of the
    # others.
    width_N = torch.minimum(width_N, BITMAP * (extents[0] / extents[1] + 0.2))
    stretched_N = extents[0] * BITMAP / width_N
    axis = _axis(BITMAP)
    x_NW = centres[0][:, None] + stretched_N[:, None] * (axis - 2 * side_N[:, None] / BITMAP)
    y_NH = centres[1][:, None] + extents[1][:, None] * axis
    shape = (len(images_N1HW), BITMAP, BITMAP)
    grid_NHW2 = torch.stack([x_NW[:, None, :].expand(shape), y_NH[:, :, None].expand(shape)], -1)
    return grid_sample(images_N1HW, grid_NHW2, align_corners=False)


def _counted(images_N1HW: Tensor, ink_N: Tensor) -> Tensor:
    """Strokes thickened or thinned until a share of the bitmap is inked, then 4x4 blocks counted:
    [N, 1, 8, 8].

    Blurred and cut at a level, a stroke keeps its middle and changes its width with the level.
    """
    blurred = images_N1HW
    for _ in range(3):
        blurred = avg_pool2d(blurred, 3, stride=1, padding=1)
    levels_NP = np.sort(blurred.flatten(1).numpy(), axis=1)
    cut_N = levels_NP[
        np.arange(len(levels_NP)), ((1 - ink_N.numpy()) * levels_NP.shape[1]).astype(np.int64)
    ]
    bitmap = blurred > torch.from_numpy(cut_N)[:, None, None, None]
    return avg_pool2d(bitmap.float(), BITMAP // 8)
