"""The overlay marks the pixels of the evidence at their mm, and says the reasons."""

from __future__ import annotations

import io

import pytest
import torch
from heart_faults import FAULTS, SPACING, clean_heart
from whole_heart_faults import SPACING as VOLUME_SPACING
from whole_heart_faults import WHOLE_HEART_FAULTS

from monai_cardiacgen.anatomy import MM_WHS, AnatomyCheck
from monai_cardiacgen.errors import ShapeError
from monai_cardiacgen.studies.anatomy_overlay import anatomy_figure


def marks(figure) -> dict[str, tuple[list[float], list[float]]]:
    return {line.get_label(): (list(line.get_xdata()), list(line.get_ydata())) for line in figure.axes[0].lines}


def test_a_hole_is_marked_in_mm():
    figure = anatomy_figure(AnatomyCheck(), FAULTS["LV holes"](), SPACING)
    # The hole is pixel (48, 52) of 2 mm: its middle lies at 97 and 105 mm.
    assert marks(figure) == {"LV holes (1)": ([97.0], [105.0])}
    assert figure.axes[0].get_title() == "short axis: breaks 1 of 16"
    assert "LV holes is 1, expected at most 0 pixels" in figure.get_supxlabel()


def test_a_valid_map_has_no_mark_and_no_reason():
    figure = anatomy_figure(AnatomyCheck(), clean_heart(), SPACING)
    assert marks(figure) == {}
    assert figure.axes[0].get_title() == "short axis: valid"
    assert figure.get_supxlabel() == ""


def test_colours_are_the_schemes():
    figure = anatomy_figure(AnatomyCheck(), clean_heart(), SPACING)
    shown = torch.from_numpy(figure.axes[0].images[0].get_array().transpose(1, 0, 2))
    red, green, blue = AnatomyCheck().scheme.structures[-1].colour
    torch.testing.assert_close(
        shown[48, 52], 0.25 + 0.75 * torch.tensor([red, green, blue], dtype=torch.float64), rtol=0, atol=1e-6
    )
    assert shown[0, 0].tolist() == [1.0, 1.0, 1.0]


def test_of_a_volume_the_slice_with_the_fault_is_shown():
    label = WHOLE_HEART_FAULTS["LV holes"]()
    figure = anatomy_figure(AnatomyCheck(MM_WHS, "whole heart"), label, VOLUME_SPACING, torch.zeros(label.shape))
    assert figure.axes[0].get_title() == "whole heart: breaks 1 of 46\nslice 15 of 44"
    assert list(marks(figure)) == ["LV holes (1)"]


def test_it_can_be_written():
    content = io.BytesIO()
    anatomy_figure(AnatomyCheck(), FAULTS["RV concavity"](), SPACING).savefig(content, format="png")
    assert content.getvalue().startswith(b"\x89PNG")
    empty = anatomy_figure(AnatomyCheck(), torch.zeros(8, 8, dtype=torch.int64), SPACING)
    empty.savefig(content, format="png")


def test_a_batch_is_refused():
    with pytest.raises(ShapeError, match="label maps"):
        anatomy_figure(AnatomyCheck(), clean_heart()[None], SPACING)
