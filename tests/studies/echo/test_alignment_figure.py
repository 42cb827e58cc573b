"""The picture of an alignment: distances that are known, and every axis named."""

from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.anatomy.label_moments import LabelMoments
from monai_cardiacgen.studies.echo.alignment_figure import alignment_figure, moment_distances
from monai_cardiacgen.studies.heart_figures import save_figure


def moments(shift: float = 0.0, turn: float = 0.0) -> LabelMoments:
    generator = torch.Generator().manual_seed(3)
    area, first, second, angle = torch.randn(4, 200, generator=generator, dtype=torch.float64)
    centre = torch.stack((5 * first + shift, 3 * second), dim=1)
    return LabelMoments(5000 + 200 * area, centre, torch.remainder(0.1 * angle + turn, math.pi))


def test_distance_is_the_shift_in_standard_deviations():
    wanted = moments()
    assert set(moment_distances(wanted, wanted).values()) == {0.0}
    moved = moment_distances(moments(shift=10.0), wanted)
    spread = float(wanted.centre[:, 0].std(correction=0))
    assert moved["centre, axis 0"] == pytest.approx(10 / spread)
    assert moved["area"] == moved["centre, axis 1"] == 0


def test_angles_about_zero_are_no_half_turn_apart():
    """About angle 0 some hearts have angles just below pi; a small turn is a small distance."""
    assert moment_distances(moments(turn=0.05), moments())["angle"] == pytest.approx(0.5, abs=0.05)


def test_figure_names_axes_units_numbers_and_sets(tmp_path):
    figure = alignment_figure(moments(), moments(shift=10.0), moments(shift=0.5), "a title")
    texts = " ".join(axis.get_xlabel() + axis.get_ylabel() for axis in figure.axes)
    for said in ("mm²", "mm from the middle", "degrees", "density"):
        assert said in texts
    assert "→" in figure.axes[1].get_title()
    assert "200 training, 200 generated, 200 aligned" in figure.axes[5].texts[0].get_text()
    save_figure(tmp_path / "alignment.png", figure)
    assert (tmp_path / "alignment.png").stat().st_size > 10_000
