"""Label maps with the ultrasound sector and without, in every form that users have."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts, in_sectors

from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS, CAMUS_SECTOR
from monai_cardiacgen.data import ultrasound_sector, with_sector
from monai_cardiacgen.errors import LabelError
from monai_cardiacgen.transforms.sectored_form import SectoredForm, black_outside


@pytest.fixture(scope="module")
def real():
    """Images that are black outside their sectors, and CAMUS's codes without a sector."""
    images, labels = hearts(4, seed=5)
    sectors, _ = in_sectors(labels[:, 0])
    return images.clamp_min(0.02) * sectors[:, None], labels[:, 0]


OWN = (0, 30, 10, 20)


@pytest.mark.parametrize(
    ("codes", "form"),
    [
        (None, lambda label: label[:, None]),
        (OWN, lambda label: torch.tensor(OWN)[label][:, None].to(torch.uint8)),
        ((*OWN, 7), lambda label: torch.tensor(OWN)[label][:, None]),
        (None, lambda label: CAMUS.one_hot(label)),
        (None, lambda label: CAMUS_SECTOR.one_hot(label)),
    ],
    ids=["codes", "own codes", "own codes with the sector's", "one-hot", "one-hot with an empty channel"],
)
def test_a_map_without_a_sector_gets_its_images_and_comes_out_without(real, codes, form):
    image, label = real
    one = SectoredForm(CAMUS_SECTOR, codes)
    read = one.read(form(label), image)
    assert torch.equal(CAMUS_SECTOR.to_codes(read.channels), with_sector(label, image))
    assert torch.equal(read.swept, ultrasound_sector(image))
    assert bool(read.lacking.all())
    back = one.write(read.channels, form(label), read)
    assert torch.equal(back, form(label))
    assert back.dtype == form(label).dtype


def test_a_map_with_a_sector_keeps_its_own(real):
    image, label = real
    narrow = torch.where((label == 0) & (torch.arange(32)[:, None] < 12), 4, label)
    one = SectoredForm(CAMUS_SECTOR)
    read = one.read(narrow[:, None], image)
    assert torch.equal(CAMUS_SECTOR.to_codes(read.channels), narrow)
    assert not bool(read.lacking.any())
    assert torch.equal(read.swept, (narrow == 4) | ((label > 0) & ultrasound_sector(image)))
    assert torch.equal(one.write(read.channels, narrow[:, None], read), narrow[:, None])


def test_each_row_for_itself(real):
    image, label = real
    mixed = torch.cat((label[:2], with_sector(label[2:], image[2:])))[:, None]
    one = SectoredForm(CAMUS_SECTOR)
    read = one.read(mixed, image)
    assert read.lacking.tolist() == [True, True, False, False]
    assert torch.equal(one.write(read.channels, mixed, read), mixed)


def test_stacks_are_read_slice_by_slice(real):
    image, label = real
    stack, codes = image.movedim(0, -1)[None], label.movedim(0, -1)[None, None]
    read = SectoredForm(CAMUS_SECTOR).read(codes, stack)
    alone = SectoredForm(CAMUS_SECTOR).read(label[:, None], image)
    assert torch.equal(read.channels[0].movedim(-1, 0), alone.channels)
    assert torch.equal(read.swept[0].movedim(-1, 0), alone.swept)


def test_schemes_without_a_sector_are_read_as_they_are(real):
    image, label = real
    read = SectoredForm(ACDC).read(label[:, None], image)
    assert read.swept is None
    assert torch.equal(read.channels, label)


def test_codes_that_fit_neither_form_are_refused():
    with pytest.raises(LabelError, match="5 different label_codes"):
        SectoredForm(CAMUS_SECTOR, (0, 1, 2))


def test_nothing_is_shown_where_no_beam_swept(real):
    image, label = real
    swept = ultrasound_sector(image)
    made, new = torch.ones_like(image), torch.tensor([True, True, False, False])
    shifted = with_sector(label, image).roll(3, dims=2)
    result = black_outside(made, image, shifted, swept, new)
    assert bool((result[:2] == torch.where(shifted[:2, None] == 0, image.min(), 1.0)).all())
    assert bool((result[2:] == torch.where(swept[2:, None], 1.0, image[2:])).all())
