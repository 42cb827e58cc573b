import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from monai_cardiacgen.inferers.resample import (
    label_to_model,
    label_to_sample,
    one_hot_to_model,
    one_hot_to_sample,
    place,
)

MODEL_SIZE, MODEL_SPACING = (16, 20), (1.5, 1.5)


def one_hot(label, classes):
    return torch.nn.functional.one_hot(label, classes).movedim(-1, 1).float()


def spacings(*rows):
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("size", [(16, 20), (13, 31), (40, 9)])
def test_equal_spacing_moves_whole_pixels_and_comes_back_bit_for_bit(size):
    image = torch.rand(1, 1, *size)
    placement = place(size, spacings((1.5, 1.5)), MODEL_SIZE, MODEL_SPACING)
    on_model = placement.to_model(image, extend=True)
    assert set(on_model.unique().tolist()) <= set(image.unique().tolist())
    back = placement.to_sample(on_model, extend=False)
    shown = placement.to_sample(torch.ones_like(on_model), extend=False) > 0
    assert torch.equal(back[shown], image[shown])
    assert int(shown.sum()) == min(size[0], 16) * min(size[1], 20)


def test_spacings_within_half_a_pixel_count_as_equal():
    equal = place((32, 32), spacings((1.5 * 1.02, 1.5)), (32, 32), MODEL_SPACING)
    other = place((32, 32), spacings((1.5 * 1.05, 1.5)), (32, 32), MODEL_SPACING)
    assert equal.scale.tolist() == [[1.0, 1.0]]
    assert other.scale[0].tolist() == pytest.approx([1 / 1.05, 1.0])


def test_linear_interpolation_agrees_with_scipy_row_by_row():
    size, rows = (24, 18), spacings((0.9, 1.1), (2.0, 1.4))
    image = torch.rand(2, 1, *size, dtype=torch.float64)
    placement = place(size, rows, MODEL_SIZE, MODEL_SPACING)
    ours = placement.to_model(image, extend=True)
    for row in range(2):
        axes = []
        for axis, (n, sample) in enumerate(zip(MODEL_SIZE, size, strict=True)):
            mm = (torch.arange(n, dtype=torch.float64) - (n - 1) / 2) * MODEL_SPACING[axis]
            axes.append(mm / float(rows[row, axis]) + (sample - 1) / 2)
        grid = torch.meshgrid(*axes, indexing="ij")
        theirs = map_coordinates(image[row, 0].numpy(), [axis.numpy() for axis in grid], order=1, mode="nearest")
        assert torch.allclose(ours[row, 0], torch.from_numpy(theirs), atol=1e-9)


def test_the_model_is_laid_about_the_point_but_not_out_of_the_sample():
    size = (100, 100)
    for about, middle in (((60.0, 30.0), (60.0, 30.0)), ((99.0, 0.0), (100 - 8.5, 7.5))):
        placement = place(size, spacings((1.5, 1.5)), (16, 16), (1.5, 1.5), about=spacings(about))
        assert (placement.centre[0] - torch.tensor(middle)).abs().max() <= 0.5


def test_a_sample_inside_the_model_is_shown_whole():
    placement = place((10, 10), spacings((1.5, 1.5)), (16, 16), (1.5, 1.5), about=spacings((0.0, 9.0)))
    shown = placement.to_sample(torch.ones(1, 1, 16, 16), extend=False)
    assert bool((shown == 1).all())


@settings(deadline=None, max_examples=15)
@given(
    st.tuples(st.integers(8, 40), st.integers(8, 40)),
    st.tuples(st.floats(0.7, 3.0), st.floats(0.7, 3.0)),
)
def test_a_smooth_image_survives_the_way_there_and_back(size, spacing):
    ramp = torch.arange(size[0], dtype=torch.float64)[:, None] + torch.arange(size[1], dtype=torch.float64)
    placement = place(size, spacings(spacing), (48, 48), (1.0, 1.0))
    image = ramp[None, None]
    back = placement.to_sample(placement.to_model(image, extend=True), extend=True)
    shown = placement.to_sample(torch.ones(1, 1, 48, 48, dtype=torch.float64), extend=False) == 1
    inner = torch.zeros_like(shown)
    inner[..., 3:-3, 3:-3] = True  # where the repeated border does not bend the ramp
    assert torch.allclose(back[shown & inner], image[shown & inner], atol=0.6)


def test_labels_outside_are_background_and_inside_keep_their_class():
    label = torch.full((1, 8, 8), 2)
    one_hot = torch.nn.functional.one_hot(label, 3).movedim(-1, 1).float()
    placement = place((8, 8), spacings((1.0, 1.0)), (16, 16), (1.0, 1.0))
    there = one_hot_to_model(placement, one_hot)
    assert int((there == 2).sum()) == 64
    assert int((there == 0).sum()) == 16 * 16 - 64
    back = one_hot_to_sample(placement, torch.nn.functional.one_hot(there, 3).movedim(-1, 1).float())
    assert torch.equal(back, label)


def test_the_channel_of_most_weight_is_torchs_argmax():
    weights = torch.randint(3, (2, 4, 9, 9), generator=torch.Generator().manual_seed(0)).float()  # with ties
    placement = place((9, 9), spacings((1.0, 1.0), (1.0, 1.0)), (9, 9), (1.0, 1.0))
    assert torch.equal(one_hot_to_model(placement, weights), weights.argmax(dim=1))


def test_volumes_are_resampled_along_all_axes():
    image = torch.rand(1, 1, 6, 6, 6, dtype=torch.float64)
    placement = place((6, 6, 6), spacings((2.0, 2.0, 2.0)), (12, 12, 12), (1.0, 1.0, 1.0))
    finer = placement.to_model(image, extend=True)
    assert finer.shape == (1, 1, 12, 12, 12)
    trilinear = torch.nn.functional.interpolate(image, scale_factor=2, mode="trilinear", align_corners=False)
    assert torch.allclose(finer, trilinear)


@pytest.mark.parametrize("size", [(16, 20), (13, 31), (40, 9)])
@pytest.mark.parametrize("spacing", [1.5, 1.1])
def test_labels_move_as_their_one_hot_form_does(size, spacing):
    classes = 4
    placement = place(size, spacings((1.5, spacing)), MODEL_SIZE, MODEL_SPACING)
    assert placement.moves_whole_pixels is (spacing == 1.5)
    label = torch.randint(classes, (1, *size), generator=torch.Generator().manual_seed(0))
    there = label_to_model(placement, label, classes)
    assert torch.equal(there, one_hot_to_model(placement, one_hot(label, classes)))
    assert torch.equal(
        label_to_sample(placement, there, classes), one_hot_to_sample(placement, one_hot(there, classes))
    )
