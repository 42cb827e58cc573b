from __future__ import annotations

import dataclasses

import pytest
import torch
from scipy import ndimage

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.phantom.anatomy import draw_heart
from monai_cardiacgen.phantom.cine_mr import CineMR
from monai_cardiacgen.phantom.scanner import draw_scanner
from monai_cardiacgen.phantom.stack import draw_stack, draw_turn
from monai_cardiacgen.seeding import seeded

RV, MYO, LV = 1, 2, 3


def patient(group: str, seed: int) -> CineMR:
    generator = seeded(seed)
    turn = draw_turn(generator)
    heart = draw_heart(group, turn, generator)
    stack = draw_stack(heart.length + heart.apical_wall, turn, generator)
    stack = dataclasses.replace(stack, spacing=(*stack.spacing[:2], 10.0), thickness=8.0, size=(192, 192, 9))
    return CineMR(heart, stack, draw_scanner(generator), generator)


@pytest.fixture(scope="module")
def cases() -> list[tuple[CineMR, torch.Tensor, torch.Tensor, torch.Tensor]]:
    made = []
    for seed, group in enumerate(("NOR", "HCM", "RV")):
        one = patient(group, seed)
        image, label = one.image(0.0)
        made.append((one, image, label, one.image(1.0)[1]))
    return made


def test_shapes_types_and_codes(cases):
    for one, image, label, late in cases:
        assert image.shape == label.shape == late.shape == one.stack.size
        assert image.dtype == torch.float32
        assert label.dtype == torch.uint8
        assert image.min() >= 0
        assert set(label.unique().tolist()) == {0, RV, MYO, LV}


def test_the_cavity_is_smaller_at_end_systole(cases):
    for _, _, label, late in cases:
        assert (late == LV).sum() < 0.95 * (label == LV).sum()


def test_blood_is_brighter_than_muscle_and_both_brighter_than_lung(cases):
    for _, image, label, _ in cases:
        middle = image.shape[2] // 2
        plane, codes = image[..., middle], label[..., middle]
        blood, muscle = plane[codes == LV].median(), plane[codes == MYO].median()
        assert 1.3 * muscle < blood < 5 * muscle
        assert plane[codes == RV].median() > 1.2 * muscle
        assert plane[codes == 0].quantile(0.1) < 0.6 * muscle


def test_the_label_fits_the_image(cases):
    """Moved by 4 mm in any direction, the cavity's label covers darker pixels."""
    for _, image, label, _ in cases:
        middle = image.shape[2] // 3
        plane, cavity = image[..., middle], label[..., middle] == LV
        here = plane[cavity].mean()
        for axis in (0, 1):
            for step in (-3, 3):
                assert plane[cavity.roll(step, axis)].mean() < here


def test_label_maps_are_anatomically_valid(cases):
    check = AnatomyCheck()
    valid = []
    for one, _, label, late in cases:
        planes = torch.cat((label, late), dim=2).permute(2, 0, 1).to(torch.int64)
        valid.append(check(planes, one.stack.spacing[:2]).valid)
    assert torch.cat(valid).float().mean() > 0.97


def test_thick_slices_blur_the_apex(cases):
    """Where the wall slopes, a thicker slice has a softer border between cavity and wall."""
    one = cases[0][0]
    still = dataclasses.replace(one.scanner, noise=0.0, coil=0.0, field=0.0, sampled=(1.01, 1.01))
    contrast = []
    for thickness in (5.1, 14.0):
        stack = dataclasses.replace(one.stack, thickness=thickness)
        image, label = CineMR(one.heart, stack, still, seeded(1)).image(0.0)
        plane = int((stack.z - 0.85 * one.heart.length).abs().argmin())
        cavity = (label[..., plane] == LV).numpy()
        inside = cavity & ~ndimage.binary_erosion(cavity)
        outside = ndimage.binary_dilation(cavity) & ~cavity
        contrast.append(image[..., plane].numpy()[inside].mean() - image[..., plane].numpy()[outside].mean())
    assert 0 < contrast[1] < 0.8 * contrast[0]
