from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from monai_cardiacgen.phantom.scatterers import draw_field
from monai_cardiacgen.phantom.ultrasound import (
    QUALITIES,
    SAMPLE,
    Probe,
    beam_space,
    compress,
    draw_clutter,
    draw_gain,
    draw_noise,
    draw_probe,
    point_spread,
    polar,
    scan_convert,
    screen,
)
from monai_cardiacgen.seeding import seeded


@pytest.fixture
def probe() -> Probe:
    drawn = draw_probe(150.0, seeded(0))
    return dataclasses.replace(drawn, side_lobes=-200.0, focus=80.0, aperture=0.8, half_angle=math.radians(37))


def target(probe: Probe, depth: float) -> torch.Tensor:
    """Return the envelope of one point straight below the probe."""
    return point_spread(beam_space(torch.tensor([[0.0, depth]]), torch.ones(1), probe), probe).abs()


def spread(profile: torch.Tensor, step: float) -> float:
    """Return the standard deviation of a profile's amplitude: a Gaussian's own."""
    place = torch.arange(len(profile)) * step
    mean = (profile * place).sum() / profile.sum()
    return float(((profile * (place - mean) ** 2).sum() / profile.sum()).sqrt())


def test_a_point_is_a_pulse_long_and_a_beam_wide(probe: Probe):
    step = float(probe.beams[1] - probe.beams[0])
    envelope = target(probe, 80.0)
    row, column = divmod(int(envelope.argmax()), envelope.shape[1])
    assert float(probe.depths[row]) == pytest.approx(80, abs=SAMPLE)
    assert float(probe.beams[column]) == pytest.approx(0, abs=1e-6)
    assert spread(envelope[row], step) == pytest.approx(probe.beam_width, rel=0.02)
    assert spread(envelope[:, column], SAMPLE) == pytest.approx(probe.pulse, rel=0.05)


def test_the_beam_is_narrowest_in_angle_at_its_focus_and_widens_in_mm_beyond(probe: Probe):
    step = float(probe.beams[1] - probe.beams[0])
    width = {}
    for depth in (30.0, 80.0, 140.0):
        envelope = target(probe, depth)
        width[depth] = spread(envelope[int(envelope.max(1).values.argmax())], step)
        expected = math.hypot(probe.beam_width, probe.aperture * (1 / depth - 1 / probe.focus))
        assert width[depth] == pytest.approx(expected, rel=0.05)
    assert width[80] < min(width[30], width[140])
    assert width[140] * 140 > width[80] * 80


def test_speckle_is_fully_developed(probe: Probe):
    generator = seeded(1)
    field = draw_field((-40.0, 40.0), (40.0, 140.0), generator)
    echoes = point_spread(beam_space(field.points, field.amplitude, probe), probe)
    rows = (probe.depths > 60) & (probe.depths < 130)
    columns = probe.beams.abs() < math.radians(12)
    part = echoes[rows][:, columns]
    envelope = part.abs()
    # Circular Gaussian echoes: a Rayleigh envelope has mean over standard deviation 1.91, whatever the resolution.
    assert float(envelope.mean() / envelope.std()) == pytest.approx(1.913, rel=0.05)
    assert float((envelope**2).mean()) == pytest.approx(1, rel=0.1)
    assert float((part.real**2).mean() / (part.imag**2).mean()) == pytest.approx(1, rel=0.1)


def test_speckle_is_as_bright_near_as_far(probe: Probe):
    field = draw_field((-40.0, 20.0), (40.0, 140.0), seeded(2))
    echoes = point_spread(beam_space(field.points, field.amplitude, probe), probe).abs() ** 2
    columns = probe.beams.abs() < math.radians(12)
    near, far = (echoes[(probe.depths > low) & (probe.depths < low + 30)][:, columns].mean() for low in (30, 100))
    assert float(10 * torch.log10(near / far)) == pytest.approx(0, abs=1.0)


def test_side_lobes_are_a_pedestal_at_their_level(probe: Probe):
    louder = dataclasses.replace(probe, side_lobes=-20.0)
    envelope = target(louder, 80.0)
    row = envelope[int(envelope.max(1).values.argmax())]
    aside = int((probe.beams - 5 * probe.beam_width).abs().argmin())  # the beam itself has faded to exp(-12.5)
    expected = 0.1 * math.exp(-0.5 * 0.5**2)
    assert float(row[aside] / row.max()) == pytest.approx(expected / (1 + 0.1), rel=0.05)


def test_noise_has_its_level_and_slope(probe: Probe):
    chosen = dataclasses.replace(probe, noise=-10.0, noise_slope=0.1)
    power = (draw_noise(chosen, seeded(3)).abs() ** 2).mean(1)
    for depth in (40, 120):
        near = (chosen.depths - depth).abs() < 10
        expected = -10 + 0.1 * (depth - chosen.focus)
        assert float(10 * torch.log10(power[near].mean())) == pytest.approx(expected, abs=0.5)


def test_clutter_fades_with_depth(probe: Probe):
    power = (draw_clutter(probe, seeded(4)).abs() ** 2).mean(1)
    assert power[:50].mean() > 30 * power[200:250].mean() > 0


def test_compression_is_a_logarithm_cut_to_the_range(probe: Probe):
    chosen = dataclasses.replace(probe, brightness=0.5, dynamic_range=50.0)
    echoes = torch.tensor([1.0, 10.0, 10**0.5, 1e9, 0.0]).to(torch.complex64)
    torch.testing.assert_close(compress(echoes, chosen), torch.tensor([0.5, 0.9, 0.7, 1.0, 0.0]))


def test_scan_conversion_puts_a_point_where_it_was_and_nothing_outside(probe: Probe):
    pixels = screen(probe, 0.308)
    for point in ([0.0, 60.0], [30.0, 90.0], [-45.0, 100.0]):
        echoes = point_spread(beam_space(torch.tensor([point]), torch.ones(1), probe), probe)
        image = scan_convert(echoes.abs(), probe, pixels)
        found = pixels.view(-1, 2)[int(image.argmax())]
        torch.testing.assert_close(found, torch.tensor(point), atol=0.8, rtol=0)
    image = scan_convert(torch.ones(len(probe.depths), len(probe.beams)), probe, pixels)
    depth, angle = polar(pixels)
    outside = (depth < probe.near) | (depth > probe.far) | (angle.abs() > probe.half_angle)
    assert (image[outside] == 0).all()
    torch.testing.assert_close(image[~outside], torch.ones(int((~outside).sum())))


def test_the_screen_holds_the_sector(probe: Probe):
    pixels = screen(probe, 0.308)
    covered = probe.covers(pixels)
    share = covered.float().mean() * (pixels.shape[0] * pixels.shape[1] * 0.308**2)
    assert float(share) == pytest.approx(probe.half_angle * (probe.far**2 - probe.near**2), rel=0.005)
    assert covered[:, 0].sum() <= covered[:, pixels.shape[1] // 2].sum()


def test_shadows_darken_the_rim_on_average(probe: Probe):
    gain = torch.stack([draw_gain(probe, seeded(seed)) for seed in range(12)]).mean(0)
    deep = probe.depths > 60
    rim = probe.beams.abs() > 0.85 * probe.half_angle
    assert gain[deep][:, rim].mean() < gain[deep][:, probe.beams.abs() < 0.3 * probe.half_angle].mean() - 3


def test_qualities_are_drawn_with_their_shares():
    drawn = [draw_probe(150.0, seeded(seed)).quality for seed in range(300)]
    for quality, share in QUALITIES.items():
        assert drawn.count(quality) / 300 == pytest.approx(share, abs=0.12)
