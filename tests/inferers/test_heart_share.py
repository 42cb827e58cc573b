"""The share against the same pooling over whole boxes, by SciPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.inferers.heart_share import heart_share


def test_share_is_whole_on_both_hearts_and_nothing_far_away():
    before, after = torch.zeros(1, 40, 40), torch.zeros(1, 40, 40)
    before[0, 10:14, 10:14] = 1
    after[0, 16:20, 10:14] = 2
    share = heart_share(before, after, feather=3)
    assert share.shape == (1, 1, 40, 40)
    assert bool((share[0, 0, 10:14, 10:14] == 1).all())
    assert bool((share[0, 0, 16:20, 10:14] == 1).all())
    assert float(share[0, 0, 30:].max()) == 0
    profile = share[0, 0, 12, 14:30]
    assert bool((profile.diff() <= 1e-6).all())


@pytest.mark.parametrize("shape", [(40, 33), (12, 20, 15)])
def test_it_is_a_grown_heart_averaged_over_boxes(shape):
    before, after = torch.zeros(2, 1, *shape, dtype=torch.int64)
    before[(0, *[slice(0, 4)] * len(shape))] = 1  # at the border, where boxes reach out of the image
    after[(0, *[slice(3, 9)] * len(shape))] = 2
    heart = ((before > 0) | (after > 0))[0].numpy()
    grown = ndimage.grey_dilation(heart.astype(float), size=9)
    counted = ndimage.uniform_filter(np.ones(shape), size=7, mode="constant")
    smooth = ndimage.uniform_filter(grown, size=7, mode="constant") / counted
    expected = np.maximum(smooth, ndimage.grey_dilation(heart.astype(float), size=3))
    np.testing.assert_allclose(heart_share(before, after, feather=3)[0, 0].numpy(), expected, atol=1e-6)


def test_without_a_heart_nothing_is_repainted():
    assert not heart_share(torch.zeros(2, 9, 9), torch.zeros(2, 9, 9), feather=3).any()
