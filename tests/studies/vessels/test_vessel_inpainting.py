"""What is measured of every method, on patches whose vessel's place follows from what is round it."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from vessel_patches import SPACING, disc, patch

from monai_cardiacgen.inferers import LatentInpainter
from monai_cardiacgen.studies.vessels.inpainting_baselines import TrainingPatches
from monai_cardiacgen.studies.vessels.masked_vessels import mask_vessels
from monai_cardiacgen.studies.vessels.vessel_inpainting import (
    GUESS,
    METHODS,
    NEAREST,
    OURS,
    PLANTED,
    REAL,
    SEARCH,
    SearchSettings,
    measure_inpainting,
)
from monai_cardiacgen.studies.vessels.vessel_networks import new_vessel_gan


class Scene(nn.Module):
    """Draws the procedural patch: two latents move it as a whole, the third widens the vessel."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(3))

    def forward(self, latents: torch.Tensor) -> torch.Tensor:
        side = torch.arange(64.0)
        row, column, wider = (4 * (latents + self.shift)[:, n, None, None] for n in range(3))

        def blob(down: float, right: float, radius: torch.Tensor | float) -> torch.Tensor:
            away = torch.hypot(side[:, None] - 31.5 - row - down, side - 31.5 - column - right)
            return torch.sigmoid(2 * (radius - away))

        return (0.3 + 0.5 * blob(0, 0, 6 + wider / 20) + 0.3 * blob(-12, 16, 5.0))[:, None]


class Indifferent(nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 0 * images.sum(dim=(1, 2, 3))


@pytest.fixture(scope="module")
def measured():
    patches = [patch(number) for number in range(4)]
    cases = mask_vessels(patches, 64, SPACING, each=1)
    # Neighbours of other places and sizes: none is the patch itself.
    training = TrainingPatches(torch.stack([patch(number)["image"] for number in range(20, 26)]), 64)
    inpainter = LatentInpainter(Scene(), Indifferent(), latent_size=3, starts=3, steps=60, prior_weight=0)
    done = []
    search = SearchSettings(fitting_steps=2)
    found = measure_inpainting(inpainter, search, training, 12.0, cases, lambda *told: done.append(told))
    assert done == [(1, 2), (2, 2)]
    return cases, found


def rows_of(measured, method):
    return [row for row in measured[1].cases if row["method"] == method]


def test_every_method_has_a_row_for_every_patch(measured):
    cases, found = measured
    assert len(found.cases) == len(cases) * len(METHODS)
    assert len({tuple(row) for row in found.cases}) == 1
    assert [row["patient"] for row in rows_of(measured, OURS)] == [case.patient for case in cases]


def test_a_generator_that_knows_the_anatomy_finds_the_vessel(measured):
    for method in (OURS, SEARCH):
        for row in rows_of(measured, method):
            # Off the vessel's own draw by up to 1 pixel of 2 mm along either axis, which nothing round it tells.
            assert row["position"] < 3.5
            assert row["perimeter_percent"] < 25
            assert row["clear"] == 1
    assert all(row["position_spread"] < 2 for row in rows_of(measured, SEARCH))


def test_the_real_image_tells_the_measurements_own_error_and_the_guess_the_masks(measured):
    cases, _ = measured
    for row in rows_of(measured, REAL):
        assert row["l1"] == row["position_seen"] == row["perimeter_seen"] == 0
        assert row["position"] < 1
    for row, case in zip(rows_of(measured, GUESS), cases, strict=True):
        assert row["position"] == pytest.approx(math.dist(case.middle, case.centre) * SPACING)
        assert row["perimeter_bias"] == pytest.approx(2 * math.pi * (12 - case.radius))
        assert row["perimeter_percent"] == pytest.approx(100 * abs(12 / case.radius - 1))


def test_the_spread_is_of_starts_and_of_ours_only(measured):
    assert all(math.isnan(row["position_spread"]) for row in rows_of(measured, NEAREST))
    assert all(row["loss"] < 0.1 for row in rows_of(measured, SEARCH))


def test_planted_vessels_score_higher_the_more_they_differ(measured):
    cases, found = measured
    assert found.z_scores.shape == (len(cases) * 25 * 25,)
    assert {row["by"] for row in found.planted} <= {0.0, *PLANTED}
    for number in range(len(cases)):
        score = {row["by"]: row["score"] for row in found.planted if row["number"] == number}
        assert score[0.0] < score[3.0] < score[5.0]
        assert score[0.0] < score[-3.0] < score[-5.0]


def test_settings_reach_the_inpainter():
    gan = new_vessel_gan(16, 2, 5, 0)
    inpainter = SearchSettings(starts=3, candidates=7, steps=11, prior_weight=0.5).inpainter(gan)
    assert (inpainter.starts, inpainter.candidates, inpainter.steps, inpainter.prior_weight) == (3, 7, 11, 0.5)
    assert inpainter.latent_size == 5
    assert inpainter.generator is gan.generator


def test_the_disc_of_the_helper_is_as_wide_as_asked_for():
    assert float(disc(64, (30.0, 31.0), 9.0).sum()) == pytest.approx(math.pi * 81, rel=0.02)
