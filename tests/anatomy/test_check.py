"""The verdict on whole batches: on any integer type and scheme, map by map, and on real expert labels."""

from __future__ import annotations

import pickle

import nibabel
import numpy as np
import pytest
import torch
from heart_faults import FAULTS, SPACING, clean_heart
from monai.data import MetaTensor

from monai_cardiacgen.anatomy import (
    ACDC,
    CAMUS,
    LV_CAVITY,
    MM_WHS,
    MYOCARDIUM,
    AnatomyCheck,
    LabelScheme,
    Structure,
)
from monai_cardiacgen.errors import InputError, LabelError, ShapeError, SpacingError


@pytest.fixture(scope="module")
def batch() -> torch.Tensor:
    """A clean heart, the 16 faults, an empty map and a map of noise, (19, 96, 96)."""
    noise = torch.randint(4, (96, 96), generator=torch.Generator().manual_seed(3))
    maps = [clean_heart(), *(make() for make in FAULTS.values()), torch.zeros_like(noise), noise]
    return torch.stack(maps)


def test_verdicts_of_a_batch(batch):
    report = AnatomyCheck()(batch, SPACING)
    assert report.values.shape == report.broken.shape == (19, 16)
    assert report.values.dtype == torch.float32
    assert report.valid.tolist() == [True] + 16 * [False] + [True, False]


def test_a_batch_equals_each_map(batch):
    whole = AnatomyCheck()(batch, SPACING)
    for row, label in enumerate(batch):
        alone = AnatomyCheck()(label[None], SPACING)
        assert torch.equal(alone.values[0].nan_to_num(-1), whole.values[row].nan_to_num(-1))
        assert torch.equal(alone.broken[0], whole.broken[row])


def test_neither_the_place_nor_the_field_of_view_matters(batch):
    maps = batch[:17]
    padded = torch.nn.functional.pad(maps, (40, 3, 0, 25))
    values = AnatomyCheck()(maps, SPACING).values
    assert torch.equal(AnatomyCheck()(padded, SPACING).values.nan_to_num(-1), values.nan_to_num(-1))


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16, torch.int32, torch.float32])
def test_any_dtype_of_whole_numbers_gives_the_same_verdict(batch, dtype):
    batch = batch[:6]  # the noise at the end is slow
    before = batch.to(dtype)
    given = before.clone()
    report = AnatomyCheck()(given, SPACING)
    assert torch.equal(report.broken, AnatomyCheck()(batch, SPACING).broken)
    assert torch.equal(given, before)
    assert given.dtype == dtype


def test_a_metatensor_gives_plain_tensors(batch):
    report = AnatomyCheck()(MetaTensor(batch), SPACING)
    assert type(report.values) is type(report.valid) is torch.Tensor
    assert report.values.device == batch.device


def test_another_schemes_codes_give_the_same_verdict(batch):
    batch = batch[:6]
    codes = {name: 10 * code for name, code in zip(ACDC.names, ACDC.codes, strict=True)}
    scheme = LabelScheme("tens", tuple(Structure(s.name, codes[s.name], s.colour) for s in ACDC.structures[::-1]))
    assert torch.equal(AnatomyCheck(scheme)(10 * batch, SPACING).broken, AnatomyCheck()(batch, SPACING).broken)


def test_a_structure_that_the_scheme_lacks_is_absent():
    scheme = LabelScheme(
        "left only", (Structure(LV_CAVITY, 1, (1.0, 0.0, 0.0)), Structure(MYOCARDIUM, 2, (0.0, 1.0, 0.0)))
    )
    label = clean_heart()
    left = torch.where(label == 3, 1, torch.where(label == 2, 2, 0))
    report = AnatomyCheck(scheme)(left[None], SPACING)
    assert report.valid.all()
    assert report.values[0, [c.name for c in report.criteria].index("RV concavity")].isnan()


