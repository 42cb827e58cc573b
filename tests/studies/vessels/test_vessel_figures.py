"""Figures draw, and show what they were given."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from vessel_patches import SPACING, patch

from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.vessels.masked_vessels import mask_vessels
from monai_cardiacgen.studies.vessels.vessel_figures import (
    anomaly_figure,
    comparison_figure,
    critic_figure,
    patches_figure,
    spectrum_figure,
)


def images(figure) -> list[np.ndarray]:
    return [np.asarray(axis.images[0].get_array()) for axis in figure.axes if axis.images]


def test_sheets_stand_side_by_side_and_leave_empty_what_is_missing():
    real, generated = torch.rand(9, 1, 8, 8), torch.rand(5, 1, 8, 8)
    figure = patches_figure(real, generated, side=3)
    figure.canvas.draw()
    first, second = images(figure)
    assert first.shape == second.shape == (30, 30)
    for number in range(9):
        row, column = divmod(number, 3)  # read as text is
        place = slice(10 * row, 10 * row + 8), slice(10 * column, 10 * column + 8)
        assert np.allclose(first[place], real[number, 0].numpy().T)
        assert np.allclose(second[place], generated[number, 0].numpy().T if number < 5 else 1)


def test_every_method_is_a_column_with_the_real_circle_and_its_own():
    cases = mask_vessels([patch(number) for number in range(4)], 64, SPACING, each=1)
    figure = comparison_figure(cases, {"ours": [one.image for one in cases], "empty": [torch.zeros(1, 64, 64)] * 2})
    figure.canvas.draw()
    assert [axis.get_title() for axis in figure.axes[:4]] == ["real", "masked", "ours", "empty"]
    assert [len(axis.patches) for axis in figure.axes[:4]] == [1, 0, 2, 1]
    drawn = figure.axes[0].patches[0]
    assert drawn.center == pytest.approx(cases[0].centre)
    assert drawn.radius == pytest.approx(cases[0].radius / SPACING)


def test_the_anomaly_figure_counts_the_pixels_above_the_limit():
    scores = torch.zeros(1, 8, 8)
    scores[0, :2, :3] = 5
    figure = anomaly_figure({"wide": torch.rand(1, 8, 8)}, {"wide": scores}, limit=2.5)
    figure.canvas.draw()
    assert "6 pixels above 2.5" in [axis.get_title() for axis in figure.axes]


def test_curves_are_those_of_the_rows_and_sets():
    rows = [{"iteration": str(n), "critic_estimate": str(n / 10), "gradient_norm": "1"} for n in (2, 4)]
    lines = critic_figure(rows).axes[0].lines
    assert lines[0].get_xydata().tolist() == [[2, 0.2], [4, 0.4]]
    noise = torch.rand(3, 1, 16, 16, generator=seeded(0))
    figure = spectrum_figure({"real": noise, "generated": 2 * noise}, 2.0)
    figure.canvas.draw()
    first, second = (line.get_ydata() for line in figure.axes[0].lines)
    assert np.allclose(second / first, 4)
