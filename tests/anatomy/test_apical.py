"""Each of the 12 criteria is broken by a map that breaks no other; absent structures break; CAMUS's experts pass."""

from __future__ import annotations

import nibabel
import numpy as np
import pytest
import torch
from conftest import REAL_DATA
from echo_faults import ECHO_FAULTS, LA, LV, MYO, SPACING, clean_echo
from scipy import ndimage

from monai_cardiacgen.anatomy import CAMUS, AnatomyCheck
from monai_cardiacgen.anatomy.apical import APICAL, centroid_depth, erosions_to_split, measure_apical
from monai_cardiacgen.errors import ShapeError, SpacingError

NAMES = [criterion.name for criterion in APICAL]


def measured(label: torch.Tensor, spacing=SPACING) -> dict[str, float]:
    lv, myo, la = (label[None] == code for code in (LV, MYO, LA))
    return {name: float(value) for name, value in measure_apical(lv, myo, la, spacing).items()}


def broken(label: torch.Tensor) -> list[str]:
    report = AnatomyCheck(CAMUS, "apical")(label[None], SPACING)
    return [name for name, is_broken in zip(NAMES, report.broken[0], strict=True) if is_broken]


def test_there_are_12_criteria_and_a_value_and_a_fault_for_each():
    assert len(NAMES) == 12
    assert sorted(measured(clean_echo())) == sorted(NAMES) == sorted(ECHO_FAULTS)


def test_a_clean_echo_breaks_none():
    assert broken(clean_echo()) == []


@pytest.mark.parametrize("name", ECHO_FAULTS)
def test_each_fault_breaks_its_criterion_alone(name):
    assert broken(ECHO_FAULTS[name]()) == [name]


def test_values_are_those_that_were_drawn():
    values = measured(clean_echo())
    # 28 pixels of the cavity's base, of which 24 lie on the atrium; its corners see 2 more pixels by a corner less.
    assert values["LV-background frontier"] == pytest.approx(6 / 28)
    assert values["MYO-LA frontier"] == 0
    assert values["LV to MYO width"] == pytest.approx(28 / 16)
    assert values["MYO erosions to split"] == pytest.approx(4 / 5)  # 8 thick: 4 erosions; 5 to the bend's inner corner
    assert measured(ECHO_FAULTS["LV-LA gap"](), (0.5, 2.0))["LV-LA gap"] == 24
    assert measured(ECHO_FAULTS["LV-LA gap"](), (2.0, 2.0))["LV-LA gap"] == 96


@pytest.mark.parametrize("code", [LV, MYO, LA])
def test_an_absent_structure_breaks_what_needs_it(code):
    label = clean_echo()
    label[label == code] = 0
    short = {LV: "LV", MYO: "MYO", LA: "LA"}[code]
    assert {name for name in NAMES if short in name} <= set(broken(label))
    assert f"{short} disconnected has no value, for a structure is absent" in " ".join(
        AnatomyCheck(CAMUS, "apical")(label[None], SPACING).reasons(0)
    )


def test_an_empty_map_breaks_everything():
    assert broken(torch.zeros(20, 20, dtype=torch.int64)) == NAMES


def test_a_batch_equals_each_map():
    maps = torch.stack([clean_echo(), *(make() for make in ECHO_FAULTS.values()), torch.zeros_like(clean_echo())])
    whole = AnatomyCheck(CAMUS, "apical")(maps, SPACING)
    for row, label in enumerate(maps):
        alone = AnatomyCheck(CAMUS, "apical")(label[None], SPACING)
        torch.testing.assert_close(alone.values[0], whole.values[row], rtol=0, atol=0, equal_nan=True)
        assert torch.equal(alone.broken[0], whole.broken[row])


def test_widths_and_frontiers_keep_their_ratio_when_the_aspect_changes():
    values, squashed = measured(clean_echo()), measured(clean_echo()[:, ::2])
    for name in ("LV to MYO width", "MYO-LA frontier"):
        assert squashed[name] == values[name]


def eroded_until_split(mask: np.ndarray) -> float:
    """The same with scipy, as one would write it for one mask."""
    greatest = ndimage.distance_transform_edt(np.pad(mask, 1)).max()
    steps, eroding = 0, mask
    while True:
        parts = ndimage.label(eroding, np.ones((3, 3)))[0]
        if sum(np.bincount(parts.ravel())[1:] > 1e-3 * mask.sum()) != 1:
            return steps / greatest
        eroding, steps = ndimage.binary_erosion(eroding, np.ones((3, 3))), steps + 1


def test_erosions_agree_with_scipy_on_walls_of_many_kinds():
    generator = np.random.default_rng(0)
    walls = [(make() == MYO).numpy() for make in ECHO_FAULTS.values()]
    for _ in range(12):
        noise = ndimage.gaussian_filter(generator.standard_normal((96, 128)), 4)
        parts, _ = ndimage.label(noise > 0, np.ones((3, 3)))
        walls.append(parts == np.bincount(parts.ravel())[1:].argmax() + 1)
    values = erosions_to_split(torch.from_numpy(np.stack(walls)))
    np.testing.assert_allclose(values, [eroded_until_split(wall) for wall in walls], rtol=1e-6)


def test_the_centroids_depth_agrees_with_scipy():
    mask = clean_echo() == LA
    assert centroid_depth(mask[None]).tolist() == [int(ndimage.center_of_mass(mask.numpy())[1])]


def test_bad_masks_and_spacings_are_refused():
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    with pytest.raises(ShapeError, match="boolean masks"):
        measure_apical(mask, mask, mask[0], (1.0, 1.0))
    with pytest.raises(SpacingError, match="2 positive spacings"):
        measure_apical(mask, mask, mask, (1.0, 0.0))


@pytest.mark.real_data
def test_expert_labels_are_valid():
    folder = REAL_DATA / "camus" / "database_nifti"
    if not folder.is_dir():
        pytest.skip("the real CAMUS cases are not on this machine")
    paths = [path for patient in sorted(folder.iterdir())[::25] for path in sorted(patient.glob("*_gt.nii.gz"))]
    maps = torch.stack([torch.from_numpy(np.asarray(nibabel.load(path).dataobj).astype(np.int64)) for path in paths])
    assert len(maps) == 64
    assert float(AnatomyCheck(CAMUS, "apical")(maps, (1.0, 1.0)).valid.float().mean()) >= 0.98
