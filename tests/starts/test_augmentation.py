"""Images are moved within their padding and mirrored, each by a draw of its own,
and nothing else is done to them.
"""

import numpy as np
import pytest
import torch

from headstart.errors import HeadstartError
from headstart.starts.augmentation import augmented, refuse_other_than_images
from headstart.tasks.digits import digits

IMAGES = torch.arange(1, 1 + 3 * 32 * 24).reshape(1, 3, 32, 24).expand(500, -1, -1, -1)


def moved(down: int, right: int) -> torch.Tensor:
    """The image moved up by `down` and left by `right` pixels, computed pixel by pixel."""
    expected = torch.zeros_like(IMAGES[0])
    for row in range(32):
        for column in range(24):
            if 0 <= row + down < 32 and 0 <= column + right < 24:
                expected[:, row, column] = IMAGES[0, :, row + down, column + right]
    return expected


def places(images: torch.Tensor) -> list[tuple[int, int]]:
    """How far each image was moved, found by comparison with all that is allowed."""
    allowed = {(down, right): moved(down, right) for down in range(-4, 5) for right in range(-3, 4)}
    found = []
    for image in images:
        found += [place for place, expected in allowed.items() if torch.equal(image, expected)]
    return found


def test_a_crop_is_one_of_all_that_an_eighth_of_each_side_allows() -> None:
    """63 places, 500 images: a place is missed with probability 63 * (62 / 63)^500 = .02."""
    found = places(augmented(IMAGES, "crop", np.random.default_rng(0)))
    assert len(found) == 500
    assert len(set(found)) >= 62


def test_a_flip_mirrors_half_of_the_images_and_moves_none() -> None:
    """500 fair draws: within 4 standard errors (.022)."""
    got = augmented(IMAGES, "flip", np.random.default_rng(0))
    mirrored = [torch.equal(image, IMAGES[0].flip(-1)) for image in got]
    same = [torch.equal(image, IMAGES[0]) for image in got]
    assert sum(mirrored) + sum(same) == 500
    assert abs(np.mean(mirrored) - 0.5) < 0.09


def test_both_are_a_crop_of_the_image_or_of_its_mirror_image() -> None:
    got = augmented(IMAGES, "crop-and-flip", np.random.default_rng(0))
    assert len(places(got)) + len(places(got.flip(-1))) == 500


def test_bytes_stay_bytes_and_none_changes_nothing() -> None:
    images = torch.randint(1, 256, (4, 3, 8, 8), dtype=torch.uint8)
    assert augmented(images, "none", np.random.default_rng(0)) is images
    assert augmented(images, "crop-and-flip", np.random.default_rng(0)).dtype == torch.uint8


def test_what_has_no_pixels_is_refused() -> None:
    refuse_other_than_images("crop", digits())
    flat = digits()
    rows = type(flat.train)(flat.train.inputs.flatten(1), flat.train.targets)
    numbers = type(flat)("numbers", rows, rows, rows, 10)
    refuse_other_than_images("none", numbers)
    with pytest.raises(
        HeadstartError, match=r"'flip' is for images .* of task 'numbers' have the shape \[64\]"
    ):
        refuse_other_than_images("flip", numbers)
