"""Copies among honest images: planted ones are found, strangers are not suspected."""

from __future__ import annotations

import warnings

import pytest
import torch
from small_hearts import hearts

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.metrics import find_memorised, find_nearest

PATIENTS = torch.arange(60) // 2


@pytest.fixture(scope="module")
def sets():
    """Training, held-out and honest images of small hearts in varied brightness and surroundings."""
    images = hearts(60 + 60 + 95, seed=3)[0]
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(len(images), 1, 8, 8, generator=generator)
    around = torch.nn.functional.interpolate(coarse, size=images.shape[2:], mode="bilinear")
    return (0.5 * images + 0.5 * around).split((60, 60, 95))


PLANTED = {
    "as it was": lambda image: image,
    "flipped": lambda image: image.flip(-1),
    "upside down": lambda image: image.flip(-2),
    "shifted": lambda image: image.roll((4, -3), (-2, -1)),
    "brightened": lambda image: (1.3 * image + 0.1).clamp(0, 1),
}


def test_five_percent_planted_copies_are_found_and_no_honest_image_is_suspected(sets):
    training, held_out, honest = sets
    sources = [3, 17, 28, 44, 59]
    copies = [change(training[row : row + 1]) for row, change in zip(sources, PLANTED.values(), strict=True)]
    found = find_memorised(torch.cat([honest, *copies]), training, held_out, PATIENTS)
    assert found.copies.nonzero()[:, 0].tolist() == [95, 96, 97, 98, 99]
    assert found.training.index[95:].tolist() == sources
    assert found.chance.shape == (60,)


def test_nearness_is_the_ratio_of_what_the_searches_find(sets):
    training, held_out, honest = (images[:20] for images in sets)
    found = find_memorised(honest, training, held_out, PATIENTS[:20])
    near, other = find_nearest(honest, training).correlation, find_nearest(honest, held_out).correlation
    assert torch.allclose(found.nearness, (1 - other) / (1 - near))
    others = [
        float(find_nearest(held_out[row : row + 1], held_out[PATIENTS[:20] != PATIENTS[row]]).correlation)
        for row in range(20)
    ]
    expected = (1 - torch.tensor(others)) / (1 - find_nearest(held_out, training).correlation)
    assert torch.allclose(found.chance, expected, atol=1e-5)
    assert found.limit == max(2.0, float(found.chance.max()))


def test_blurred_images_which_are_like_everything_are_not_suspected(sets):
    training, held_out, honest = sets
    blurred = torch.nn.functional.avg_pool2d(honest, 9, stride=1, padding=4, count_include_pad=False)
    assert not bool(find_memorised(blurred, training, held_out, PATIENTS).copies.any())


def test_chance_needs_two_patients_and_a_limit_above_1(sets):
    training, held_out, honest = sets
    with pytest.raises(InputError, match="two patients"):
        find_memorised(honest, training, held_out[:2], PATIENTS[:2])
    with pytest.raises(InputError, match="above 1"):
        find_memorised(honest, training, held_out, PATIENTS, least=1.0)


def test_a_training_patient_among_the_held_out_ones_is_left_out_and_told(sets):
    """One scan under two names would make every copy look like chance."""
    training, held_out, honest = sets
    twice = torch.cat([training[10:12], held_out[2:]])  # the first held-out patient's images
    made = torch.cat([honest, training[10:11].flip(-1)])
    with pytest.warns(UserWarning, match="1 held-out patients have the very images of training patients"):
        found = find_memorised(made, training, twice, PATIENTS)
    without = find_memorised(made, training, held_out[2:], PATIENTS[2:])
    assert found.copies.nonzero()[:, 0].tolist() == [95]
    assert torch.equal(found.chance, without.chance)
    assert torch.equal(found.nearness, without.nearness)
    assert torch.equal(found.held_out.index, without.held_out.index + 2)


def test_nobody_is_left_to_tell_chance_by(sets):
    training, held_out, honest = sets
    with (
        pytest.raises(InputError, match="split the scans anew"),
        warnings.catch_warnings(),
    ):
        find_memorised(honest, training, torch.cat([training[:2], held_out[2:4]]), PATIENTS[:4])
