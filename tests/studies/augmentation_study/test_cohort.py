"""The datasets of studies: frames and stacks, and scores on the files' own grid."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from small_study import small_settings
from torch import nn

from monai_cardiacgen.anatomy.schemes import CAMUS
from monai_cardiacgen.data.slices import IMAGE, LABEL
from monai_cardiacgen.phantom import write_acdc_phantom, write_camus_phantom
from monai_cardiacgen.studies.augmentation_study.cohort import ApicalCohort, ShortAxisCohort, cohort
from monai_cardiacgen.studies.augmentation_study.study import run_study
from monai_cardiacgen.studies.augmentation_study.study_page import write_study_page
from monai_cardiacgen.studies.augmentation_study.study_pictures import worst_slices

SIDE = 96


class Oracle(nn.Module):
    """Gives the label maps of the items, in their order."""

    def __init__(self, labels: list[torch.Tensor]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.labels = iter(labels)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        return 20 * CAMUS.one_hot(next(self.labels)).expand(len(image), -1, -1, -1)


@pytest.fixture(scope="module")
def camus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_camus_phantom(tmp_path_factory.mktemp("camus"), patients=4, seed=3)


def test_frames_are_stretched_and_keep_what_tells_them_apart(camus: Path) -> None:
    apical = ApicalCohort(SIDE)
    items = apical.items(str(camus))
    slices = apical.slices(items)
    assert len(slices) == len(items) == 16
    assert {one[IMAGE].shape for one in slices} == {(1, SIDE, SIDE)}
    assert all(set(np.unique(one[LABEL])) <= set(CAMUS.codes) for one in slices)
    assert {apical.phase(one) for one in slices} == {"2CH ED", "2CH ES", "4CH ED", "4CH ES"}


def test_spacing_of_frames_is_the_field_of_view_over_the_side(camus: Path) -> None:
    apical = ApicalCohort(SIDE)
    items = apical.items(str(camus))[:1]
    field = np.multiply(nib.load(items[0][IMAGE]).shape, 0.308)
    assert apical.spacing(apical.slices(items)) == pytest.approx(tuple(field / SIDE), rel=0.02)


def test_an_oracle_is_right_on_the_files_grid(camus: Path) -> None:
    apical = ApicalCohort(SIDE)
    items = apical.items(str(camus))[:4]
    labels = [torch.as_tensor(one[LABEL]) for one in apical.slices(items)]
    scores, slices = apical.test(Oracle(labels), items)
    assert slices == []
    assert [(one.phase, one.structure) for one in scores[:3]] == [
        ("2CH ED", "endocardium"),
        ("2CH ED", "epicardium"),
        ("2CH ED", "left atrium"),
    ]
    assert min(one.dice for one in scores) > 0.97
    assert max(one.assd for one in scores) < 1.0  # mm; a pixel of the study's grid is 1.5 mm
    swapped, _ = apical.test(Oracle(labels[::-1]), items)
    assert np.mean([one.dice for one in swapped]) < np.mean([one.dice for one in scores]) - 0.02


def test_the_middle_of_a_wide_slice_is_the_slice(tmp_path: Path) -> None:
    short_axis = ShortAxisCohort(4.0, 32, 8)
    items = short_axis.items(str(write_acdc_phantom(tmp_path, patients=1, seed=0)))[:1]
    for wide, one in zip(short_axis.training(items), short_axis.slices(items), strict=True):
        assert wide[LABEL].shape == (1, *short_axis.wide)
        torch.testing.assert_close(torch.as_tensor(wide[IMAGE])[:, 8:-8, 8:-8], torch.as_tensor(one[IMAGE]))


def test_phantoms_fit_their_cohort() -> None:
    for name, view in (("acdc", "short axis"), ("camus", "apical")):
        on_grid = cohort(name, 4.0, 32, 8)
        phantoms = on_grid.phantoms(1)
        assert (phantoms.view, phantoms.scheme) == (view, on_grid.scheme)
        assert phantoms.spatial_size == on_grid.wide


def test_a_study_of_echo_runs_to_its_page(camus: Path, tmp_path: Path) -> None:
    settings = small_settings(
        None, 4, seed=3, data_dir=str(camus), dataset="camus", amounts=(1,), arms=("ordinary", "on_the_fly")
    )
    run_study(settings, tmp_path)
    words = write_study_page(tmp_path, worst_slices(settings, tmp_path)).read_text(encoding="utf-8")
    for part in ("Frames of both views were stretched to 32 × 32 pixels", "EPI", "4CH ES", "ASSD"):
        assert part in words
    assert "HD95 in mm" not in words
    assert "apex" not in words
