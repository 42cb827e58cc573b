"""The sheet of a bundle: as many slices as were asked for, the same for the same seed."""

from __future__ import annotations

import numpy as np
from skimage.io import imread
from small_hearts import tiny_synthesizer

from benchmarks.bundle_sheet import draw_sheet


def test_a_sheet_shows_what_the_seed_draws_and_grows_with_the_count(tmp_path):
    tiny_synthesizer().to_bundle(tmp_path / "bundle")
    sheets = {}
    for name, count, seed in (("one row", 3, 0), ("again", 3, 0), ("another", 3, 1), ("two rows", 9, 0)):
        draw_sheet(tmp_path / "bundle", tmp_path / "sheet.png", count, seed)
        sheets[name] = imread(tmp_path / "sheet.png")
    assert np.array_equal(sheets["one row"], sheets["again"])
    assert not np.array_equal(sheets["one row"], sheets["another"])
    assert sheets["two rows"].shape[0] > sheets["one row"].shape[0]
