"""The checkerboard score: near 0 without a grid, what theory says with a planted one, and found behind real layers."""

from __future__ import annotations

import math

import pytest
import torch
from monai.metrics import CumulativeIterationMetric
from torch import nn

from monai_cardiacgen.errors import InputError, IntensityError, ShapeError
from monai_cardiacgen.metrics import CheckerboardMetric, checkerboard_score
from monai_cardiacgen.phantom.apical_patient import draw_apical_heart
from monai_cardiacgen.phantom.echo import ApicalEcho
from monai_cardiacgen.seeding import seeded


def noise(count: int, *size: int) -> torch.Tensor:
    return torch.rand(count, 1, *size, generator=seeded(0))


def board(*size: int) -> torch.Tensor:
    """+1 and -1 in turns along every axis."""
    return (-1.0) ** sum(torch.meshgrid(*map(torch.arange, size), indexing="ij"))


@pytest.mark.parametrize("size", [(96, 64), (100, 67), (24, 32, 24)])
def test_noise_has_no_grid(size):
    periods = (2, 4, 8) if len(size) == 2 else (2,)
    assert float(checkerboard_score(noise(40, *size), periods).mean(dim=0).abs().max()) < 1.0


@pytest.mark.parametrize("amplitude", [0.02, 0.05, 0.1])
def test_planted_checkerboard_scores_what_its_amplitude_says(amplitude):
    """One of the three frequencies of period 2 holds it: the mean ratio is 1 + N a^2 / (9 sigma^2) / 3."""
    images = noise(40, 96, 80)
    ratio = 10 ** (checkerboard_score(images + amplitude * board(96, 80), (2,)) / 10)
    expected = 1 + 96 * 80 * amplitude**2 * 12 / 9 / 3  # uniform noise has the variance 1/12
    assert float(ratio.median()) == pytest.approx(expected, rel=0.15)


def test_planted_checkerboard_in_a_volume():
    ratio = 10 ** (checkerboard_score(noise(20, 32, 24, 24) + 0.1 * board(32, 24, 24), (2,)) / 10)
    assert float(ratio.median()) == pytest.approx(1 + 32 * 24 * 24 * 0.01 * 12 / 27 / 7, rel=0.15)


@pytest.mark.parametrize(("period", "place"), [(2, 0), (4, 1), (8, 2)])
def test_stripes_are_found_at_their_own_period_alone(period, place):
    stripes = 0.05 * torch.cos(torch.arange(96) * 2 * math.pi / period)
    images = 0.5 + 0.1 * noise(20, 96, 96)
    for grid in (stripes[:, None], stripes[None, :]):
        score = checkerboard_score(images + grid).mean(dim=0)
        assert float(score[place]) > 15
        assert float(score[[other for other in range(3) if other != place]].abs().max()) < 1.5


def test_odd_sizes_do_not_hide_a_grid():
    score = checkerboard_score(noise(10, 101, 77) + 0.05 * board(101, 77), (2, 4))
    assert float(score[:, 0].min()) > 8
    assert float(score[:, 1].mean().abs()) < 1.5


def phantoms() -> torch.Tensor:
    images = []
    for seed in range(2):
        generator = seeded(seed)
        image = ApicalEcho(draw_apical_heart(generator), "4CH", generator).image(0.0)[0]
        images.append(nn.functional.interpolate(image[None, None] / 255.0, (128, 128), mode="bilinear", antialias=True))
    return torch.cat(images)


@pytest.fixture(scope="module")
def echo() -> torch.Tensor:
    return phantoms()


def test_phantom_echo_has_no_grid_and_a_faint_one_is_found_in_it(echo):
    plain = checkerboard_score(echo)
    assert float(plain.max()) < 8  # a single image has few frequencies of period 2
    assert float(plain.mean(dim=0).abs().max()) < 3
    faint = checkerboard_score(echo + 0.01 * board(128, 128), (2,))
    assert float(faint.min()) > 20
    corner = torch.zeros(128, 128)
    corner[:48, :48] = board(48, 48)
    assert float((checkerboard_score(echo + 0.05 * corner, (2,)) - plain[:, :1]).min()) > 2


def upsampled(layer) -> torch.Tensor:
    """Images behind three layers that double the size, from smooth ones, with weights as PyTorch draws them."""
    torch.manual_seed(0)
    smooth = nn.functional.interpolate(noise(12, 4, 4), (16, 16), mode="bicubic")
    images = []
    for one in smooth:
        network = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), *[m for _ in range(3) for m in (layer(), nn.LeakyReLU(0.2))]
        )
        with torch.no_grad():
            image = network(one[None]).mean(dim=1, keepdim=True)
        images.append((image - image.min()) / (image.max() - image.min()))
    return torch.cat(images)


def test_transposed_convolutions_leave_their_grid_and_interpolation_does_not():
    transposed = checkerboard_score(upsampled(lambda: nn.ConvTranspose2d(8, 8, 3, 2, 1, 1)))
    assert float(transposed.mean(dim=0).min()) > 10
    interpolated = checkerboard_score(
        upsampled(lambda: nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(8, 8, 3, padding=1)))
    )
    assert float(interpolated.mean(dim=0).max()) < 3


def test_brightness_and_contrast_do_not_matter_where_rounding_does_not():
    images = 0.3 + 0.4 * noise(5, 64, 64) + 0.05 * board(64, 64)
    torch.testing.assert_close(checkerboard_score(0.5 * images + 0.2), checkerboard_score(images), atol=0.05, rtol=0)


def test_a_pattern_below_rounding_is_not_counted():
    smooth = torch.linspace(0, 1, 64).expand(1, 1, 64, 64)
    plain = checkerboard_score(smooth)
    assert float(plain.abs().max()) < 1
    torch.testing.assert_close(checkerboard_score(smooth + 1e-6 * board(64, 64)), plain, atol=0.01, rtol=0)
    assert float(checkerboard_score(smooth + 1e-2 * board(64, 64))[0, 0]) > 20


def test_metric_gathers_batches_as_monais_do():
    metric = CheckerboardMetric(periods=(2, 4))
    assert isinstance(metric, CumulativeIterationMetric)
    images = noise(7, 64, 64)
    metric(images[:4])
    metric([*images[4:]])  # a list of channel-first images, as decollated batches are
    expected = checkerboard_score(images, (2, 4))
    torch.testing.assert_close(metric.aggregate(), expected.mean(dim=0))
    torch.testing.assert_close(metric.aggregate("none"), expected)
    metric.reset()
    with pytest.raises(InputError, match="none"):
        metric.aggregate()


def test_unfit_images_and_periods_are_refused():
    with pytest.raises(ShapeError, match="at least 64 pixels"):
        checkerboard_score(noise(1, 60, 80))
    with pytest.raises(ShapeError, match="B, C, H, W"):
        checkerboard_score(torch.rand(64, 64))
    for periods in ((), (3,), (1, 2)):
        with pytest.raises(InputError, match="powers of 2"):
            checkerboard_score(noise(1, 64, 64), periods)
    with pytest.raises(IntensityError, match="constant"):
        checkerboard_score(torch.cat([noise(1, 64, 64), torch.ones(1, 1, 64, 64)]))
    with pytest.raises(IntensityError, match="finite"):
        checkerboard_score(noise(1, 64, 64) * torch.nan)
