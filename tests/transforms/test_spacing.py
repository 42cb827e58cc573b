import numpy as np
import pytest
import torch
from monai.data import MetaTensor, list_data_collate
from monai.transforms import LoadImage, SaveImage

from monai_cardiacgen.errors import SpacingError
from monai_cardiacgen.transforms.spacing import check_field_of_view, resolve_spacing, told_spacings


def oblique(spacing):
    """An affine of the spacing whose axes are turned in space."""
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = turn * np.asarray(spacing)
    return torch.from_numpy(affine)


def test_the_affine_tells_the_spacing_however_it_is_turned():
    sample = MetaTensor(torch.zeros(1, 8, 8), affine=oblique((1.4, 1.8, 8.0)))
    assert told_spacings(sample, 1, 2) == [pytest.approx((1.4, 1.8))]
    assert told_spacings(sample, 1, 3) == [pytest.approx((1.4, 1.8, 8.0))]


def test_every_row_of_a_collated_batch_tells_its_own():
    rows = [MetaTensor(torch.zeros(1, 8, 8), affine=oblique(spacing)) for spacing in ((1, 2, 3), (3, 2, 1))]
    assert told_spacings(list_data_collate(rows), 2, 2) == [pytest.approx((1, 2)), pytest.approx((3, 2))]


def test_a_plain_tensor_and_an_identity_that_nobody_set_tell_nothing():
    assert told_spacings(torch.zeros(1, 8, 8), 1, 2) == [None]
    assert told_spacings(np.zeros((1, 8, 8)), 1, 2) == [None]
    assert told_spacings(MetaTensor(torch.zeros(1, 8, 8)), 1, 2) == [None]


def test_a_file_of_one_mm_tells_it(tmp_path):
    image = MetaTensor(torch.rand(1, 8, 8, 4), affine=torch.eye(4), meta={"filename_or_obj": "one.nii.gz"})
    SaveImage(tmp_path, output_postfix="", separate_folder=False, print_log=False)(image)
    loaded = LoadImage(ensure_channel_first=True)(tmp_path / "one.nii.gz")
    assert told_spacings(loaded, 1, 2) == [pytest.approx((1.0, 1.0))]


def test_a_sheared_grid_is_refused():
    affine = torch.eye(4)
    affine[0, 1] = 0.3
    with pytest.raises(SpacingError, match=r"right angles.*Spacingd"):
        told_spacings(MetaTensor(torch.zeros(1, 8, 8), affine=affine), 1, 2)


def test_the_given_spacing_wins_and_none_is_an_error():
    assert resolve_spacing([(1.0, 1.0), None], (2.0, 3.0), 2).tolist() == [[2.0, 3.0]] * 2
    assert resolve_spacing([(1.0, 2.0)], None, 2).tolist() == [[1.0, 2.0]]
    with pytest.raises(SpacingError, match=r"MetaTensors.*pass `spacing=`"):
        resolve_spacing([(1.0, 1.0), None], None, 2)


def test_a_larger_field_of_view_is_refused_in_mm_and_one_pixel_is_not():
    spacing = torch.tensor([[2.0, 2.0]], dtype=torch.float64)
    check_field_of_view((33, 32), spacing, (32, 32), (2.0, 2.0))
    with pytest.raises(SpacingError, match=r"at most 64\.0 x 64\.0 mm.*got 68\.0 x 64\.0 mm.*crop.*vary"):
        check_field_of_view((34, 32), spacing, (32, 32), (2.0, 2.0))
