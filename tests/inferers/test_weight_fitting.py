"""Fitting a copy of the generator to one image."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.inferers import box_mask
from monai_cardiacgen.inferers.weight_fitting import fit_to_image
from monai_cardiacgen.networks.nets import WGANGenerator

MASK = box_mask((8, 8), 3)


@pytest.fixture
def generator() -> WGANGenerator:
    torch.manual_seed(0)
    return WGANGenerator(2, 8, latent_size=4, features=4).requires_grad_(False)


def test_the_known_pixels_come_nearer_and_the_generator_stays(generator):
    torch.manual_seed(1)
    latent, image = torch.randn(4), 0.2 + 0.6 * torch.rand(1, 8, 8)
    weights = {name: value.clone() for name, value in generator.state_dict().items()}
    begun = generator(latent[None])[0]
    few, many = (fit_to_image(generator, latent, image, MASK, steps, rate=5e-3) for steps in (5, 100))
    away = [float((one - image)[:, ~MASK].abs().mean()) for one in (begun, few, many)]
    assert away[0] > away[1] > 2 * away[2]
    assert all(torch.equal(value, weights[name]) for name, value in generator.state_dict().items())
    assert not any(weight.requires_grad for weight in generator.parameters())


def test_hidden_pixels_are_not_looked_at(generator):
    latent, image = torch.ones(4), torch.full((1, 8, 8), 0.4)
    other = image.masked_fill(MASK, 0.9)
    with torch.no_grad():
        assert torch.equal(*(fit_to_image(generator, latent, one, MASK, 3) for one in (image, other)))


def test_impossible_arguments_are_refused(generator):
    image = torch.zeros(1, 8, 8)
    for settings in ({"steps": 0}, {"rate": 0.0}, {"latent_rate": -1.0}):
        with pytest.raises(InputError, match="at least one step"):
            fit_to_image(generator, torch.ones(4), image, MASK, **settings)
    with pytest.raises(InputError, match="0 known pixels"):
        fit_to_image(generator, torch.ones(4), image, torch.ones(8, 8, dtype=torch.bool))
