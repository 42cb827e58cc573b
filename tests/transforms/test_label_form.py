import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import LabelError, ShapeError
from monai_cardiacgen.transforms.label_form import LabelForm

DTYPES = [torch.uint8, torch.int16, torch.int32, torch.int64, torch.float16, torch.float32, torch.float64]
CHANNELS = torch.randint(4, (2, 6, 5), generator=torch.Generator().manual_seed(0))


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 200), min_size=4, max_size=4, unique=True), st.sampled_from(DTYPES))
def test_own_codes_in_any_dtype_come_back_as_they_were(codes, dtype):
    form = LabelForm(ACDC, codes)
    label = torch.zeros(2, 1, 6, 5, dtype=dtype)
    for channel, code in enumerate(codes):
        label[CHANNELS[:, None] == channel] = code
    assert torch.equal(form.read(label), CHANNELS)
    assert torch.equal(form.write(CHANNELS, label), label)
    assert form.write(CHANNELS, label).dtype == dtype


@pytest.mark.parametrize("dtype", [torch.bool, *DTYPES])
def test_one_hot_comes_back_as_it_was(dtype):
    one_hot = torch.stack([channel == CHANNELS for channel in range(4)], dim=1).to(dtype)
    form = LabelForm(ACDC)
    assert torch.equal(form.read(one_hot), CHANNELS)
    written = form.write(CHANNELS, one_hot)
    assert torch.equal(written, one_hot)
    assert written.dtype == dtype


def test_an_unknown_code_names_the_remedy():
    with pytest.raises(LabelError, match=r"got also \[7\.0\].*label_codes"):
        LabelForm(ACDC).read(torch.full((1, 1, 2, 2), 7))


def test_values_between_codes_name_their_likely_cause():
    with pytest.raises(LabelError, match=r"got also \[1\.5\].*nearest neighbour"):
        LabelForm(ACDC).read(torch.full((1, 1, 2, 2), 1.5))


@pytest.mark.parametrize("channels", [2, 3, 5])
def test_other_channel_counts_are_refused(channels):
    with pytest.raises(ShapeError, match=f"got {channels} channels"):
        LabelForm(ACDC).read(torch.zeros(1, channels, 2, 2))


def test_an_explicit_form_is_held():
    with pytest.raises(ShapeError, match="one_hot=True"):
        LabelForm(ACDC, one_hot=True).read(torch.zeros(1, 1, 2, 2))
    with pytest.raises(ShapeError, match="one_hot=False"):
        LabelForm(ACDC, one_hot=False).read(torch.zeros(1, 4, 2, 2))


@pytest.mark.parametrize("soft", [torch.full((1, 4, 2, 2), 0.25), torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2, 2)])
def test_soft_or_broken_one_hot_maps_are_refused(soft):
    with pytest.raises(LabelError, match="exactly one 1"):
        LabelForm(ACDC).read(soft)


@pytest.mark.parametrize("codes", [(0, 1, 2), (0, 1, 2, 2)])
def test_codes_must_fit_the_scheme(codes):
    with pytest.raises(LabelError, match="Expected 4 different label_codes"):
        LabelForm(ACDC, codes)
