"""The same pixels as scikit-image's, for contours of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon2mask

from monai_cardiacgen.phantom.filled_contour import filled_contour


@pytest.mark.parametrize("seed", range(20))
def test_the_same_pixels_as_scikit_image(seed):
    drawn = np.random.default_rng(seed)
    corners = drawn.uniform(-8, 48, (int(drawn.integers(3, 60)), 2))  # crosses itself, and leaves the image
    shape = (int(drawn.integers(1, 40)), int(drawn.integers(1, 40)))
    assert np.array_equal(filled_contour(shape, corners), polygon2mask(shape, corners))


def test_a_disc_has_its_area():
    angle = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    disc = filled_contour((100, 120), np.stack((50.3 + 30 * np.cos(angle), 60.4 + 30 * np.sin(angle)), axis=1))
    assert disc.sum() == pytest.approx(np.pi * 30**2, rel=5e-3)
    assert disc[50, 60]
    assert not disc[0, 0]


def test_a_contour_outside_holds_nothing():
    assert not filled_contour((5, 5), np.array([[9.0, 9.0], [9.0, 12.0], [12.0, 9.0]])).any()
