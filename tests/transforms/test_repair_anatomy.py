"""The repairing transform: forms of label maps, stacks, metadata, and nothing worse than before."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from disc_hearts import SPACING, disc_sampler
from monai.data import MetaTensor

from monai_cardiacgen.anatomy.check import AnatomyCheck
from monai_cardiacgen.anatomy.schemes import ACDC
from monai_cardiacgen.errors import LabelError, ShapeError, SpacingError
from monai_cardiacgen.transforms import RepairAnatomy, RepairAnatomyd


def whole() -> torch.Tensor:
    return disc_sampler().decode(torch.tensor([[0.5, 0.5]]), torch.zeros(1, 2, dtype=torch.int64))


def broken() -> torch.Tensor:
    label = whole()
    label[0, 20, 20] = 0
    return label


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int64, torch.float32])
def test_codes_come_out_in_their_type(dtype):
    repaired = RepairAnatomy(disc_sampler(), spacing=SPACING)(broken().to(dtype))
    assert repaired.dtype == dtype
    assert torch.equal(repaired.to(torch.int64), whole())


def test_one_hot_own_codes_and_arrays():
    one_hot = ACDC.one_hot(broken())[0]
    repair = RepairAnatomy(disc_sampler(), spacing=SPACING)
    assert torch.equal(repair(one_hot), ACDC.one_hot(whole())[0])
    own = RepairAnatomy(disc_sampler(), label_codes=(0, 30, 20, 10), spacing=SPACING)
    codes = ACDC.remap(broken(), (0, 30, 20, 10))
    assert torch.equal(own(codes), ACDC.remap(whole(), (0, 30, 20, 10)))
    array = repair(broken().numpy().astype(np.int16))
    assert isinstance(array, np.ndarray)
    assert array.dtype == np.int16
    assert np.array_equal(array, whole().numpy())


def test_stacks_are_repaired_slice_by_slice_and_tell_it():
    stack = torch.stack([whole(), broken(), torch.zeros_like(whole())], dim=-1)
    affine = torch.diag(torch.tensor([2.0, 2.0, 8.0, 1.0], dtype=torch.float64))
    given = MetaTensor(stack, affine=affine, meta={"patient": "p1"})
    repaired = RepairAnatomyd("pred", disc_sampler())({"pred": given, "other": 3})
    assert repaired["other"] == 3
    result = repaired["pred"]
    assert torch.equal(result.as_tensor()[..., 1], whole())
    assert torch.equal(result.as_tensor()[..., ::2], stack[..., ::2])
    assert torch.equal(result.affine, affine)
    assert result.meta["patient"] == "p1"
    record = result.meta["anatomy_repair"]
    assert record["valid_before"] == [True, False, True]
    assert record["valid"] == [True, True, True]
    assert record["changed"][0] == record["changed"][2] == 0 < record["changed"][1] < 0.01
    assert "anatomy_repair" not in given.meta
    assert torch.equal(given.as_tensor(), stack)


def test_random_segmentations_never_get_worse():
    """Blobs of noise: whatever comes out breaks nothing, or is what came in."""
    noise = torch.randn(6, 4, 10, 10, generator=torch.Generator().manual_seed(0))
    labels = torch.nn.functional.interpolate(noise, size=(40, 40), mode="bicubic").argmax(dim=1)
    repaired = RepairAnatomy(disc_sampler(), spacing=SPACING)(labels.movedim(0, -1)[None])
    after = repaired[0].movedim(-1, 0)
    valid = AnatomyCheck()(after, SPACING).valid
    for row in range(6):
        assert bool(valid[row]) or torch.equal(after[row], labels[row])
    assert int(valid.sum()) >= 5


def test_bad_input_is_refused():
    repair = RepairAnatomy(disc_sampler())
    with pytest.raises(SpacingError, match="spacing"):
        repair(broken())
    with pytest.raises(ShapeError, match=r"\(C, H, W\)"):
        repair(broken()[0])
    with pytest.raises(ShapeError, match="3 channels"):
        repair(MetaTensor(torch.zeros(3, 8, 8), affine=torch.diag(torch.tensor([2.0, 2.0, 1.0, 1.0]))))
    with pytest.raises(LabelError, match="label codes"):
        RepairAnatomy(disc_sampler(), spacing=SPACING)(broken() + 5)
    with pytest.raises(LabelError, match="label_codes"):
        RepairAnatomy(disc_sampler(), label_codes=(0, 1))
    with pytest.raises(SpacingError):
        RepairAnatomy(disc_sampler(), spacing=(1.0, -1.0))
    with pytest.raises(KeyError, match="label"):
        RepairAnatomyd("label", disc_sampler())({"image": 1})
    assert RepairAnatomyd("label", disc_sampler(), allow_missing_keys=True)({"image": 1}) == {"image": 1}
