"""The lookup of distinct patches against the convolutions that it stands for."""

from __future__ import annotations

import numpy as np
import torch
from monai.data.synthetic import create_test_image_2d

from monai_cardiacgen.networks.blocks.label_patches import LARGEST_SHARE, distinct_patches, is_hard


def blobs(batch: int, size: int, classes: int = 4) -> torch.Tensor:
    """Piecewise constant label maps, one-hot `(batch, classes, size, size)`."""
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
    stacked = torch.stack([torch.as_tensor(one, dtype=torch.int64) for one in label])
    return torch.nn.functional.one_hot(stacked, classes).movedim(-1, 1).float()


def test_every_pixel_finds_the_patch_round_it():
    one_hot = blobs(3, 40)
    patches = distinct_patches(one_hot)
    windows = torch.nn.functional.unfold(one_hot, 5, padding=2)  # (B, C * 25, H * W): another library's patches
    found = patches.one_hot[patches.patch[patches.lookup]].flatten(3)  # (B, H, W, C * 25)
    assert torch.equal(found.flatten(1, 2).movedim(1, 2), windows)
    rows = torch.arange(3).view(3, 1, 1).expand(3, 40, 40)
    assert torch.equal(patches.row[patches.lookup], rows)
    assert torch.equal(patches.centre[patches.lookup], one_hot.argmax(dim=1))


def test_patches_are_distinct_and_far_fewer_than_pixels():
    one_hot = blobs(4, 64)
    patches = distinct_patches(one_hot)
    # At the border equal one-hot patches can differ in what lies outside.
    told_apart = torch.cat([patches.one_hot.flatten(1), patches.inside.flatten(1)], dim=1)
    assert len(torch.unique(told_apart, dim=0)) > 0.5 * len(patches.one_hot)
    assert len(patches.row) < 0.3 * patches.lookup.numel()


def test_hidden_activations_outside_the_image_are_marked():
    patches = distinct_patches(blobs(1, 40))
    corner = patches.inside[patches.patch[patches.lookup[0, 0, 0]], 0]
    assert corner.tolist() == [[0, 0, 0], [0, 1, 1], [0, 1, 1]]
    middle = patches.inside[patches.patch[patches.lookup[0, 20, 20]], 0]
    assert bool(middle.all())


def test_noise_volumes_and_many_classes_take_the_convolutions():
    noise = torch.nn.functional.one_hot(torch.randint(4, (2, 32, 32)), 4).movedim(-1, 1).float()
    assert distinct_patches(noise) is None
    assert LARGEST_SHARE < 1
    assert distinct_patches(torch.zeros(1, 4, 8, 8, 8)) is None
    assert distinct_patches(torch.zeros(1, 8, 64, 64)) is None


def test_soft_labels_are_told_from_hard_ones():
    one_hot = blobs(1, 40)
    assert is_hard(one_hot)
    assert not is_hard(one_hot * 0.5)
    assert not is_hard(torch.ones(1, 2, 4, 4))
