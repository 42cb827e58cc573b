"""The space of hearts: what is standardised, and what comes back unchanged."""

from __future__ import annotations

import torch
from small_hearts import hearts, tiny_vae

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.inferers.hearts import Hearts
from monai_cardiacgen.inferers.latent_space import LatentSpace, or_unchanged, standardised
from monai_cardiacgen.seeding import seeded


def test_points_have_no_mean_and_unit_deviation():
    latents = 3 + 2 * torch.randn(50, 4, generator=seeded(0))
    offsets = torch.randint(-9, 9, (50, 2), generator=seeded(1))
    points, location, scale = standardised(latents, offsets)
    torch.testing.assert_close(points.mean(dim=0), torch.zeros(6), atol=1e-5, rtol=0)
    torch.testing.assert_close(points.std(dim=0), torch.ones(6))
    torch.testing.assert_close(points * scale + location, torch.cat((latents, offsets.float()), dim=1))


def test_points_become_latents_and_whole_places_again():
    _, labels = hearts(6)
    vae = tiny_vae().eval()
    with torch.no_grad():
        latents = vae.encode(ACDC.one_hot(labels[:, 0]))[0]
    offsets = torch.randint(-3, 4, (6, 2), generator=seeded(1))
    space = LatentSpace(vae, ACDC, (2.0, 2.0), latents, offsets, check=None, max_draws=1)
    latent, place = space.latent_and_place(space.points())
    torch.testing.assert_close(latent, latents)
    assert torch.equal(place, offsets)


def test_what_is_not_valid_comes_back_as_it_was():
    drawn = Hearts.empty(2, (4, 4), 3, torch.device("cpu"))
    drawn.valid[0] = True
    label = torch.ones(2, 4, 4, dtype=torch.uint8)
    result = or_unchanged(drawn, label, torch.full((2, 3), 7.0), torch.full((2, 2), 5))
    assert not result.label[0].any()
    assert bool((result.label[1] == 1).all())
    assert result.latent[:, 0].tolist() == [0.0, 7.0]
    assert result.offset[:, 0].tolist() == [0, 5]
