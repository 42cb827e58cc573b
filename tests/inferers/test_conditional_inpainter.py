"""One pass of a network as an inpainter: known pixels stay, and what it expects becomes the z-score."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.inferers import ConditionalInpainter, box_mask
from monai_cardiacgen.networks.nets import InpaintingGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms import InpaintAnatomyd

MASK = box_mask((16, 16), (5, 7), (7, 6))


class Flat(nn.Module):
    """Makes one value everywhere and expects to be off by another."""

    spatial_dims, image_channels = 2, 1

    def __init__(self, value: float, expected: float) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor([value, expected]))

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        return self.values[:, None, None] * torch.ones(len(masked), 2, *masked.shape[2:])


def image() -> torch.Tensor:
    return 0.4 + 0.01 * torch.rand(1, 16, 16, generator=seeded(0))


def test_masked_pixels_are_made_and_scored_by_what_is_expected():
    given = image()
    given[0, MASK] = 0.9
    found = ConditionalInpainter(Flat(0.4, 0.2))(given, MASK)
    assert torch.equal(found.image[0, ~MASK], given[0, ~MASK])
    assert bool((found.image[0, MASK] == 0.4).all())
    assert found.region.shape == (1, 5, 7)
    torch.testing.assert_close(found.anomaly[0], torch.where(MASK, 0.5, 0.0))
    # Laplace's distribution: the mean absolute difference times the square root of 2 is the standard deviation.
    values = torch.distributions.Laplace(0.0, 0.2).sample((200_000,))
    assert float(found.deviation[0, MASK].mean()) == pytest.approx(float(values.std()), rel=0.02)
    torch.testing.assert_close(found.z_score[0, MASK], torch.full((35,), 0.5 / (0.2 * 2**0.5)))
    assert found.z_score[0, ~MASK].max() == 0
    assert found.record() == {"misfit": found.misfit}
    assert found.misfit == pytest.approx(float((given - 0.4)[0, ~MASK].square().mean().sqrt()), rel=1e-5)


def test_the_misfit_and_the_floor_are_the_least_deviation():
    off = ConditionalInpainter(Flat(0.1, 1e-6))(image(), MASK)
    assert float(off.deviation[0, MASK].min()) == pytest.approx(off.misfit)
    assert off.misfit > 0.3
    even = ConditionalInpainter(Flat(0.4, 1e-6), floor=0.03)(torch.full((1, 16, 16), 0.4), MASK)
    assert float(even.deviation.min()) == pytest.approx(0.03)


def test_results_stay_within_the_intensities_of_images():
    assert ConditionalInpainter(Flat(1.7, 0.1))(image(), MASK).image.max() == 1
    assert ConditionalInpainter(Flat(-0.7, 0.1))(image(), MASK).image.min() == 0


def test_a_network_is_left_as_it_came_and_gives_the_same_whatever_is_hidden():
    torch.manual_seed(0)
    network = InpaintingGenerator(2, channels=(4, 8)).train()
    inpainter = ConditionalInpainter(network)
    given = image()
    found = inpainter(given, MASK, seeded(0))
    assert network.training
    assert not found.image.requires_grad
    given[0, MASK] = 0.0
    other = inpainter(given[None], MASK[None, None], seeded(1))
    assert torch.equal(found.image, other.image)
    torch.testing.assert_close(found.z_score_of(given), other.z_score)


def test_it_serves_the_transform():
    transform = InpaintAnatomyd("image", ConditionalInpainter(Flat(0.4, 0.05)), mask_size=5)
    sick = image()
    sick[0, 7:9, 7:9] += 0.4
    found = transform({"image": sick})
    assert float((found["image"] - 0.4).abs().max()) < 0.011
    assert found["image_z_score"][0, 7:9, 7:9].min() > 5
    plain = InpaintAnatomyd("image", ConditionalInpainter(InpaintingGenerator(2, channels=(4, 8))), mask_size=5)
    assert plain({"image": sick})["image_mask"].sum() == 25


def test_bad_input_is_refused():
    inpainter = ConditionalInpainter(InpaintingGenerator(2, channels=(4, 8)))
    with pytest.raises(ShapeError, match="one image"):
        inpainter(torch.rand(2, 16, 16), MASK)
    with pytest.raises(ShapeError, match="one image"):
        inpainter(torch.rand(16, 16), MASK)
    with pytest.raises(ShapeError, match="mask"):
        inpainter(image(), MASK[:8])
    with pytest.raises(ShapeError, match="multiple of 4"):
        inpainter(torch.rand(1, 14, 16), MASK[:14])
    with pytest.raises(InputError, match="bool"):
        inpainter(image(), MASK.float())
    with pytest.raises(InputError, match="empty"):
        inpainter(image(), torch.zeros_like(MASK))
    with pytest.raises(InputError, match="covers all"):
        inpainter(image(), torch.ones_like(MASK))
    with pytest.raises(IntensityError, match="NaN"):
        inpainter(image() * torch.nan, MASK)
    with pytest.raises(InputError, match="floor"):
        ConditionalInpainter(Flat(0.0, 1.0), floor=0)
