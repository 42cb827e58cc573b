"""The nearest image over flips and shifts: planted ones are found, and scikit-image's template matching agrees."""

from __future__ import annotations

import pytest
import torch
from skimage.feature import match_template

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import find_nearest
from monai_cardiacgen.seeding import seeded


def textures(count: int, size: tuple[int, ...], seed: int) -> torch.Tensor:
    """Smooth random images, `(count, 1, *size)` in [0, 1]."""
    coarse = torch.rand(count, 1, *(side // 4 for side in size), generator=seeded(seed))
    mode = "bilinear" if len(size) == 2 else "trilinear"
    return torch.nn.functional.interpolate(coarse, size=size, mode=mode)


@pytest.mark.parametrize("size", [(96, 96), (64, 80), (33, 50), (20, 24, 32)])
def test_flipped_shifted_and_brightened_copies_are_found(size):
    known = textures(12, size, 0)
    generator = seeded(1)
    for number in range(12):
        flips = [axis for axis in range(2, known.ndim) if torch.rand(1, generator=generator) < 0.5]
        shift = [int(torch.randint(-(side // 8), side // 8 + 1, (1,), generator=generator)) for side in size]
        copy = known[number : number + 1].flip(flips).roll(shift, tuple(range(2, known.ndim))) * 0.6 + 0.2
        match = find_nearest(copy, known)
        assert int(match.index) == number
        assert float(match.correlation) > 0.999
        assert match.flipped[0].tolist() == [axis in flips for axis in range(2, known.ndim)]
        back = copy.flip(flips).roll(match.shift[0].tolist(), tuple(range(2, known.ndim)))
        inside = (slice(None),) * 2 + tuple(slice(side // 4, -(side // 4)) for side in size)
        assert torch.allclose((back[inside] - 0.2) / 0.6, known[number : number + 1][inside], atol=1e-5)


def test_on_a_grid_without_averaging_it_is_scikit_images_template_matching():
    images, known = textures(4, (24, 24), 0), textures(5, (24, 24), 1)
    match = find_nearest(images, known)
    for row in range(4):
        best = max(
            (float(match_template(one[0].numpy(), template.numpy()).max()), number)
            for number, one in enumerate(known)
            for template in (images[row, 0, 4:19, 4:19].flip(axes) for axes in ([], [0], [1], [0, 1]))
        )
        assert float(match.correlation[row]) == pytest.approx(best[0], abs=1e-5)
        assert int(match.index[row]) == best[1]


def test_images_are_not_compared_with_their_own_group():
    images = textures(6, (24, 24), 0)
    groups = torch.tensor([0, 0, 1, 1, 2, 2])
    match = find_nearest(images, images, groups, groups)
    assert (groups[match.index] != groups).all()
    assert float(find_nearest(images, images).correlation.min()) > 0.999
    alone = find_nearest(images[:2], images[:2], groups[:2], groups[:2])
    assert alone.correlation.tolist() == [-1, -1]


def test_each_image_has_what_it_has_alone():
    images, known = textures(7, (48, 48), 0), textures(9, (48, 48), 1)
    together = find_nearest(images, known)
    alone = [find_nearest(images[row : row + 1], known) for row in range(7)]
    assert torch.allclose(together.correlation, torch.cat([one.correlation for one in alone]), atol=1e-6)
    assert together.index.tolist() == [int(one.index) for one in alone]


def test_constant_images_are_like_nothing():
    match = find_nearest(torch.full((1, 1, 32, 32), 0.5), textures(3, (32, 32), 0))
    assert abs(float(match.correlation)) < 1e-3
    match = find_nearest(textures(1, (32, 32), 0), torch.zeros(2, 1, 32, 32))
    assert abs(float(match.correlation)) < 1e-3


def test_no_images_match_nothing():
    match = find_nearest(torch.zeros(0, 1, 32, 32), textures(3, (32, 32), 0))
    assert (match.correlation.shape, match.shift.shape) == ((0,), (0, 2))


def test_bad_images_are_refused():
    images = textures(2, (24, 24), 0)
    with pytest.raises(ShapeError, match="one size"):
        find_nearest(images, images[..., :16])
    with pytest.raises(ShapeError, match="at least 16"):
        find_nearest(images[..., :8], images[..., :8])
    with pytest.raises(InputError, match="got none"):
        find_nearest(images, images[:0])
    with pytest.raises(InputError, match="groups"):
        find_nearest(images, images, torch.arange(2))
    with pytest.raises(IntensityError, match="known"):
        find_nearest(images, images * torch.nan)
