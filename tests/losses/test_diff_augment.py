"""Augmentation of what a discriminator sees: pairs stay pairs, gradients pass, and each part does what it says."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.losses import DiffAugment
from monai_cardiacgen.seeding import row_generators, seeded


def pairs(rows=6, size=(24, 20), classes=4):
    """Images that are a function of their label map, so that a pair that no longer matches shows."""
    label = torch.randint(classes, (rows, *size), generator=seeded(1))
    one_hot = torch.nn.functional.one_hot(label, classes).movedim(-1, 1).float()
    return (1 + label[:, None].float()) / classes, one_hot


def draws(augment, rows=6, seed=0):
    return augment.draw(row_generators(seeded(seed), rows))


@pytest.mark.parametrize("size", [(24, 20), (12, 10, 8)])
def test_image_and_label_map_are_moved_and_blanked_together(size):
    augment = DiffAugment(len(size), brightness=0, contrast=0, translation=0.25, cutout=0.4)
    image, one_hot = pairs(size=size)
    seen, label = augment(image, one_hot, draws(augment))
    expected = torch.einsum("bc...,c->b...", label, torch.tensor([0.25, 0.5, 0.75, 1.0]))[:, None]
    torch.testing.assert_close(seen, expected)  # where the label says nothing, the image is 0
    assert set(label.unique().tolist()) == {0.0, 1.0}
    assert set(label.sum(dim=1).unique().tolist()) == {0.0, 1.0}
    assert not torch.equal(seen, image)


def test_translation_is_monais_shift_by_whole_pixels():
    augment = DiffAugment(2, brightness=0, contrast=0, translation=0.25, cutout=0)
    image, one_hot = pairs(rows=1)
    drawn = torch.tensor([[0.5, 0.5, 0.999, 0.0, 0.5, 0.5]])  # +6 of 24 rows, -5 of 20 columns
    seen, label = augment(image, one_hot, drawn)
    assert torch.equal(seen[..., 6:, :-5], image[..., :-6, 5:])
    assert torch.equal(label[..., 6:, :-5], one_hot[..., :-6, 5:])
    assert int((seen == 0).sum()) == 24 * 20 - 18 * 15


def test_translations_reach_both_ends_and_all_steps_alike():
    augment = DiffAugment(2, brightness=0, contrast=0, translation=0.125, cutout=0)
    image = torch.zeros(1400, 1, 16, 16)
    image[:, :, 8, 8] = 1
    seen, _ = augment(image, image, draws(augment, 1400))
    counts = seen[:, 0].sum(dim=(0, 2))[6:11]
    assert int(counts.sum()) == 1400
    assert float((counts / 280 - 1).abs().max()) < 0.25  # five steps, 280 each


def test_cutout_blanks_a_box_of_its_side_that_may_stand_out():
    augment = DiffAugment(2, brightness=0, contrast=0, translation=0, cutout=0.5)
    image, one_hot = pairs(rows=1)
    inside = augment(image, one_hot, torch.tensor([[0.5, 0.5, 0.5, 0.5, 0.5, 0.5]]))[0]
    assert int((inside == 0).sum()) == 12 * 10
    corner = augment(image, one_hot, torch.tensor([[0.5, 0.5, 0.5, 0.5, 0.0, 0.0]]))[0]
    assert int((corner[..., :6, :5] == 0).sum()) == int((corner == 0).sum()) == 6 * 5


def test_brightness_adds_and_contrast_stretches_about_the_mean():
    image, one_hot = pairs()
    brighter = DiffAugment(2, brightness=0.25, contrast=0, translation=0, cutout=0)
    drawn = draws(brighter)
    seen, label = brighter(image, one_hot, drawn)
    torch.testing.assert_close((seen - image).flatten(1).mean(dim=1), 0.5 * drawn[:, 0] - 0.25)
    assert torch.equal(label, one_hot)
    stretched = DiffAugment(2, brightness=0, contrast=0.5, translation=0, cutout=0)
    seen, label = stretched(image, one_hot, drawn)
    torch.testing.assert_close(seen.flatten(1).mean(dim=1), image.flatten(1).mean(dim=1))
    torch.testing.assert_close(seen.flatten(1).std(dim=1) / image.flatten(1).std(dim=1), 0.5 + drawn[:, 1])
    assert torch.equal(label, one_hot)


def test_all_off_changes_nothing():
    augment = DiffAugment(2, brightness=0, contrast=0, translation=0, cutout=0)
    image, one_hot = pairs()
    seen, label = augment(image, one_hot, draws(augment))
    torch.testing.assert_close(seen, image)
    assert torch.equal(label, one_hot)


@pytest.mark.parametrize("size", [(6, 5), (4, 3, 4)])
def test_gradients_pass_through_everything(size):
    augment = DiffAugment(len(size), translation=0.3)
    image, one_hot = pairs(rows=2, size=size)
    image, one_hot = image.double().requires_grad_(), one_hot.double().requires_grad_()
    drawn = draws(augment, 2)
    assert torch.autograd.gradcheck(lambda x, m: augment(x, m, drawn), (image, one_hot))


def test_a_row_depends_on_its_own_generator_alone():
    augment = DiffAugment(2)
    image, one_hot = pairs()
    together = draws(augment)
    assert torch.equal(together, draws(augment))
    alone = augment.draw(row_generators(seeded(0), 6)[2:3])
    assert torch.equal(alone[0], together[2])
    seen = augment(image, one_hot, together)[0]
    assert torch.equal(seen[2:3], augment(image[2:3], one_hot[2:3], alone)[0])


def test_it_holds_nothing_that_a_checkpoint_would_have_to_keep():
    assert not DiffAugment(2).state_dict()


def test_unfit_arguments_are_refused():
    for wrong in ({"brightness": -0.1}, {"contrast": 1.0}, {"translation": 1.5}, {"cutout": -1}):
        with pytest.raises(InputError, match="switches one off"):
            DiffAugment(2, **wrong)
    with pytest.raises(InputError, match="spatial_dims"):
        DiffAugment(4)
    augment = DiffAugment(2)
    image, one_hot = pairs()
    for unfit in ((image[:3], one_hot), (image[..., 1:], one_hot), (image[0], one_hot[0])):
        with pytest.raises(ShapeError, match="a row of draws"):
            augment(*unfit, draws(augment))
    with pytest.raises(ShapeError, match="a row of draws"):
        augment(image, one_hot, draws(augment, 5))
