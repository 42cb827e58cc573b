"""The spectrum against waves of known frequency."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.metrics import radial_spectrum, spectral_ratio
from monai_cardiacgen.seeding import seeded


def test_the_spectrum_of_a_wave_is_at_its_frequency():
    rows = torch.arange(64.0)
    wave = (0.5 + 0.4 * torch.sin(2 * torch.pi * 10 * rows / 64)).expand(1, 1, 64, 64)
    frequencies, power = radial_spectrum(wave, spacing=2.0)
    assert frequencies[power.argmax()] == pytest.approx(10 / (64 * 2.0))
    assert frequencies[-1] == pytest.approx(0.25)


def test_the_spectrum_of_white_noise_is_flat_and_scales_with_its_variance():
    noise = torch.randn(200, 1, 32, 32, generator=seeded(0))
    _, power = radial_spectrum(noise, 1.0)
    assert power[2:].max() / power[2:].min() < 1.2
    assert spectral_ratio(2 * noise, noise, 1.0) == pytest.approx((4, 4))


def test_blur_lowers_and_a_checkerboard_raises_the_upper_half():
    noise = torch.randn(50, 1, 32, 32, generator=seeded(0))
    blurred = torch.nn.functional.avg_pool2d(noise, 3, 1, 1)
    board = noise + 2 * (torch.arange(32)[:, None] + torch.arange(32)).remainder(2)
    stripes = noise + 2 * torch.arange(32).remainder(2)
    assert spectral_ratio(blurred, noise, 1.0)[1] < 0.2
    assert spectral_ratio(stripes, noise, 1.0)[1] > 1.2
    assert spectral_ratio(board, noise, 1.0)[0] == pytest.approx(1, abs=0.05)


def test_an_image_that_is_not_square_is_refused():
    with pytest.raises(ShapeError, match="square"):
        radial_spectrum(torch.rand(1, 1, 8, 9), 1.0)
