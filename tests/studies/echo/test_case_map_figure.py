"""The picture of a map: axes with names, a caption with the numbers, a colour for each region."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.echo.case_map import coverage_by_region, map_cases
from monai_cardiacgen.studies.echo.case_map_figure import case_map_figure
from monai_cardiacgen.studies.heart_figures import save_figure

REAL = torch.randn(60, 5, generator=seeded(0))
SYNTHETIC = torch.randn(40, 5, generator=seeded(1)) + torch.tensor([0.5, 0, 0, 0, 0])


def test_axes_caption_and_regions_are_named(tmp_path):
    on_map = map_cases(REAL, SYNTHETIC, "pca")
    found = coverage_by_region(on_map, REAL, SYNTHETIC, regions=4)
    figure = case_map_figure(on_map, found, "a title")
    texts = " ".join(axis.get_xlabel() + axis.get_ylabel() for axis in figure.axes)
    for said in ("principal component 1", "principal component 2", "coverage (share", "density (1", "region"):
        assert said in texts
    caption = figure.get_supxlabel()
    for said in ("60 real and 40 synthetic", f"coverage {found.expected:.2f}", f"coverage {found.coverage:.2f}"):
        assert said in caption
    assert [one.get_text() for one in figure.axes[0].texts] == ["1", "2", "3", "4"]
    assert [bar.get_width() for bar in figure.axes[1].patches] == [one.coverage for one in found.regions]
    save_figure(tmp_path / "map.png", figure)
    assert (tmp_path / "map.png").stat().st_size > 10_000


def test_a_map_of_three_dimensions_is_refused():
    on_map = map_cases(REAL, SYNTHETIC, "pca", dims=3)
    with pytest.raises(ShapeError, match="dims=2"):
        case_map_figure(on_map, coverage_by_region(on_map, REAL, SYNTHETIC), "a title")
