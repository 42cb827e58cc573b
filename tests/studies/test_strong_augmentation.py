"""The strong augmentation: shapes, range, seeds, geometry."""

from __future__ import annotations

import math

import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies import strong_augmentation
from monai_cardiacgen.studies.strong_augmentation import StrongAugmentation


@pytest.fixture
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    label = torch.zeros(6, 1, 48, 40, dtype=torch.int64)
    label[:, :, 16:32, 14:26] = 1
    label[:, :, 20:28, 17:23] = 3
    image = 0.2 + 0.2 * label.to(torch.float32) + 0.02 * torch.rand(label.shape, generator=seeded(1))
    return image, label


def test_sizes_range_and_codes(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    image, label = StrongAugmentation((32, 24))(*batch, seeded(0))
    assert image.shape == label.shape == (6, 1, 32, 24)
    assert float(image.min()) >= 0
    assert float(image.max()) <= 1
    assert bool(torch.isfinite(image).all())
    assert set(label.unique().tolist()) == {0, 1, 3}
    assert label.dtype == torch.int64


def test_same_seed_same_slices_and_the_input_is_left_alone(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    before = batch[0].clone()
    first, again, other = (StrongAugmentation((32, 32))(*batch, seeded(seed))[0] for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(batch[0], before)


def test_image_and_label_move_together(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    _, label = batch
    moved, moved_label = StrongAugmentation((48, 40))(label / 3, label, seeded(5))
    for row in range(len(label)):
        inside = moved_label[row] == 3
        assert float(moved[row][inside].mean()) > float(moved[row][moved_label[row] == 0].mean()) + 0.2


def test_rotation_is_rigid_on_sides_of_any_length(
    batch: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_SCALE", "_ASPECT", "_SHIFT", "_ELASTIC"):
        monkeypatch.setattr(strong_augmentation, name, 0.0)
    monkeypatch.setattr(strong_augmentation, "_ANGLE", math.pi / 2)
    _, label = batch
    _, moved = StrongAugmentation((48, 40))(label.to(torch.float32), label, seeded(0))
    areas = (moved > 0).flatten(1).sum(dim=1) / (label > 0).flatten(1).sum(dim=1)
    assert areas.tolist() == pytest.approx([1.0] * 6, abs=0.06)


def test_nothing_drawn_is_the_middle(batch: tuple[torch.Tensor, torch.Tensor], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strong_augmentation, "_chosen", lambda rows, *_: torch.zeros(rows))
    monkeypatch.setattr(strong_augmentation, "_SHIFT", 0.0)
    image, label = StrongAugmentation((32, 24))(*batch, seeded(0))
    assert torch.allclose(image, batch[0][:, :, 8:40, 8:32], atol=1e-5)
    assert torch.equal(label, batch[1][:, :, 8:40, 8:32])


def test_blur_is_a_gaussian(batch: tuple[torch.Tensor, torch.Tensor]) -> None:
    image = batch[0][:2]
    blurred = strong_augmentation._blurred(image, torch.tensor([0.6, 1.4]))
    for row, sigma in enumerate((0.6, 1.4)):
        expected = ndimage.gaussian_filter(image[row, 0].numpy(), sigma, mode="nearest", radius=3)
        assert torch.allclose(blurred[row, 0], torch.from_numpy(expected), atol=1e-5)
