"""Parts of a batch: every row once, every donor at hand, shares that add up."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts, tiny_gan

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.engines.paint_batch import PaintDraw, paint_batches
from monai_cardiacgen.losses import DiffAugment
from monai_cardiacgen.seeding import seeded


def drawn(rows: int = 8, **weights: float) -> tuple[torch.Tensor, torch.Tensor, PaintDraw]:
    image, label = hearts(rows)
    one_hot = ACDC.one_hot(label[:, 0])
    return image, one_hot, tiny_gan(**weights).draw(one_hot, seeded(3))


def test_one_part_is_the_batch():
    image, one_hot, draw = drawn()
    (batch,) = paint_batches(image, one_hot, draw)
    assert batch.guests is None
    assert torch.equal(batch.image, image)
    assert torch.equal(batch.one_hot, one_hot)
    assert torch.equal(batch.style_noise, draw.style_noise)
    assert torch.equal(batch.donor, draw.donor)
    assert (batch.shares.rows, batch.shares.own, batch.shares.foreign) == (1.0, 1.0, 1.0)


@pytest.mark.parametrize("number", [2, 3, 8, 20])
def test_every_row_is_in_one_part_with_its_own_draws_and_its_donor(number):
    image, one_hot, draw = drawn(swapped=0.9, augment=DiffAugment(2))
    batches = paint_batches(image, one_hot, draw, number)
    assert len(batches) == min(number, 8)
    assert torch.equal(torch.cat([batch.image for batch in batches]), image)
    assert torch.equal(torch.cat([batch.one_hot for batch in batches]), one_hot)
    assert torch.equal(torch.cat([batch.noise[-1] for batch in batches]), draw.noise[-1])
    assert torch.equal(torch.cat([batch.views for batch in batches]), draw.views)
    lent_images, lent_noise = [], []
    for batch in batches:
        pool_image, pool_noise = batch.image, batch.style_noise
        if batch.guests is not None:
            pool_image = torch.cat([pool_image, batch.guests.image])
            pool_noise = torch.cat([pool_noise, batch.guests.style_noise])
        lent_images.append(pool_image[batch.donor])
        lent_noise.append(pool_noise[batch.donor])
    assert torch.equal(torch.cat(lent_images), image[draw.donor])
    assert torch.equal(torch.cat(lent_noise), draw.style_noise[draw.donor])


@pytest.mark.parametrize("number", [1, 2, 3])
def test_weighted_means_of_the_parts_add_up_to_the_mean(number):
    image, one_hot, draw = drawn(swapped=0.5)
    value = image.mean(dim=(1, 2, 3))
    own = draw.donor == torch.arange(8)
    batches = paint_batches(image, one_hot, draw, number)
    found = {"rows": 0.0, "own": 0.0, "foreign": 0.0}
    for batch in batches:
        here = batch.image.mean(dim=(1, 2, 3))
        is_own = batch.donor == torch.arange(len(here))
        for name, chosen in (("rows", here), ("own", here[is_own]), ("foreign", here[~is_own])):
            if len(chosen):
                found[name] += getattr(batch.shares, name) * float(chosen.mean())
            else:
                assert getattr(batch.shares, name) == 0
    expected = {"rows": value.mean(), "own": value[own].mean(), "foreign": value[~own].mean()}
    assert found == pytest.approx({name: float(mean) for name, mean in expected.items()}, rel=1e-5)


def test_what_no_row_of_the_whole_batch_does_has_no_share():
    image, one_hot, draw = drawn(swapped=0.0)
    assert {batch.shares.foreign for batch in paint_batches(image, one_hot, draw, 2)} == {None}
    image, one_hot, draw = drawn(swapped=1.0)
    assert {batch.shares.own for batch in paint_batches(image, one_hot, draw, 2)} == {None}
