"""Drawn patches beside real ones."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.metrics import RandomFeatures, kernel_distance_with_error
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.vessels.patch_realism import patch_realism
from monai_cardiacgen.studies.vessels.vessel_networks import VesselGAN, new_vessel_gan


def patches(images: torch.Tensor) -> list[dict]:
    return [{"image": image, "patient": f"p{number % 4}"} for number, image in enumerate(images)]


@pytest.fixture(scope="module")
def gan() -> VesselGAN:
    networks = new_vessel_gan(32, 2, 5, 0)
    return VesselGAN(networks.generator, networks.critic, {"spacing": 2.0}).eval()


def test_its_own_patches_are_nearer_than_noise(gan):
    own = gan.sample(40, seeded(7))
    near = patch_realism(gan, patches(own), seed=1)
    far = patch_realism(gan, patches(torch.rand(40, 1, 32, 32, generator=seeded(2))), seed=1)
    assert abs(near["kid"]) < 3 * near["kid_standard_error"] + 1e-9
    assert far["kid"] > 3 * far["kid_standard_error"]
    assert near["fine_power"] == pytest.approx(1, abs=0.5)
    assert (near["patches"], near["patients"]) == (40, 4)


def test_larger_patches_give_their_middle(gan):
    large = torch.rand(12, 1, 40, 40, generator=seeded(3))
    found = patch_realism(gan, patches(large), seed=4)
    features = RandomFeatures()
    expected = kernel_distance_with_error(
        features(gan.sample(12, seeded(4))),
        features(large[..., 4:36, 4:36]),
        "any",
        real_groups=torch.arange(12) % 4,
    )
    assert found["kid"] == pytest.approx(expected.value, rel=1e-4)


def test_two_patients_are_too_few(gan):
    with pytest.raises(InputError, match="three groups"):
        patch_realism(gan, patches(torch.rand(2, 1, 32, 32)))
