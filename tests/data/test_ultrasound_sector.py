"""Sectors drawn by hand are found, and CAMUS's experts' hearts lie in them."""

from __future__ import annotations

import math

import nibabel as nib
import numpy as np
import pytest
import torch
from conftest import REAL_DATA

from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR
from monai_cardiacgen.data.camus import read_camus
from monai_cardiacgen.data.ultrasound_sector import ultrasound_sector, with_sector
from monai_cardiacgen.errors import IntensityError, LabelError, ShapeError


def sector(size: int = 96, half_angle: float = 40.0) -> torch.Tensor:
    """Return a sector of a circle about the middle of the first column."""
    x, y = torch.meshgrid(torch.arange(size) - (size - 1) / 2, torch.arange(size) + 0.0, indexing="ij")
    return (torch.hypot(x, y) < 0.9 * size) & (torch.atan2(x.abs(), y + 1e-6) < math.radians(half_angle))


def speckle(mask: torch.Tensor, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return mask * (1 + torch.rand(mask.shape, generator=generator))


def test_holes_dropouts_and_letters_do_not_matter():
    masks = torch.stack((sector(), sector(half_angle=35)))
    images = speckle(masks, 0)[:, None]
    images[:, :, 40:60, 30:50] = 0  # a dark cavity
    images[0, :, 20:45, 60:66] = 0  # a dropout inside
    images[:, :, 2:8, 2:5] = 3  # a letter outside
    found = ultrasound_sector(images)
    assert found.dtype == torch.bool
    overlap = (found & masks).sum(dim=(1, 2)) / (found | masks).sum(dim=(1, 2))
    assert overlap.min() > 0.97


def test_each_of_a_batch_alone_and_a_background_other_than_zero():
    images = torch.stack([speckle(sector(half_angle=angle), 1) for angle in (30.0, 44.0)])[:, None]
    together = ultrasound_sector(images)
    for number in range(2):
        assert torch.equal(together[number], ultrasound_sector(5 * images[number : number + 1] - 7)[0])


def test_the_heart_keeps_its_pixels():
    mask = sector()
    label = torch.zeros(1, 96, 96, dtype=torch.uint8)
    label[0, 40:60, 30:50] = 1
    label[0, 0:4, 90:96] = 3  # beyond the sector
    codes = with_sector(label, speckle(mask, 2)[None, None])
    assert codes.dtype == torch.int64
    assert torch.equal(codes * (label > 0), label.long())
    assert (codes == 4).sum() == pytest.approx(int((mask & (label[0] == 0)).sum()), rel=0.03)
    assert set(codes.unique().tolist()) == {0, 1, 3, 4} <= set(CAMUS_SECTOR.codes)


def test_bad_input():
    with pytest.raises(ShapeError, match="pass 2D images of one channel"):
        ultrasound_sector(torch.zeros(96, 96))
    with pytest.raises(IntensityError, match="leave out this case"):
        ultrasound_sector(torch.ones(1, 1, 8, 8))
    image = speckle(sector(), 0)[None, None]
    with pytest.raises(ShapeError, match="labels"):
        with_sector(torch.zeros(1, 96, 95), image)
    with pytest.raises(LabelError, match="CAMUS"):
        with_sector(torch.full((1, 96, 96), 4), image)


@pytest.mark.real_data
def test_real_hearts_lie_in_their_sector():
    folder = REAL_DATA / "camus" / "database_nifti"
    if not folder.is_dir():
        pytest.skip("the real CAMUS cases are not on this machine")
    items = read_camus(folder)[::80]
    images, labels = (
        torch.stack([torch.from_numpy(np.asarray(nib.load(item[key]).dataobj).astype(np.int64)) for item in items])
        for key in ("image", "label")
    )
    found = ultrasound_sector(images[:, None])
    heart = labels > 0
    inside = (found & heart).sum(dim=(1, 2)) / heart.sum(dim=(1, 2))
    assert inside.median() > 0.95
    assert inside.min() > 0.8
    assert ((images > 0) & ~found).sum() == 0  # nothing is shown outside
    assert ((images > 0) & found).sum() / found.sum() > 0.97
    assert torch.equal(CAMUS.to_channels(labels) > 0, (with_sector(labels, images[:, None]) % 4) > 0)
