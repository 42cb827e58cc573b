"""Images without labels."""

from __future__ import annotations

import pytest

from monai_cardiacgen.data import find_images
from monai_cardiacgen.errors import DataError


def test_files_come_by_name_and_nothing_else_does(tmp_path):
    for name in ("b.nii.gz", "a.nii.gz", "a_gt.json"):
        (tmp_path / name).touch()
    (tmp_path / "below.nii.gz").mkdir()
    assert find_images(tmp_path) == [{"image": str(tmp_path / f"{name}.nii.gz")} for name in "ab"]
    assert find_images(tmp_path, "*.json") == [{"image": str(tmp_path / "a_gt.json")}]


def test_an_empty_folder_is_one_clear_error(tmp_path):
    with pytest.raises(DataError, match=r"Expected files \*.nii.gz in .* got none"):
        find_images(tmp_path / "nowhere")
