import pytest
import torch
from stand_in_synthesizer import heart

from monai_cardiacgen.errors import SpacingError
from monai_cardiacgen.seeding import seeded
from monai_cardiacgen.transforms.modes import Slices, make_new, make_restyled, make_varied


def slices(size=(32, 32), spacing=(1.5, 1.5), rows=1, radius=4.0, middle=None, depth=1):
    label = heart(size, middle or [(side - 1) / 2 for side in size], radius)
    image = torch.rand(rows, 1, *size, generator=seeded(1))
    spacings = torch.tensor([spacing] * rows, dtype=torch.float64)
    return Slices(image, label.expand(rows, *size).clone(), spacings, tuple(range(rows)), depth)


def test_on_the_models_grid_new_hearts_are_the_models_own(synthesizer):
    made = make_new(synthesizer, slices(rows=3))
    cases = synthesizer.sample(3, [seeded(row) for row in range(3)])
    assert torch.equal(made.image, cases.image)
    assert torch.equal(made.label, cases.label)
    assert bool((made.weight == 1).all())


@pytest.mark.parametrize("size", [(24, 24), (17, 30)])
def test_a_smaller_sample_shows_the_whole_new_heart(synthesizer, size):
    made = make_new(synthesizer, slices(size, rows=8))
    whole = synthesizer.sample(8, [seeded(row) for row in range(8)]).label
    assert made.label.shape == (8, *size)
    if size == (24, 24):
        assert [int((one > 0).sum()) for one in made.label] == [int((one > 0).sum()) for one in whole]
    else:  # shorter than the longest hearts, which are then shown about their middle
        rows = [torch.nonzero(one)[:, 0] for one in made.label]
        assert all(abs(float(row.min()) - (16 - float(row.max()))) <= 4 for row in rows)


def test_a_heart_keeps_its_size_in_mm_at_another_spacing(synthesizer):
    fine = make_new(synthesizer, slices((48, 48), (1.0, 1.0), rows=8))
    whole = synthesizer.sample(8, [seeded(row) for row in range(8)]).label
    for code in (1, 2, 3):
        ours = (fine.label == code).sum() * 1.0
        assert float(ours) == pytest.approx(float((whole == code).sum()) * 1.5 * 1.5, rel=0.06)


@pytest.mark.parametrize("make", [make_new, make_restyled])
def test_more_than_the_model_shows_is_refused(synthesizer, make):
    with pytest.raises(SpacingError, match=r"at most 48\.0 x 48\.0 mm.*got 60\.0 x 48\.0 mm.*'vary'"):
        make(synthesizer, slices((40, 32)))


def test_restyle_keeps_the_label_and_repeats_a_seeds_style(synthesizer):
    given = slices((30, 32), rows=2)
    same_seed = Slices(given.image, given.label, given.spacing, (5, 5), 1)
    made = make_restyled(synthesizer, same_seed)
    assert torch.equal(made.label, given.label)
    assert torch.equal(made.image[0], made.image[1])
    other = make_restyled(synthesizer, given)
    assert not torch.equal(other.image[0], other.image[1])


@pytest.mark.parametrize(("size", "spacing"), [((32, 32), (1.5, 1.5)), ((60, 50), (1.5, 1.5)), ((60, 60), (1.1, 1.3))])
def test_vary_changes_only_round_the_hearts(synthesizer, size, spacing):
    given = slices(size, spacing, radius=4.0 * 1.5 / spacing[0])
    made = make_varied(synthesizer, given, 1.0)
    touched = made.weight[0, 0] > 0
    hearts = (given.label[0] > 0) | (made.label[0] > 0)
    near = torch.nn.functional.max_pool2d(hearts[None, None].float(), 7, stride=1, padding=3)[0, 0] > 0
    assert bool(touched.any())
    assert bool(near[touched].all())
    assert not torch.equal(made.label, given.label)


def test_vary_takes_the_model_to_a_heart_at_the_border_of_a_large_image(synthesizer):
    given = slices((100, 100), middle=(85.0, 20.0))
    made = make_varied(synthesizer, given, 1.0)
    moved = torch.nonzero(made.label[0]).double().mean(0) - torch.nonzero(given.label[0]).double().mean(0)
    assert 1 <= float(moved[0]) <= 3  # the stand-in moves hearts one to three pixels down
    assert abs(float(moved[1])) < 1e-9


def test_vary_leaves_rows_without_a_heart(synthesizer):
    given = slices(rows=3)
    given.label[1] = 0
    made = make_varied(synthesizer, given, 0.5)
    assert made.weight.flatten(1).any(1).tolist() == [True, False, True]
    assert torch.equal(made.label[1], given.label[1])


def test_vary_leaves_hearts_that_vanish_on_the_models_grid(synthesizer):
    given = slices((90, 90), (0.5, 0.5), rows=2)
    given.label[1] = 0
    given.label[1, 46, 44] = 2  # a quarter of a mm²
    made = make_varied(synthesizer, given, 0.5)
    assert made.weight.flatten(1).any(1).tolist() == [True, False]


def test_a_heart_larger_than_the_model_is_refused(synthesizer):
    with pytest.raises(SpacingError, match=r"field of view of 48 x 48 mm, got one of .* check the sample's spacing"):
        make_varied(synthesizer, slices((60, 60), (5.0, 5.0)), 0.5)
