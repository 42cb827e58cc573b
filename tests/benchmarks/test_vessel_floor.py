"""The bound for every inpainting of the phantom's aorta: against what the draws' ranges say by themselves."""

from __future__ import annotations

import math

import pytest
import torch

from benchmarks import vessel_floor
from benchmarks.vessel_floor import least_errors, other_aortas
from monai_cardiacgen.phantom.thorax import DESCENDING, SWAY
from monai_cardiacgen.phantom.volume_grid import axial_grid
from monai_cardiacgen.phantom.write_mmwhs import whole_heart_phantom
from monai_cardiacgen.seeding import seeded


def test_least_errors_are_those_of_uniform_draws():
    # Of a uniform draw from [-a, a] the mean distance from the middle is a / 2; of one in a line, so is the position's.
    draws = torch.rand(200_000, 1, 3, generator=seeded(0)) * torch.tensor([6.0, 0.0, 2.0])
    position, perimeter = least_errors(draws)
    assert position.item() == pytest.approx(1.5, rel=0.01)
    assert perimeter.item() == pytest.approx(2 * math.pi * 0.5, rel=0.01)


def test_other_aortas_stay_within_their_ranges_and_hold_the_patients_own():
    grid = axial_grid((32, 32, 24), (8.0, 8.0, 8.0), (-10.0, -5.0, -4.0))
    _, patient = whole_heart_phantom(3, 1)
    aortas = other_aortas(patient, grid, 60, seeded(1))
    own = patient.descending_aorta_in_slices(grid)[::4] * torch.tensor([8.0, 8.0, 1.0])
    low, high = aortas.min(dim=0).values, aortas.max(dim=0).values
    seen = ~own.isnan().any(dim=1)
    assert seen.sum() >= 3
    assert ((low - 0.5 <= own) & (own <= high + 0.5))[seen].all()
    widest = torch.tensor([SWAY[0][1] - SWAY[0][0], 2 * SWAY[1][1], DESCENDING[0][1] - DESCENDING[1][0]])
    assert (high - low <= 1.3 * widest)[seen].all()  # the line swings a little beyond its knots
    assert (high - low)[seen].amax(dim=0).min() > 1


def test_the_command_tells_both_bounds(capsys):
    vessel_floor.main(["--patients", "1", "--draws", "5"])
    told = capsys.readouterr().out
    assert "position at least" in told
    assert "of\n1 patients" in told
