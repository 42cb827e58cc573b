"""Whatever comes into the transform, a valid sample comes out, or one of our errors."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from monai.data import MetaTensor
from properties_profile import bounded
from stand_in_synthesizer import StandInSynthesizer
from wrong_input import check_refusal

from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import CardiacGenError
from monai_cardiacgen.transforms import RandCardiacSynth

SYNTHESIZER = StandInSynthesizer((16, 16), (1.5, 1.5))
DTYPES = (
    torch.float16,
    torch.float32,
    torch.float64,
    torch.uint8,
    torch.int16,
    torch.int32,
    torch.bool,
    torch.complex64,
)
SIDES = st.sampled_from((1, 2, 3, 7, 16, 21))
MILLIMETRES = st.sampled_from((1e-3, 0.1, 0.8, 1.5, 1.52, 3.0, 40.0)) | st.floats(allow_nan=True, allow_infinity=True)


@st.composite
def samples(draw):
    """Draw an image and a label map: mostly such as files hold, with one or two things odd."""
    shape = [draw(SIDES), draw(SIDES), *([draw(st.integers(0, 3))] if draw(st.booleans()) else [])]
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    image = torch.from_numpy(rng.uniform(0, draw(st.sampled_from((1e-30, 1.0, 255.0, 1e30))), (1, *shape)))
    label = torch.from_numpy(rng.choice(np.array(ACDC.codes), (1, *shape), p=(0.7, 0.1, 0.1, 0.1))).to(torch.float32)
    kind = draw(st.sampled_from(("noise", "empty", "one pixel", "between", "unknown", "nan", "one-hot")))
    if kind in ("empty", "one pixel"):
        label.zero_()
    if kind == "one pixel" and label.numel():
        label.view(-1)[draw(st.integers(0, label.numel() - 1))] = 3
    label += {"between": 0.5, "unknown": 7, "nan": float("nan")}.get(kind, 0)
    if kind == "one-hot" and label.numel():
        label = ACDC.one_hot(label.to(torch.int64))[0]
    for value in draw(st.lists(st.sampled_from((float("nan"), float("inf"), -1e38)), max_size=1)):
        if image.numel():
            image.view(-1)[0] = value
    affine = torch.diag(torch.tensor([draw(MILLIMETRES), draw(MILLIMETRES), 8.0, 1.0], dtype=torch.float64))
    dtype = draw(st.sampled_from(DTYPES))
    return MetaTensor(image.to(dtype), affine=affine), MetaTensor(label, affine=affine)


@bounded
@given(samples(), st.sampled_from(("new", "vary", "restyle")), st.integers(0, 1000))
def test_a_valid_sample_or_one_of_our_errors(sample, mode, seed):
    image, label = sample
    synth = RandCardiacSynth(SYNTHESIZER, prob=1.0, mode=mode).set_random_state(seed)
    try:
        new_image, new_label = synth(image, label)
    except CardiacGenError as error:
        check_refusal(error)
        return
    assert (new_image.shape, new_image.dtype) == (image.shape, image.dtype)
    assert (new_label.shape, new_label.dtype) == (label.shape, label.dtype)
    assert torch.equal(new_image.affine, image.affine)
    assert torch.equal(new_label.affine, label.affine)
    assert bool(torch.isfinite(new_image).all())
    old, new = image.as_tensor().double(), new_image.as_tensor().double()
    rounding = 1e-5 * float(old.abs().max())  # percentiles are taken in float32
    assert float(new.min()) >= float(old.min()) - rounding
    assert float(new.max()) <= float(old.max()) + rounding
    codes = new_label if len(new_label) == 1 else new_label.argmax(dim=0)
    assert set(codes.unique().tolist()) <= set(ACDC.codes)
