"""Rows mirrored across the beam with their labels, or as they are."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies import MirroredBatch

BATCH = {
    "image": torch.arange(40 * 12, dtype=torch.float32).view(40, 1, 4, 3),
    "label": torch.arange(40 * 12).view(40, 1, 4, 3),
}


def test_half_the_rows_are_mirrored_along_the_first_axis_image_and_label_alike():
    image, label = MirroredBatch(0.5)(BATCH, "cpu")
    assert torch.equal(image.long(), label)
    same = (label == BATCH["label"]).flatten(1).all(dim=1)
    assert 10 <= int(same.sum()) <= 30
    expected = torch.from_numpy(BATCH["label"].numpy()[:, :, ::-1].copy())
    assert torch.equal(label[~same], expected[~same])


def test_without_mirroring_a_batch_is_as_it_was():
    image, label = MirroredBatch(0)(BATCH, "cpu")
    assert torch.equal(image, BATCH["image"])
    assert torch.equal(label, BATCH["label"])


def test_a_seed_repeats():
    one, other = MirroredBatch(0.5), MirroredBatch(0.5)
    one.generator = seeded(3)
    other.generator = seeded(3)
    assert torch.equal(one(BATCH, "cpu")[1], other(BATCH, "cpu")[1])
    assert not torch.equal(one(BATCH, "cpu")[1], MirroredBatch(0.5)(BATCH, "cpu")[1])


def test_a_probability_beyond_1_is_refused():
    with pytest.raises(InputError, match="probability"):
        MirroredBatch(1.5)
