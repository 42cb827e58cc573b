from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from monai_cardiacgen.phantom.body import paint_body
from monai_cardiacgen.phantom.bssfp import TISSUES, tissue_signal
from monai_cardiacgen.phantom.stack import Stack
from monai_cardiacgen.seeding import seeded

SIGNALS = {name: tissue_signal(tissue, math.radians(50), 3.0) for name, tissue in TISSUES.items()}
STACK = Stack((3.0, 3.0, 10.0), (100, 128, 3), 8.0, 20.0, (-10.0, 0.0), 0.0)


def paint(stack: Stack, seed: int) -> torch.Tensor:
    sack = torch.hypot(stack.x[None, :], stack.y[:, None]).expand(stack.size[2], -1, -1) - 50
    return paint_body(stack, sack, 35.0, SIGNALS, seeded(seed))


@pytest.fixture(scope="module")
def bodies() -> torch.Tensor:
    return torch.stack([paint(STACK, seed) for seed in range(8)])


def region(bodies: torch.Tensor, x: tuple[int, int], y: tuple[int, int]) -> torch.Tensor:
    columns = (STACK.x > x[0]) & (STACK.x < x[1])
    rows = (STACK.y > y[0]) & (STACK.y < y[1])
    return bodies[..., rows, :][..., columns]


def test_the_lung_is_dark_and_the_liver_grey(bodies):
    blood = SIGNALS["arterial blood"]
    assert region(bodies, (20, 50), (-110, -70)).abs().median() < 0.2 * blood
    liver = region(bodies, (-50, -10), (70, 110)).median()
    assert liver == pytest.approx(SIGNALS["liver"], rel=0.3)


def test_fat_surrounds_the_body_in_opposed_phase(bodies):
    for body in bodies:
        assert body[1, 64].min() < 0.7 * SIGNALS["fat"] < 0
        assert (body < 0.5 * SIGNALS["fat"]).float().mean() > 0.02


def test_patients_differ_and_seeds_repeat(bodies):
    assert torch.equal(bodies[0], paint(STACK, 0))
    assert (bodies[0] - bodies[1]).abs().mean() > 0.2 * bodies[0].abs().mean()


def test_the_chest_turns_with_the_plane():
    turned = dataclasses.replace(STACK, size=(128, 128, 3), turn=math.pi / 2)
    body = torch.stack([paint(turned, seed) for seed in range(4)])
    dark = body[..., (turned.y > 20) & (turned.y < 50), :][..., (turned.x > 70) & (turned.x < 110)]
    grey = body[..., (turned.y > -50) & (turned.y < -10), :][..., (turned.x > -110) & (turned.x < -70)]
    assert dark.abs().median() < 0.5 * grey.abs().median()
