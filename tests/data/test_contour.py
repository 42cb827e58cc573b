"""Contours cover what geometry says."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.draw import polygon2mask

from monai_cardiacgen.data.contour import coverage, read_contour
from monai_cardiacgen.errors import DataError


def circle(centre, radius, points=400):
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.column_stack((centre[0] + radius * np.cos(angle), centre[1] + radius * np.sin(angle)))


@pytest.mark.parametrize("turn", [1, -1])
def test_area_and_centroid_are_the_circles(turn):
    covered = coverage(circle((20.3, 31.7), 9.4)[::turn], (48, 64))
    assert covered.sum() == pytest.approx(np.pi * 9.4**2, rel=2e-3)
    x, y = np.mgrid[:48, :64]
    assert (covered * x).sum() / covered.sum() == pytest.approx(20.3, abs=0.01)
    assert (covered * y).sum() / covered.sum() == pytest.approx(31.7, abs=0.01)


def test_agrees_with_a_fine_raster():
    random = np.random.default_rng(3)
    angle = np.sort(random.uniform(0, 2 * np.pi, 23))
    radius = random.uniform(4, 12, 23)
    points = np.column_stack((15 + radius * np.cos(angle), 14 + radius * np.sin(angle)))
    fine = polygon2mask((30 * 20, 30 * 20), (points + 0.5) * 20 - 0.5).reshape(30, 20, 30, 20).mean(axis=(1, 3))
    np.testing.assert_allclose(coverage(points, (30, 30)), fine, atol=0.06)


def test_what_lies_outside_the_image_counts_nowhere():
    whole = coverage(circle((30, 30), 8) - 25, (20, 20))
    padded = coverage(circle((30, 30), 8), (60, 60))
    np.testing.assert_allclose(whole, padded[25:45, 25:45], atol=1e-12)
    assert coverage(circle((-30, 30), 8), (20, 20)).sum() == 0


def test_a_closing_point_changes_nothing():
    points = circle((8, 8), 5, 40)
    np.testing.assert_array_equal(coverage(points, (16, 16)), coverage(np.vstack((points, points[:1])), (16, 16)))


def test_reads_pairs(tmp_path):
    (tmp_path / "c.txt").write_text("120.50 137.50 \r\n\r\n121.00\t136.5\n1e2 5\n")
    assert read_contour(tmp_path / "c.txt").tolist() == [[120.5, 137.5], [121.0, 136.5], [100.0, 5.0]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "c.txt: missing"),
        (b"", "expected one pair 'x y' of numbers in every line"),
        (b"1 2\n3\n4 5\n", "expected one pair"),
        (b"1 2 3\n4 5 6\n7 8 9\n", "expected one pair"),
        (b"one two\n", "expected one pair"),
        (b"1 nan\n2 3\n4 5\n", "expected one pair"),
        (b"1 2\n3 4\n", "expected a contour of at least 3 points, got 2"),
        (b"\xff\xfe\x00", "cannot be read"),
    ],
)
def test_broken_files(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "c.txt").write_bytes(content)
    with pytest.raises(DataError, match=sentence):
        read_contour(tmp_path / "c.txt")
