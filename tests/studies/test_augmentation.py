"""Ordinary augmentation: geometry against independent formulas, batches against their elements."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.augmentation import OrdinaryAugmentation

NOTHING = {
    "rotation": 0, "shift": 0, "scale": 0, "flip": 0, "gamma": 0, "contrast": 0, "brightness": 0, "noise": 0,
}  # fmt: skip


def blob(height=40, width=56):
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    image = torch.exp(-((y - 14.0) ** 2 / 40 + (x - 33.0) ** 2 / 90))
    return image[None, None], (image > 0.4).to(torch.int64)[None, None] * 3


def test_nothing_drawn_nothing_done():
    image, label = blob()
    moved, moved_label = OrdinaryAugmentation(**NOTHING)(image, label, seeded(0))
    torch.testing.assert_close(moved, image, atol=1e-5, rtol=0)
    assert torch.equal(moved_label, label)


def test_rotation_is_rigid_on_oblong_images():
    image, label = blob()
    augment = OrdinaryAugmentation(**{**NOTHING, "rotation": 40})
    draw = augment.sample(1, seeded(4))
    angle = float(torch.rad2deg(torch.atan2(draw.matrix[0, 1, 0], draw.matrix[0, 0, 0])))
    moved, _ = augment.apply(image, label, draw)
    expected = ndimage.rotate(image[0, 0].numpy(), angle, reshape=False, order=1)
    assert abs(angle) > 4
    np.testing.assert_allclose(moved[0, 0].numpy(), expected, atol=0.02)


def test_shift_and_flip_move_the_centre_of_mass():
    image, label = blob()
    augment = OrdinaryAugmentation(**{**NOTHING, "shift": 0.1})
    draw = augment.sample(1, seeded(1))
    moved, _ = augment.apply(image, label, draw)
    before, after = (np.array(ndimage.center_of_mass(x[0, 0].numpy())) for x in (image, moved))
    x_shift, y_shift = (draw.matrix[0, :, 2].numpy() / 2) * np.array([56, 40])
    np.testing.assert_allclose(before - after, [y_shift, x_shift], atol=0.1)

    flipped, _ = OrdinaryAugmentation(**{**NOTHING, "flip": 1.0})(image, label, seeded(0))
    torch.testing.assert_close(flipped, image.flip(2, 3), atol=1e-5, rtol=0)


def test_image_and_label_move_together():
    image, label = blob()
    image = (label > 0).float()
    moved, moved_label = OrdinaryAugmentation(**{**NOTHING, "rotation": 30, "shift": 0.1, "scale": 0.15, "flip": 0.5})(
        image, label, seeded(2)
    )
    assert ((moved > 0.5) == (moved_label > 0)).float().mean() > 0.995
    assert set(moved_label.unique().tolist()) <= {0, 3}


def test_a_batch_equals_its_elements():
    torch.manual_seed(0)
    image, label = torch.rand(3, 1, 16, 24), torch.randint(0, 4, (3, 1, 16, 24))
    augment = OrdinaryAugmentation(noise=0.0)
    draw = augment.sample(3, seeded(3))
    whole, whole_label = augment.apply(image, label, draw)
    for row in range(3):
        tensors = {
            field.name: getattr(draw, field.name)[row : row + 1]
            for field in dataclasses.fields(draw)
            if field.name != "seed"
        }
        one, one_label = augment.apply(image[row : row + 1], label[row : row + 1], dataclasses.replace(draw, **tensors))
        torch.testing.assert_close(one[0], whole[row])
        assert torch.equal(one_label[0], whole_label[row])


@pytest.mark.parametrize("seed", [0, 1])
def test_same_seed_same_slices_within_range(seed):
    image, label = blob()
    first, second = (OrdinaryAugmentation()(image, label, seeded(seed)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert float(first[0].min()) >= 0
    assert float(first[0].max()) <= 1
    assert first[1].dtype == torch.int64
