"""One pass of a network as an inpainter: known pixels stay, and what it expects becomes the z-score."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.inferers import ConditionalInpainter, box_mask
from monai_cardiacgen.inferers.conditional_inpainter import expected_set
from monai_cardiacgen.networks.nets import InpaintingGenerator
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms import InpaintAnatomyd

MASK = box_mask((16, 16), (5, 7), (7, 6))


class Flat(nn.Module):
    """Makes one value everywhere, expects to be off by another, and paints a third where it is told a structure."""

    spatial_dims, image_channels = 2, 1

    def __init__(self, value: float, expected: float, structure: float | None = None) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.tensor([value, expected, value if structure is None else structure]))
        self.logits = torch.full((16, 16), -4.0)

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        value, expected, structure = self.values
        made = torch.where(masked[:, 2:] == 1, structure, value)
        return torch.cat([made, expected.expand_as(made), self.logits.expand_as(made)], dim=1)


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


def test_the_structure_is_painted_where_it_is_likeliest_in_the_size_that_is_expected():
    network = Flat(0.4, 0.1, structure=0.8)
    probability = torch.zeros(16, 16)
    probability[6:9, 5:8] = 0.45  # nine pixels, none of them more likely than not: 4.05 are expected
    probability[7, 5:8] += 0.03
    probability[6, 6] += 0.01
    probability[0, 0] = 0.9  # a known pixel
    network.logits = probability.clamp(1e-6).logit()
    found = ConditionalInpainter(network)(image(), MASK)
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[7, 5:8] = expected[6, 6] = True
    assert torch.equal(found.image[0] == 0.8, expected)
    assert bool((found.image[0, MASK & ~expected] == 0.4).all())


def test_the_expected_set_of_a_disc_that_may_lie_elsewhere_has_its_area():
    """Where it is more likely than not is smaller."""
    places = torch.arange(40.0)
    draws = 20 + 3 * torch.randn(2000, 2, generator=seeded(0))
    discs = torch.hypot(places[:, None] - draws[:, :1, None], places - draws[:, 1:, None]) < 6
    probability = discs.float().mean(dim=0)
    found = expected_set(probability)
    assert int(found.sum()) == pytest.approx(math.pi * 36, abs=1.5)
    assert int((probability > 0.5).sum()) < 0.8 * math.pi * 36
    rows, columns = torch.nonzero(found).double().mean(dim=0).tolist()
    assert (rows, columns) == pytest.approx((20, 20), abs=0.5)


def test_nothing_is_expected_of_what_is_impossible():
    assert not expected_set(torch.zeros(3, 4)).any()
    assert expected_set(torch.ones(3, 4)).all()


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
