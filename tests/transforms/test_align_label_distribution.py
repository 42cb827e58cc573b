"""Aligned hearts lie, in the mean and in their spread, as the training hearts do; and forms come out as they came."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.anatomy.label_moments import label_moments
from monai_cardiacgen.anatomy.schemes import CAMUS, CAMUS_SECTOR, ULTRASOUND_SECTOR
from monai_cardiacgen.errors import InputError, LabelError, ShapeError
from monai_cardiacgen.transforms import AlignLabelDistribution, AlignLabelDistributiond

SPACING = (1.0, 0.8)


def hearts(count, seed, centre, spread, length, upright) -> torch.Tensor:
    """Ellipses with three structures, `(N, 96, 110)`, of normally distributed place, size and angle."""
    rng = np.random.default_rng(seed)
    i, j = np.meshgrid(
        *((np.arange(n) - (n - 1) / 2) * s for n, s in zip((96, 110), SPACING, strict=True)), indexing="ij"
    )
    maps = []
    for _ in range(count):
        x, y = rng.normal(centre, spread)
        a = length * math.exp(rng.normal(0, 0.1))
        angle = upright + rng.normal(0, 0.15)
        along = (i - x) * math.cos(angle) + (j - y) * math.sin(angle)
        beside = (j - y) * math.cos(angle) - (i - x) * math.sin(angle)
        radius = (along / a) ** 2 + (beside / (0.5 * a)) ** 2
        label = np.where(radius <= 1, np.where(along > 0.5 * a, 3, 2), 0)
        maps.append(np.where((radius <= 0.5) & (along <= 0.5 * a), 1, label))
    return torch.from_numpy(np.stack(maps)).to(torch.int64)


GENERATED = hearts(80, 0, (0.0, 0.0), (1.0, 1.5), 20.0, 1.2)
TRAINING = hearts(80, 1, (6.0, -5.0), (3.0, 2.0), 24.0, 1.7)


@pytest.fixture(scope="module")
def transform() -> AlignLabelDistribution:
    return AlignLabelDistribution(GENERATED, TRAINING, CAMUS, SPACING)


def test_place_size_and_angle_become_those_of_the_training_maps(transform):
    wanted = label_moments(TRAINING, CAMUS, SPACING).points(transform.fits[0].upright)
    found = label_moments(transform.align(GENERATED, SPACING), CAMUS, SPACING).points(transform.fits[0].upright)
    before = label_moments(GENERATED, CAMUS, SPACING).points(transform.fits[0].upright)
    scale = wanted.std(dim=0)
    assert float(((before.mean(dim=0) - wanted.mean(dim=0)) / scale).abs().min()) > 1  # there was much to do
    assert float(((found.mean(dim=0) - wanted.mean(dim=0)) / scale).abs().max()) < 0.02
    torch.testing.assert_close(torch.cov((found / scale).T), torch.cov((wanted / scale).T), atol=0.03, rtol=0)


def test_shape_stays(transform):
    """Shares of the structures, and how elongated a heart is, before and after."""
    aligned = transform.align(GENERATED, SPACING)
    for code in (1, 2, 3):
        share, was = (
            (label == code).flatten(1).sum(1) / (label > 0).flatten(1).sum(1) for label in (aligned, GENERATED)
        )
        torch.testing.assert_close(share, was, atol=0.02, rtol=0)


def test_hearts_that_lie_right_already_stay_as_they_are():
    same = AlignLabelDistribution(TRAINING, TRAINING, CAMUS, SPACING)
    assert torch.equal(same.align(TRAINING[:9], SPACING), TRAINING[:9])


def test_a_row_does_not_depend_on_its_batch(transform):
    together = transform.align(GENERATED[:5], SPACING)
    assert torch.equal(together[2:3], transform.align(GENERATED[2:3], SPACING))


def test_forms_come_out_as_they_came(transform):
    label = GENERATED[3]
    expected = transform.align(label[None], SPACING)
    for dtype in (torch.uint8, torch.float32):
        result = transform(label[None].to(dtype))
        assert result.dtype == dtype
        assert torch.equal(result.long(), expected)
    array = transform(label[None].numpy().astype(np.int16))
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.int16
    assert torch.equal(transform(CAMUS.one_hot(label[None])[0]), CAMUS.one_hot(expected)[0])
    own = AlignLabelDistribution(GENERATED, TRAINING, CAMUS, SPACING, label_codes=(0, 10, 20, 30))
    assert torch.equal(own(10 * label[None]), 10 * expected)
    again = pickle.loads(pickle.dumps(transform))
    assert torch.equal(again(label[None]), expected)


def test_dictionary_form_keeps_affine_metadata_and_all_else():
    affine = torch.diag(torch.tensor([*SPACING, 1.0, 1.0], dtype=torch.float64))
    given = MetaTensor(GENERATED[3:4], affine=affine, meta={"patient": "p3"})
    result = AlignLabelDistributiond("label", GENERATED, TRAINING, CAMUS, SPACING)({"label": given, "image": 1})
    assert result["image"] == 1
    assert torch.equal(result["label"].affine, affine)
    assert result["label"].meta["patient"] == "p3"
    expected = AlignLabelDistribution(GENERATED, TRAINING, CAMUS, SPACING)(GENERATED[3:4])
    assert torch.equal(result["label"].as_tensor(), expected)
    assert torch.equal(given.as_tensor(), GENERATED[3:4])
    optional = AlignLabelDistributiond("label", GENERATED, TRAINING, CAMUS, SPACING, allow_missing_keys=True)
    assert optional({"image": 1}) == {"image": 1}


def test_affine_tells_the_spacing(transform):
    twice = (2 * SPACING[0], 2 * SPACING[1])
    affine = torch.diag(torch.tensor([*twice, 1.0, 1.0], dtype=torch.float64))
    result = transform(MetaTensor(GENERATED[3:4], affine=affine)).as_tensor()
    assert torch.equal(result, transform.align(GENERATED[3:4], twice))
    assert not torch.equal(result, transform(GENERATED[3:4]))


def test_sector_stays_and_fills_what_the_heart_leaves(transform):
    code = CAMUS_SECTOR.code(ULTRASOUND_SECTOR)

    def in_sector(label):
        label = label.clone()
        label[:, 5:90, 5:100] = label[:, 5:90, 5:100].masked_fill(label[:, 5:90, 5:100] == 0, code)
        return label

    with_sector = AlignLabelDistribution(in_sector(GENERATED), in_sector(TRAINING), CAMUS_SECTOR, SPACING)
    aligned = with_sector.align(in_sector(GENERATED[:6]), SPACING)
    expected = in_sector(transform.align(GENERATED[:6], SPACING))
    assert torch.equal(aligned, expected)


def test_unfit_maps_are_refused(transform):
    with pytest.raises(LabelError, match="none"):
        transform(torch.zeros(1, 96, 110))
    with pytest.raises(LabelError, match="codes"):
        transform(torch.full((1, 96, 110), 9))
    with pytest.raises(ShapeError, match="EnsureChannelFirst"):
        transform(GENERATED[0])
    with pytest.raises(InputError, match="more finite points"):
        AlignLabelDistribution(GENERATED[:4], TRAINING, CAMUS, SPACING)


# --- by group -------------------------------------------------------------------------------------------------------

#: Two groups that lie and turn otherwise, in the generated and in the training maps.
SECOND = hearts(60, 2, (3.0, 3.0), (2.0, 1.0), 18.0, 0.9), hearts(70, 3, (-8.0, 2.0), (1.5, 2.5), 22.0, 0.5)
BOTH = torch.cat((GENERATED, SECOND[0])), torch.cat((TRAINING, SECOND[1]))
CONDITIONS = tuple(torch.eye(2)[torch.tensor([0] * 80 + [1] * more)] for more in (60, 70))


@pytest.fixture(scope="module")
def by_group() -> AlignLabelDistribution:
    return AlignLabelDistribution(*BOTH, CAMUS, SPACING, conditions=CONDITIONS)


def test_each_group_is_aligned_as_by_a_transform_of_its_own(by_group, transform):
    second = AlignLabelDistribution(*SECOND, CAMUS, SPACING)
    aligned = by_group.align(BOTH[0], SPACING, CONDITIONS[0])
    assert torch.equal(aligned[:80], transform.align(GENERATED, SPACING))
    assert torch.equal(aligned[80:], second.align(SECOND[0], SPACING))
    # In any order, and as any other group would not be.
    mixed = torch.tensor([100, 3, 81, 5])
    assert torch.equal(by_group.align(BOTH[0][mixed], SPACING, CONDITIONS[0][mixed]), aligned[mixed])
    assert not torch.equal(by_group.align(GENERATED[:1], SPACING, CONDITIONS[0][80:81]), aligned[:1])


def test_one_fit_of_two_groups_matches_neither(by_group):
    """What grouping is for: the mean of each group, which a joint fit misses."""
    joint = AlignLabelDistribution(*BOTH, CAMUS, SPACING)
    upright = label_moments(TRAINING, CAMUS, SPACING).upright()
    wanted = label_moments(TRAINING, CAMUS, SPACING).points(upright)
    misses = []
    for aligned in (by_group.align(BOTH[0], SPACING, CONDITIONS[0]), joint.align(BOTH[0], SPACING)):
        found = label_moments(aligned[:80], CAMUS, SPACING).points(upright)
        misses.append(float(((found.mean(dim=0) - wanted.mean(dim=0)) / wanted.std(dim=0)).abs().max()))
    assert misses[0] < 0.02
    assert misses[1] > 0.3


def test_dictionary_form_reads_the_condition(by_group):
    mapped = AlignLabelDistributiond("label", *BOTH, CAMUS, SPACING, conditions=CONDITIONS)
    for row in (0, 90):
        result = mapped({"label": BOTH[0][row][None], "condition": CONDITIONS[0][row]})
        assert torch.equal(result["label"], by_group.align(BOTH[0][row : row + 1], SPACING, CONDITIONS[0][row][None]))
    plain = AlignLabelDistributiond("label", GENERATED, TRAINING, CAMUS, SPACING)
    plain({"label": GENERATED[:1], "condition": CONDITIONS[0][0]})  # needs no condition, and minds none


def test_groups_that_cannot_be_are_refused(by_group, transform):
    with pytest.raises(InputError, match="got None"):
        by_group.align(GENERATED[:2], SPACING)
    with pytest.raises(InputError, match=r"got \[\[1\.0, 1\.0\]\]"):
        by_group.align(GENERATED[:1], SPACING, torch.ones(1, 2))
    with pytest.raises(InputError, match="fitted to"):
        transform.align(GENERATED[:1], SPACING, torch.ones(1, 2))
    with pytest.raises(InputError, match=r"at least 5 generated and 5 training.*\[3, 70\]"):
        AlignLabelDistribution(BOTH[0][:83], BOTH[1], CAMUS, SPACING, conditions=(CONDITIONS[0][:83], CONDITIONS[1]))
    with pytest.raises(ShapeError, match=r"\(80, 2\)"):
        AlignLabelDistribution(*BOTH, CAMUS, SPACING, conditions=(CONDITIONS[0][:80], CONDITIONS[1]))
