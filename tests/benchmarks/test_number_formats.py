"""What is compared is the same heart in the same style, and Dice is Dice."""

from __future__ import annotations

import numpy as np
import torch
from bundle_runs import BUNDLES

from benchmarks.number_formats import dice_of, painted_in_both
from monai_cardiacgen.anatomy import ACDC


def test_both_images_show_the_same_heart_in_the_same_style():
    label, single, half = painted_in_both(BUNDLES / "cine_mr_vaegan", 2, 0)
    assert single.shape == half.shape == (2, 1, *label.shape[1:])
    away = float((single - half).abs().max())
    assert 1e-4 < away < 0.06  # bfloat16 has eight bits; another heart or style differs by half of the range
    assert float((single[0] - single[1]).abs().max()) > 0.3


def test_dice_of_a_reading_that_is_a_pixel_off():
    label = torch.zeros(2, 8, 8, dtype=torch.int64)
    label[:, 2:6, 2:6] = 3  # the left ventricle alone; nothing else counts
    read = label.clone()
    read[1] = label[1].roll(1, 0)
    found = dice_of(lambda _: ACDC.one_hot(read), torch.zeros(2, 1, 8, 8), label, ACDC)
    np.testing.assert_allclose(found, [1, 2 * 12 / 32])
