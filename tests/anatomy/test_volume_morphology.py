"""Three-dimensional morphology against scipy and counted faces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from scipy.spatial import ConvexHull

from monai_cardiacgen.anatomy.volume_morphology import (
    bounding_box,
    check_volumes,
    contact_areas,
    enclosed,
    hull_by_slices,
    outside_largest_part,
)
from monai_cardiacgen.errors import ShapeError


@pytest.fixture(scope="module")
def volumes() -> torch.Tensor:
    """18 random masks (18, 14, 17, 12) from noise to large blobs, some touching the border."""
    generator = np.random.default_rng(5)
    masks = []
    for sigma in (0.0, 0.8, 1.6):
        for share in (0.15, 0.3, 0.6):
            for _ in range(2):
                noise = ndimage.gaussian_filter(generator.standard_normal((14, 17, 12)), sigma)
                masks.append(noise > np.quantile(noise, share))
    return torch.from_numpy(np.stack(masks))


def test_enclosed_agrees_with_scipy(volumes):
    expected = [ndimage.binary_fill_holes(mask) & ~mask for mask in volumes.numpy()]
    assert np.sum(expected) > 0
    assert np.array_equal(enclosed(volumes).numpy(), np.stack(expected))


def test_a_winding_corridor_is_no_hole():
    mask = torch.ones(1, 9, 9, 9, dtype=torch.bool)
    mask[0, 1, 1:8, 4] = mask[0, 1:8, 7, 4] = mask[0, 7, 1:8, 4] = False
    assert int(enclosed(mask).sum()) == 19
    mask[0, 8, 1, 4] = False
    assert int(enclosed(mask).sum()) == 0


def test_stray_parts_agree_with_scipy(volumes):
    sparse = volumes & (torch.rand(volumes.shape, generator=torch.Generator().manual_seed(0)) < 0.15)
    found = outside_largest_part(sparse)
    for mask, stray in zip(sparse.numpy(), found.numpy(), strict=True):
        parts, _ = ndimage.label(mask, np.ones((3, 3, 3)))
        sizes = np.bincount(parts.ravel())[1:]
        assert stray.sum() == sizes.sum() - sizes.max()
        assert np.unique(parts[mask & ~stray]).size == 1
    assert int(found.sum()) > 0


def test_contact_areas_are_counted_faces():
    channels = torch.zeros(2, 4, 4, 4, dtype=torch.int64)
    channels[0, 1:3, 1:3, 1:3] = 1
    channels[0, 3, 1:3, 1:3] = 2
    areas = contact_areas(channels, 3, (1.0, 2.0, 3.0))
    assert areas.shape == (2, 3, 3)
    assert areas[0, 1, 2] == areas[0, 2, 1] == 4 * 6.0  # four faces across H, each 2 mm x 3 mm
    # The block's surface: 8 faces of 6, 8 of 3 and 8 of 2 mm²; the second block's end lies at the border.
    assert areas[0, 1].sum() == 8 * (6.0 + 3.0 + 2.0)
    assert areas[0, 2, 0] == 4 * 6.0 + 4 * 3.0 + 4 * 2.0
    assert areas[1].sum() == areas[0].diagonal().sum() == 0


def test_the_hull_by_slices_lies_in_the_hull_and_holds_the_mask(volumes):
    sparse = volumes & (torch.rand(volumes.shape, generator=torch.Generator().manual_seed(1)) < 0.02)
    hull = hull_by_slices(sparse)
    assert bool((hull | ~sparse).all())
    for mask, filled in zip(sparse.numpy(), hull.numpy(), strict=True):
        # The slices' hulls go round the middles of the pixels' sides.
        corners = np.concatenate([np.argwhere(mask) + half * side for side in np.eye(3) for half in (-0.5, 0.5)])
        planes = ConvexHull(corners).equations
        assert (np.argwhere(filled) @ planes[:, :3].T + planes[:, 3]).max() <= 1e-6


def test_a_cup_is_full_to_its_rim():
    cup = torch.ones(1, 10, 10, 8, dtype=torch.bool)
    cup[0, 2:8, 2:8, 2:] = False
    assert bool(hull_by_slices(cup).all())


def test_boxes(volumes):
    box = bounding_box(torch.nn.functional.pad(volumes, (2, 3, 1, 4, 5, 0)))
    assert [side.stop - side.start for side in box] == [14, 17, 12]
    assert bounding_box(torch.zeros(2, 3, 4, 5, dtype=torch.bool)) == (slice(0, 0),) * 3


@pytest.mark.parametrize("function", [check_volumes, bounding_box, enclosed, outside_largest_part, hull_by_slices])
def test_what_is_no_boolean_volume_is_refused(function):
    with pytest.raises(ShapeError, match=r"boolean masks \(N, H, W, D\)"):
        function(torch.zeros(4, 4, 4, dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"boolean masks \(N, H, W, D\)"):
        function(torch.zeros(1, 4, 4, 4))


@pytest.mark.parametrize("function", [enclosed, outside_largest_part, hull_by_slices])
def test_empty_masks_and_batches_are_no_error(function):
    assert not function(torch.zeros(1, 3, 4, 5, dtype=torch.bool)).any()
    assert function(torch.zeros(1, 0, 0, 0, dtype=torch.bool)).shape == (1, 0, 0, 0)
