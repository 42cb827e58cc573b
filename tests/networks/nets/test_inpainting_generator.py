"""The generator of hidden pixels: it sees none of them, follows the known ones' contrast, and is never certain."""

from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.errors import InputError, ShapeError
from monai_cardiacgen.networks.nets import InpaintingGenerator
from monai_cardiacgen.seeding import seeded


@pytest.fixture
def generator() -> InpaintingGenerator:
    torch.manual_seed(0)
    return InpaintingGenerator(2, channels=(4, 8)).eval()


def masked(image: torch.Tensor, label: float = 0) -> torch.Tensor:
    hidden = torch.zeros(len(image), 1, *image.shape[2:])
    hidden[..., 5:10, 4:12] = 1
    return torch.cat([image, hidden, torch.full_like(hidden, label)], dim=1)


def images(channels: int = 1) -> torch.Tensor:
    return torch.rand(2, channels, 16, 24, generator=seeded(0))


@torch.no_grad()
def test_hidden_pixels_are_not_looked_at(generator):
    one = masked(images())
    other = one.clone()
    other[:, :1][one[:, 1:2] == 1] = 7.0
    other[:, 2:][one[:, 1:2] == 0] = 1  # nor are labels of known ones
    assert torch.equal(generator(one), generator(other))
    other[:, 0, 0, 0] += 0.5
    assert not torch.allclose(generator(one), generator(other))


@torch.no_grad()
def test_gain_and_offset_of_the_image_are_those_of_the_result(generator):
    made, expected, logits = generator(masked(images())).chunk(3, dim=1)
    other, other_expected, other_logits = generator(masked(300 * images() - 40)).chunk(3, dim=1)
    torch.testing.assert_close(other, 300 * made - 40, rtol=0.01, atol=1)
    torch.testing.assert_close(other_expected, 300 * expected, rtol=0.02, atol=0)
    torch.testing.assert_close(other_logits, logits, rtol=0, atol=0.02)


@torch.no_grad()
def test_the_label_of_the_structure_counts(generator):
    unknown, within, beyond = (generator(masked(images(), label)) for label in (0, 1, -1))
    assert not torch.allclose(unknown, within, atol=0.01)
    assert not torch.allclose(within, beyond, atol=0.01)


@torch.no_grad()
def test_expected_differences_are_positive_and_bounded_by_the_contrast(generator):
    generator.output[-1].weight.mul_(1e4)
    one = masked(images())
    expected = generator(one)[:, 1:2]
    assert float(expected.min()) > 0
    for row, largest in zip(one, expected.amax(dim=(1, 2, 3)), strict=True):
        known = row[0][row[1] == 0].std(correction=0)
        assert float(largest) <= math.e**5 * (float(known) + 0.001) * (1 + 1e-4)


@torch.no_grad()
def test_a_constant_image_and_one_without_known_pixels_stay_finite(generator):
    assert torch.isfinite(generator(masked(torch.full((1, 1, 16, 16), 0.4)))).all()
    assert torch.isfinite(generator(torch.ones(1, 3, 16, 16))).all()


def test_channels_have_a_contrast_each():
    torch.manual_seed(0)
    generator = InpaintingGenerator(2, image_channels=2, channels=(4, 8)).eval()
    gains = torch.tensor([200.0, 50.0])[:, None, None]
    with torch.no_grad():
        made = generator(masked(images(2)))[:, :2]
        other = generator(masked(gains * images(2)))[:, :2]
    torch.testing.assert_close(other, gains * made, rtol=0.02, atol=1)


def test_impossible_networks_and_images_are_refused(generator):
    for wrong in ({"channels": (4,)}, {"channels": (4, 1)}, {"image_channels": 0}):
        with pytest.raises(InputError, match="at least 2 levels"):
            InpaintingGenerator(2, **wrong)
    with pytest.raises(ShapeError, match="larger than 4"):
        generator(torch.rand(3, 3, 4, 4))
