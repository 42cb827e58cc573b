from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from monai_cardiacgen.phantom.scanner import Scanner, acquire, draw_scanner, draw_sensitivity
from monai_cardiacgen.phantom.stack import Stack
from monai_cardiacgen.seeding import seeded

IDEAL = Scanner(
    flip_angle=0.9,
    repetition_time=3.0,
    noise=0.0,
    sampled=(1.01, 1.01),
    smoothness=0.0,
    coil=0.0,
    coil_reach=120.0,
    field=0.0,
    offset=0.0,
    gain=1000.0,
)
STACK = Stack((1.5, 1.5, 10.0), (96, 80, 3), 8.0, 0.0, (0.0, 0.0), 0.0)


def test_an_ideal_scanner_stores_the_magnitude():
    signal = torch.rand(2, 16, 18, generator=seeded(0)) - 0.5
    torch.testing.assert_close(acquire(signal, IDEAL, seeded(1)), (signal.abs() * 1000).round(), atol=1, rtol=0)


def test_noise_without_signal_is_rayleigh_and_with_signal_rician():
    scanner = dataclasses.replace(IDEAL, noise=0.05)
    dark = acquire(torch.zeros(1, 256, 256), scanner, seeded(2)) / 1000
    assert dark.mean().item() == pytest.approx(0.05 * math.sqrt(math.pi / 2), rel=0.02)
    bright = acquire(torch.full((1, 256, 256), 0.2), scanner, seeded(2)) / 1000
    assert bright.square().mean().item() == pytest.approx(0.2**2 + 2 * 0.05**2, rel=0.02)


def test_measuring_less_of_k_space_blurs_and_a_sharp_edge_rings():
    step = torch.zeros(1, 64, 64)
    step[:, :, 20:44] = 1
    ringing = acquire(step, dataclasses.replace(IDEAL, sampled=(0.6, 0.6)), seeded(0)) / 1000
    smooth = acquire(step, dataclasses.replace(IDEAL, sampled=(0.6, 0.6), smoothness=1.0), seeded(0)) / 1000
    assert 1.05 < ringing.max() < 1.15  # Gibbs: 9 % of the step
    assert smooth.max() < 1.04
    assert smooth.diff(dim=2).abs().max() < 0.7


def test_the_coil_is_brightest_at_the_breast():
    field = draw_sensitivity(dataclasses.replace(IDEAL, coil=1.0), STACK, seeded(3)).mean((0, 1))
    assert field[:15].mean() > 1.15 * field[-15:].mean()


def test_off_resonance_at_the_rim_makes_bands():
    wide = dataclasses.replace(STACK, size=(256, 256, 2))
    assert draw_sensitivity(dataclasses.replace(IDEAL, field=5.0), wide, seeded(3)).min() < 0.3


def test_scanners_differ():
    scanners = [draw_scanner(seeded(seed)) for seed in range(30)]
    for name in ("flip_angle", "noise", "coil", "gain"):
        values = torch.tensor([getattr(scanner, name) for scanner in scanners])
        assert values.std() > 0.1 * values.mean()
