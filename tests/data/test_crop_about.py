"""Cropping about a place of the patient, and back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor
from monai.transforms import Compose, Flipd, Invertd, ResizeWithPadOrCropd, Spacingd

from monai_cardiacgen.data.crop_about import CropAboutd
from monai_cardiacgen.errors import InputError


def image(*size):
    affine = np.diag([-1.5, -2.0, 8.0, 1.0]) + np.eye(4, k=3) * 7
    values = torch.rand(1, *size, generator=torch.Generator().manual_seed(0))
    return MetaTensor(values, affine=affine, meta={"original_affine": affine})


@pytest.mark.parametrize("size", [(8, 8), (9, 7), (20, 8), (8, 21), (30, 31)])
@pytest.mark.parametrize("there", [(15, 14, 3), (14, 15, 2)])
def test_without_a_place_it_is_monais_middle(size, there):
    one = {"image": image(*there)}
    found, expected = CropAboutd("image", size)(one), ResizeWithPadOrCropd("image", (*size, -1))(one)
    torch.testing.assert_close(found["image"].as_tensor(), expected["image"].as_tensor(), rtol=0, atol=0)
    torch.testing.assert_close(found["image"].affine, expected["image"].affine)


@pytest.mark.parametrize("centre", [(0, 0), (7, 3), (14, 13), (-5, 20), (6.4, 6.6)])
def test_the_place_comes_to_the_middle_and_the_inverse_is_exact(centre):
    one = image(15, 14, 3)
    case = CropAboutd("image", (7, 9))({"image": one, "heart_centre": centre})["image"]
    assert case.shape == (1, 7, 9, 3)
    for i in range(7):
        for j in range(9):
            nearest = [min(max(round(at), 0), last) for at, last in zip(centre, (14, 13), strict=True)]
            x, y = nearest[0] - 3 + i, nearest[1] - 4 + j
            inside = 0 <= x < 15 and 0 <= y < 14
            assert torch.equal(case.as_tensor()[0, i, j], one.as_tensor()[0, x, y] if inside else torch.zeros(3))
    for _ in range(2):  # the record of the case survives its first use
        transform = Compose([CropAboutd("image", (7, 9))])
        done = transform({"image": one, "heart_centre": centre})
        back = Invertd("result", transform, orig_keys="image")({**done, "result": done["image"]})["result"]
        assert back.shape == one.shape
        torch.testing.assert_close(back.affine, one.affine)
        seen = back.as_tensor() != 0
        assert torch.equal(back.as_tensor()[seen], one.as_tensor()[seen])


def test_the_place_is_carried_through_resampling_and_flips():
    one = image(40, 30, 3)
    one[0, 12, 20] = 100.0
    steps = Compose([Flipd("image", 0), Spacingd("image", (0.75, 1.0, -1)), CropAboutd("image", (11, 11))])
    case = steps({"image": one, "heart_centre": (12, 20)})["image"]
    brightest = np.unravel_index(int(case[0, ..., 1].argmax()), (11, 11))
    np.testing.assert_allclose(brightest, (5, 5), atol=1)


def test_refusals():
    with pytest.raises(InputError, match="positive size"):
        CropAboutd("image", (0, 3))
    with pytest.raises(InputError, match="centre"):
        CropAboutd("image", (3, 3))({"image": image(5, 5, 5), "heart_centre": (1, 2, 3, 4)})