def test_an_empty_batch_is_no_error():
    report = AnatomyCheck()(torch.zeros(0, 8, 8, dtype=torch.int64), SPACING)
    assert report.values.shape == (0, 16)
    assert report.table().endswith("0/0")


def test_reasons_name_the_criterion_its_value_and_its_limit(batch):
    report = AnatomyCheck()(batch, SPACING)
    assert report.reasons(0) == ()
    (reason,) = report.reasons(1)
    assert reason.startswith("LV holes is 1, expected at most 0 pixels: ")


def test_the_table_counts_the_maps_that_keep_each_criterion(batch):
    lines = AnatomyCheck()(batch[:17], SPACING).table().splitlines()
    assert len(lines) == 1 + 16 + 1
    assert all(line.endswith("16/17 94.1%") for line in lines[1:-1])
    assert lines[-1].endswith("1/17 5.9%")


@pytest.mark.parametrize("shape", [(96, 96), (1, 1, 96, 96)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ShapeError, match=r"Expected label maps \(B, H, W\), got"):
        AnatomyCheck()(torch.zeros(shape, dtype=torch.int64), SPACING)


def test_unknown_codes_are_refused():
    with pytest.raises(LabelError, match=r"got also \[7.0\]"):
        AnatomyCheck()(torch.full((1, 4, 4), 7), SPACING)


@pytest.mark.parametrize("spacing", [(2.0,), (2.0, 2.0, 8.0), (2.0, -1.0), (2.0, float("nan"))])
def test_bad_spacings_are_refused(spacing):
    with pytest.raises(SpacingError, match="2 positive spacings"):
        AnatomyCheck()(torch.zeros(1, 4, 4, dtype=torch.int64), spacing)


@pytest.mark.parametrize(
    ("scheme", "view", "criteria", "shape"),
    [(ACDC, "short axis", 16, (8, 9)), (CAMUS, "apical", 12, (8, 9)), (MM_WHS, "whole heart", 46, (8, 9, 7))],
)
def test_each_view_has_its_criteria_and_its_shape(scheme, view, criteria, shape):
    check = AnatomyCheck(scheme, view)
    assert len(check.criteria) == criteria
    report = check(torch.zeros(2, *shape, dtype=torch.uint8), (1.0,) * len(shape))
    assert report.criteria == check.criteria
    assert report.values.shape == (2, criteria)
    masks = check.masks(torch.zeros(2, *shape, dtype=torch.uint8))
    assert all(mask.shape == (2, *shape) and mask.dtype == torch.bool for mask in masks.values())
    with pytest.raises(ShapeError, match=rf"\(B, H, W{', D' if len(shape) == 3 else ''}\), got"):
        check(torch.zeros(shape, dtype=torch.uint8), (1.0,) * len(shape))
    assert pickle.loads(pickle.dumps(check)).criteria == check.criteria


def test_a_scheme_without_what_the_view_requires_is_refused():
    with pytest.raises(LabelError, match=r"'apical', got 'ACDC' without \['left atrium'\]"):
        AnatomyCheck(ACDC, "apical")
    with pytest.raises(LabelError, match="right ventricular cavity"):
        AnatomyCheck(CAMUS, "whole heart")


def test_an_unknown_view_is_refused():
    with pytest.raises(InputError, match="Expected a view of"):
        AnatomyCheck(ACDC, "long axis")


@pytest.mark.real_data
def test_expert_labels_are_valid(acdc_folder):
    valid = []
    for patient in sorted(acdc_folder.glob("patient*"))[::10]:
        for path in sorted(patient.glob("*_gt.nii.gz")):
            volume = nibabel.load(path)
            slices = torch.from_numpy(np.asarray(volume.dataobj).astype(np.int64)).movedim(2, 0)
            slices = slices[slices.flatten(1).any(dim=1)]
            valid.append(AnatomyCheck()(slices, [float(mm) for mm in volume.header.get_zooms()[:2]]).valid)
    assert len(torch.cat(valid)) > 100
    assert float(torch.cat(valid).float().mean()) >= 0.95
