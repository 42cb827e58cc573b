"""Baselines of inpainting against what they must give on images whose answer is known."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.inferers import box_mask
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.vessels.inpainting_baselines import TrainingPatches, inpaint_smoothly

MASK = box_mask((16, 16), 5)


def test_a_slope_is_inpainted_exactly_whatever_the_mask_hid():
    slope = (torch.arange(16.0)[:, None] / 40 + torch.arange(16.0) / 60)[None]
    hidden = slope.masked_fill(MASK, 0.9)
    assert torch.allclose(inpaint_smoothly(hidden, MASK), slope, atol=1e-3)


@pytest.mark.parametrize("corner", [(0, 0), (1, 6), (8, 8), (3, 5)])
def test_the_nearest_window_is_found_at_every_place(corner):
    images = torch.rand(7, 1, 24, 24, generator=seeded(0))
    row, column = corner
    smooth = torch.nn.functional.avg_pool2d(images, 5, 1, 2)  # neighbours alike, as in images
    training = TrainingPatches(smooth, 16)
    window = smooth[4, :, row : row + 16, column : column + 16]
    hidden = window.masked_fill(MASK, 0)
    assert torch.equal(training.nearest(hidden, MASK), window)
    assert torch.equal(training.with_nearest(hidden, MASK), window)


def test_the_nearest_window_has_the_lowest_loss_of_all_near_the_finalists():
    images = torch.rand(5, 1, 18, 18, generator=seeded(1))
    training, query = TrainingPatches(images, 16), torch.rand(1, 16, 16, generator=seeded(2))
    windows = [images[n, :, r : r + 16, c : c + 16] for n in range(5) for r in range(3) for c in range(3)]
    losses = [float((one - query)[0][~MASK].abs().mean()) for one in windows]
    expected = windows[losses.index(min(losses))]
    assert torch.equal(training.nearest(query, MASK), expected)


def test_known_pixels_stay_and_hidden_ones_are_not_looked_at():
    images = torch.rand(3, 1, 20, 20, generator=seeded(3))
    training, query = TrainingPatches(images, 16), torch.rand(1, 16, 16, generator=seeded(4))
    for inpaint in (inpaint_smoothly, training.with_mean, training.with_nearest):
        made = inpaint(query, MASK)
        assert torch.equal(made[:, ~MASK], query[:, ~MASK])
        assert torch.equal(made, inpaint(query.masked_fill(MASK, 0.5), MASK))


def test_the_mean_window_is_that_of_all_patches_and_places():
    images = torch.rand(4, 1, 18, 18, generator=seeded(5))
    expected = images.unfold(2, 16, 1).unfold(3, 16, 1).mean(dim=(0, 2, 3))
    assert torch.allclose(TrainingPatches(images, 16).mean, expected, atol=1e-6)


def test_patches_that_hold_no_window_are_refused():
    with pytest.raises(ShapeError, match="at least 16"):
        TrainingPatches(torch.rand(3, 1, 12, 12), 16)
