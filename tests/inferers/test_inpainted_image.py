"""What an inpainted image tells of the real one, by hand."""

from __future__ import annotations

import torch

from monai_cardiacgen.inferers.inpainted_image import InpaintedImage, compared

REAL = torch.zeros(1, 4, 5)
MASK = torch.zeros(4, 5, dtype=torch.bool)
MASK[1, 1] = MASK[2, 3] = True


def found(spread: float, floor: float = 0.01, made: float = 0.2) -> InpaintedImage:
    all_made = torch.full_like(REAL, made)
    return InpaintedImage(
        **compared(REAL, MASK, torch.where(MASK, all_made, REAL), all_made, torch.where(MASK, spread, REAL), floor)
    )


def test_the_region_is_the_smallest_box_round_the_mask():
    assert torch.equal(found(0.5).region[0], torch.tensor([[0.2, 0, 0], [0, 0, 0.2]]))


def test_differences_are_counted_in_deviations_that_have_a_floor():
    one = found(0.5)
    torch.testing.assert_close(one.anomaly[0], torch.where(MASK, 0.2, 0.0))
    torch.testing.assert_close(one.z_score[0], torch.where(MASK, 0.4, 0.0))
    assert abs(one.misfit - 0.2) < 1e-6  # of what was made where pixels are known
    torch.testing.assert_close(found(0.05).z_score[0], torch.where(MASK, 1.0, 0.0))  # the misfit is the greater
    torch.testing.assert_close(found(0.05, floor=0.4).z_score[0], torch.where(MASK, 0.5, 0.0))


def test_what_was_planted_in_the_mask_is_scored_against_the_same_healthy_version():
    planted = torch.where(MASK, 0.7, REAL)
    torch.testing.assert_close(found(0.5).z_score_of(planted)[0], torch.where(MASK, 1.0, 0.0))
    torch.testing.assert_close(found(0.5).z_score_of(REAL), found(0.5).z_score)


def test_its_record_is_plain():
    assert found(0.5).record() == {"misfit": found(0.5).misfit}
