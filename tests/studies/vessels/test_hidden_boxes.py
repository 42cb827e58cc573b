"""Where boxes lie in a batch, and that their places follow from the generator alone."""

from __future__ import annotations

import pytest
import torch

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.vessels.aortic_patches import MovedPatches
from monai_cardiacgen.studies.vessels.hidden_boxes import HiddenBoxes


def batch(count: int = 200, side: int = 40) -> dict[str, torch.Tensor]:
    ramp = torch.arange(float(side**2)).reshape(1, 1, side, side) / side**2
    middle = (side - 1) / 2
    image = ramp.expand(count, 1, side, side)
    return {"image": image, "centre": torch.full((count, 2), middle), "radius": torch.full((count,), 4.0)}


def boxes(masks: torch.Tensor) -> torch.Tensor:
    """The first and the last row and column of each mask, `(B, 2, 2)`."""
    ends = []
    for mask in masks[:, 0]:
        places = torch.nonzero(mask)
        low, high = places.amin(dim=0), places.amax(dim=0)
        assert int(mask.sum()) == int((high - low + 1).prod())
        ends.append(torch.stack([low, high]))
    return torch.stack(ends)


def test_boxes_are_squares_of_all_sides_evenly_about_the_vessel():
    hide = HiddenBoxes(32, sides=(7, 10), reach=5, contrast=0)
    images, labels = hide(batch(2000), "cpu")
    assert labels.dtype == torch.bool
    ends = boxes(labels[:, :1])
    sides = ends[:, 1] - ends[:, 0] + 1
    assert torch.equal(sides[:, 0], sides[:, 1])
    counts = torch.bincount(sides[:, 0], minlength=11)[7:]
    assert counts.min() > 400
    # The ramp tells where the window was cut, hence where the vessel lies in it.
    corners = (images[:, 0, 0, 0] * 1600).round().long()
    vessel = 19.5 - torch.stack([corners // 40, corners % 40], dim=1)
    off = ends.double().mean(dim=1) - vessel
    assert float(off.abs().max()) <= 5.5
    assert float(off.abs().mean()) == pytest.approx(2.75, abs=0.2)  # evenly from -5 to 5, the middle of a pixel
    places = torch.arange(32)
    for disc, (row, column) in zip(labels[:50, 1], vessel.tolist(), strict=False):
        assert torch.equal(disc, torch.hypot(places[:, None] - row, places - column) <= 4)


def test_boxes_stay_within_the_window_where_the_vessel_is_near_its_edge():
    hide = HiddenBoxes(16, sides=(9, 9), reach=3, contrast=0)
    one = {"image": torch.rand(50, 1, 16, 16), "centre": torch.full((50, 2), 1.0), "radius": torch.full((50,), 3.0)}
    masks = hide(one, "cpu")[1][:, :1]
    assert masks.sum(dim=(1, 2, 3)).tolist() == [81] * 50
    assert bool(masks[:, 0, 0, 0].any())


def test_windows_are_those_of_moved_patches_and_powers_keep_the_order_of_intensities():
    hide, moved = HiddenBoxes(32, contrast=0.4), MovedPatches(32)
    hide.generator, moved.generator = seeded(3), seeded(3)
    images, _ = hide(batch(), "cpu")
    plain = moved(batch(), "cpu")
    powers = (images[:, 0, 9, 9].log() / plain[:, 0, 9, 9].log())[:, None, None, None]
    torch.testing.assert_close(images, plain**powers)
    assert float(powers.log().std()) == pytest.approx(0.4, abs=0.06)
    hide.generator = seeded(3)
    again, labels = hide(batch(), "cpu")
    assert torch.equal(again, images)
    hide.generator = seeded(4)
    assert not torch.equal(hide(batch(), "cpu")[1], labels)


def test_impossible_boxes_are_refused():
    for wrong in ({"sides": (9, 7)}, {"sides": (0, 7)}, {"sides": (9, 32)}, {"reach": -1}, {"contrast": -0.1}):
        with pytest.raises(InputError, match="Expected sides"):
            HiddenBoxes(32, **wrong)
    with pytest.raises(InputError, match="at least 64"):
        HiddenBoxes(64)(batch(1), "cpu")
