"""Repair of a stack, slice by slice."""

from __future__ import annotations

import pytest
import torch
from disc_hearts import disc_sampler
from monai.data import MetaTensor

from monai_cardiacgen.errors import LabelError
from monai_cardiacgen.label.repairing import Repair


def test_a_valid_slice_stays_and_an_invalid_one_becomes_valid():
    sampler = disc_sampler()
    valid = sampler.vae.decode(torch.zeros(1, 2)).argmax(dim=1)[0]
    invalid = valid.clone()
    middle = valid.shape[0] // 2
    invalid[middle, middle] = 0
    stack = MetaTensor(torch.stack([valid, invalid], dim=-1), affine=torch.diag(torch.tensor([2.0, 2.0, 8.0, 1.0])))
    found = Repair(sampler)(stack, stack, {})
    assert found.report["valid_before"] == [True, False]
    assert found.report["valid"] == [True, True]
    assert torch.equal(found.volumes["label"][..., 0], valid)
    assert torch.equal(found.volumes["label"][..., 1], valid)


def test_an_empty_label_is_refused():
    empty = MetaTensor(torch.zeros(40, 40, 1, dtype=torch.int64), affine=torch.eye(4))
    with pytest.raises(LabelError, match="empty"):
        Repair(disc_sampler())(empty, empty, {})
