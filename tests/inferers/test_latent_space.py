"""The space of hearts: what is standardised, and what comes back unchanged."""

from __future__ import annotations

import pytest
import torch
from small_hearts import hearts, tiny_vae

from monai_cardiacgen.anatomy.schemes import ACDC, CAMUS_SECTOR
from monai_cardiacgen.errors import LabelError
from monai_cardiacgen.inferers.hearts import Hearts
from monai_cardiacgen.inferers.latent_space import LatentSpace, or_unchanged, standardised
from monai_cardiacgen.networks.nets.anatomical_vae import AnatomicalVAE
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


def test_likeliest_condition_is_the_one_that_a_trained_autoencoder_was_told():
    """Round hearts under one condition, long ones under the other."""
    row, column = torch.meshgrid(torch.arange(32) - 15.5, torch.arange(32) - 15.5, indexing="ij")
    sizes = torch.linspace(5, 8, 12)
    labels = torch.stack(
        [((row / s) ** 2 + (column / (s * (1 + n % 2))) ** 2 < 1).long() * 3 for n, s in enumerate(sizes)]
    )
    conditions = torch.eye(2)[torch.arange(12) % 2]
    torch.manual_seed(0)
    vae = AnatomicalVAE(2, 4, (32, 32), latent_size=1, channels=(8, 16), condition_size=2)
    optimizer = torch.optim.Adam(vae.parameters(), lr=1e-2)
    for _ in range(80):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(vae(ACDC.one_hot(labels), conditions), labels).backward()
        optimizer.step()
    vae.eval()
    latents = vae.encode(ACDC.one_hot(labels), conditions)[0]
    offsets = torch.zeros(12, 2, dtype=torch.int64)
    space = LatentSpace(vae, ACDC, (2.0, 2.0), latents, offsets, check=None, max_draws=1, conditions=conditions)
    assert torch.equal(space.likeliest_condition(labels), conditions)


def test_scheme_with_the_sector_is_refused():
    vae = AnatomicalVAE(2, 5, (32, 32), latent_size=4, channels=(8,)).eval()
    with pytest.raises(LabelError, match="heart alone"):
        LatentSpace(vae, CAMUS_SECTOR, (1, 1), torch.randn(3, 4), torch.zeros(3, 2), check=None, max_draws=1)


def test_without_conditions_there_is_no_likeliest_one():
    _, labels = hearts(3)
    vae = tiny_vae().eval()
    space = LatentSpace(vae, ACDC, (2, 2), torch.randn(3, 4), torch.zeros(3, 2), check=None, max_draws=1)
    assert space.likeliest_condition(labels[:, 0]) is None


def test_what_is_not_valid_comes_back_as_it_was():
    drawn = Hearts.empty(2, (4, 4), 3, torch.device("cpu"))
    drawn.valid[0] = True
    label = torch.ones(2, 4, 4, dtype=torch.uint8)
    result = or_unchanged(drawn, label, torch.full((2, 3), 7.0), torch.full((2, 2), 5))
    assert not result.label[0].any()
    assert bool((result.label[1] == 1).all())
    assert result.latent[:, 0].tolist() == [0.0, 7.0]
    assert result.offset[:, 0].tolist() == [0, 5]
