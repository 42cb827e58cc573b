"""Moved label volumes: shares that add up, motions of the size that is asked for, draws from the generator."""

from __future__ import annotations

import math

import pytest
import torch

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.studies.whole_heart.moved_volumes import MovedVolumes, rotations

LV, MYO = MM_WHS.code("left ventricular cavity"), MM_WHS.code("myocardium")


def balls(count: int = 6, size: tuple[int, ...] = (32, 32, 24)) -> torch.Tensor:
    """A ball in a shell in the middle, `(count, 1, *size)`."""
    axes = [torch.arange(side) - (side - 1) / 2 for side in size]
    radius = sum(one.square() for one in torch.meshgrid(*axes, indexing="ij")).sqrt()
    label = torch.zeros(size, dtype=torch.int16)
    label[radius < 9] = MYO
    label[radius < 6] = LV
    return label.expand(count, 1, *size).clone()


def test_shares_add_up_and_are_of_blocks():
    shares, condition = MovedVolumes(MM_WHS, 4)({"label": balls()}, "cpu")
    assert condition is None
    assert shares.shape == (6, 8, 8, 8, 6)
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(6, 8, 8, 6))
    assert set((8 * shares).unique().tolist()) <= set(range(9))  # two points a side are looked at


def test_without_amplitude_nothing_moves():
    shares, _ = MovedVolumes(MM_WHS, 2, rotation=0, scale=0, bend=0)({"label": balls(1)}, "cpu")
    expected = torch.nn.functional.avg_pool3d(MM_WHS.one_hot(balls(1)[:, 0].long()), 2)
    torch.testing.assert_close(shares, expected)


def test_scaling_changes_volumes_by_no_more_than_it_may():
    moved = MovedVolumes(MM_WHS, 2, rotation=0, scale=0.2, bend=0)
    volumes = 8 * moved({"label": balls(40)}, "cpu")[0][:, 1:].sum(dim=(1, 2, 3, 4))
    factor = (volumes / float((balls(1) > 0).sum())).log() / 3
    assert float(factor.abs().max()) < 0.22
    assert float(factor.std()) == pytest.approx(0.2 / math.sqrt(3), rel=0.35)


def test_a_turn_is_a_turn_though_sides_differ():
    """A rod along the first axis stays as long and as thick whatever way it is turned."""
    rod = torch.zeros(20, 1, 48, 32, 24, dtype=torch.int16)
    rod[:, 0, 16:32, 13:19, 9:15] = LV
    shares, _ = MovedVolumes(MM_WHS, 2, rotation=45, scale=0, bend=0)({"label": rod}, "cpu")
    blocks = torch.cartesian_prod(*(torch.arange(side).double() for side in shares.shape[2:]))
    for one in shares[:, MM_WHS.channel("left ventricular cavity")]:
        spread = torch.cov(blocks.T, aweights=one.flatten().double(), correction=0)
        expected = torch.tensor([6, 6, 16]).double() / 2 / math.sqrt(12)
        assert float((torch.linalg.eigvalsh(spread).sqrt() - expected).abs().max()) < 0.15


def test_rotations_are_those_of_rodrigues():
    axis = torch.nn.functional.normalize(torch.randn(5, 3, generator=seeded(0)), dim=1)
    angle, point = torch.rand(5, generator=seeded(1)), torch.randn(5, 3, generator=seeded(2))
    turned = (rotations(axis, angle) @ point[..., None])[..., 0]
    cosine, sine = angle.cos()[:, None], angle.sin()[:, None]
    along = (axis * point).sum(dim=1, keepdim=True) * axis
    expected = point * cosine + torch.linalg.cross(axis, point) * sine + along * (1 - cosine)
    torch.testing.assert_close(turned, expected)


def test_draws_follow_the_generator():
    moved, results = MovedVolumes(MM_WHS, 4), []
    for seed in (1, 1, 2):
        moved.generator = seeded(seed)
        results.append(moved({"label": balls(2)}, "cpu")[0])
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
