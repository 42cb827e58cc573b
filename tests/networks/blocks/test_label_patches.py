"""The lookup of distinct patches against the convolutions that it stands for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data.synthetic import create_test_image_2d, create_test_image_3d

from monai_cardiacgen.networks.blocks import label_patches
from monai_cardiacgen.networks.blocks.label_patches import (
    FEW_PIXELS,
    LARGEST_SHARE,
    channels_of,
    distinct_patches,
    is_hard,
)
from monai_cardiacgen.seeding import seeded


def blobs(batch: int, size: int, classes: int = 4) -> torch.Tensor:
    """Piecewise constant label maps `(batch, size, size)`."""
    label = [
        create_test_image_2d(
            size,
            size,
            num_objs=6,
            rad_max=size // 5,
            num_seg_classes=classes - 1,
            random_state=np.random.RandomState(i),
        )[1]
        for i in range(batch)
    ]
    return torch.stack([torch.as_tensor(one, dtype=torch.int64) for one in label])


def balls(batch: int, size: int, classes: int) -> torch.Tensor:
    """Piecewise constant label volumes `(batch, size, size, size)`."""
    label = [
        create_test_image_3d(
            size,
            size,
            size,
            num_objs=2,
            rad_max=size // 4,
            rad_min=size // 6,
            num_seg_classes=classes - 1,
            random_state=np.random.RandomState(i),
        )[1]
        for i in range(batch)
    ]
    return torch.stack([torch.as_tensor(one, dtype=torch.int64) for one in label])


@pytest.mark.parametrize("classes", [4, 9, 40])
@pytest.mark.parametrize("batch", [1, 3])
def test_every_pixel_finds_the_patch_round_it(batch, classes):
    label = blobs(batch, 40, classes)
    patches = distinct_patches(label, classes)
    one_hot = torch.nn.functional.one_hot(label, classes).movedim(-1, 1).float()
    windows = torch.nn.functional.unfold(one_hot, 5, padding=2)  # (B, C * 25, H * W): another library's patches
    found = patches.one_hot[patches.patch[patches.lookup]].flatten(3)  # (B, H, W, C * 25)
    assert torch.equal(found.flatten(1, 2).movedim(1, 2), windows)
    rows = torch.arange(batch).view(-1, 1, 1).expand(batch, 40, 40)
    assert torch.equal(patches.row[patches.lookup], rows)
    assert torch.equal(patches.centre[patches.lookup], label)


def test_every_voxel_finds_the_patch_round_it():
    label = balls(2, 32, 5)
    patches = distinct_patches(label, 5)
    padded = torch.nn.functional.pad(label, (2,) * 6, value=5)
    windows = padded.unfold(1, 5, 1).unfold(2, 5, 1).unfold(3, 5, 1)
    assert torch.equal(patches.label[patches.patch[patches.lookup]], windows)
    rows = torch.arange(2).view(-1, 1, 1, 1).expand(2, 32, 32, 32)
    assert torch.equal(patches.row[patches.lookup], rows)


def test_patches_are_distinct_and_far_fewer_than_pixels():
    patches = distinct_patches(blobs(4, 64), 4)
    assert len(torch.unique(patches.label.flatten(1), dim=0)) == len(patches.label)
    assert len(torch.unique(torch.stack([patches.patch, patches.row]), dim=1)[0]) == len(patches.row)
    assert len(patches.row) < 0.3 * patches.lookup.numel()


def test_hidden_activations_outside_the_image_are_marked():
    patches = distinct_patches(blobs(1, 40), 4)
    corner = patches.inside[patches.patch[patches.lookup[0, 0, 0]], 0]
    assert corner.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    middle = patches.inside[patches.patch[patches.lookup[0, 20, 20]], 0]
    assert bool(middle.all())


def test_noise_takes_the_convolutions_except_on_small_maps():
    noise = torch.randint(4, (2, 64, 64), generator=seeded(0))
    assert distinct_patches(noise, 4) is None
    assert distinct_patches(noise[:, :16, :16], 4) is not None
    assert 2 * 16 * 16 < FEW_PIXELS < noise.numel()
    assert LARGEST_SHARE < 1


@pytest.mark.parametrize("limit", [6**5 + 1, 3])
def test_long_numbers_are_cut_without_a_difference(monkeypatch, limit):
    label = blobs(2, 40, 5)
    expected = distinct_patches(label, 5)
    monkeypatch.setattr(label_patches, "_LIMIT", limit)
    cut = distinct_patches(label, 5)
    for one in (expected, cut):
        assert torch.equal(one.label[one.patch[one.lookup]], expected.label[expected.patch[expected.lookup]])
    assert (len(cut.row), len(cut.label)) == (len(expected.row), len(expected.label))


def test_maps_of_one_class_have_one_patch_inside():
    label = torch.full((2, 9, 9), 3)
    patches = distinct_patches(label, 4)
    inside = patches.lookup[:, 2:-2, 2:-2]
    assert torch.equal(inside, inside[:, :1, :1].expand_as(inside))
    assert bool((patches.label[patches.patch[inside[0, 0, 0]]] == 3).all())
    assert len(patches.label) == 25  # three distances from each border, in either direction: 5 x 5


def test_a_class_that_fills_no_patch_has_none_of_its_own():
    label = torch.zeros(1, 12, 12, dtype=torch.int64)
    label[0, 5:7, 5:7] = 2
    patches = distinct_patches(label, 3)
    assert [int(one[0, 0]) for one in patches.label if bool((one == one[0, 0]).all())] == [0]


def test_soft_labels_are_told_from_hard_ones():
    one_hot = torch.nn.functional.one_hot(blobs(1, 40), 4).movedim(-1, 1).float()
    assert is_hard(one_hot)
    assert not is_hard(one_hot * 0.5)
    assert not is_hard(torch.ones(1, 2, 4, 4))


def test_channels_of_hard_maps_are_argmax():
    one_hot = torch.nn.functional.one_hot(blobs(2, 40), 9).movedim(-1, 1)
    for dtype in (torch.float32, torch.float64, torch.bfloat16):
        assert torch.equal(channels_of(one_hot.to(dtype)), one_hot.argmax(dim=1))
