"""The condition of a batch, as plain float32 numbers, or an error that names the transform."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.engines.batch_condition import batch_condition
from monai_cardiacgen.errors import ShapeError

CPU = torch.device("cpu")


def test_networks_that_are_told_nothing_get_nothing():
    assert batch_condition({"condition": torch.ones(2, 3)}, 0, 2, CPU) is None


def test_the_condition_comes_as_a_plain_float_tensor():
    found = batch_condition({"condition": MetaTensor(torch.eye(3, dtype=torch.float64)[:2])}, 3, 2, CPU)
    assert type(found) is torch.Tensor
    assert found.dtype == torch.float32
    assert torch.equal(found, torch.eye(3)[:2])


@pytest.mark.parametrize("batch", [{}, {"condition": torch.ones(2, 2)}, {"condition": torch.ones(1, 3)}])
def test_a_missing_or_unfit_condition_is_refused(batch):
    with pytest.raises(ShapeError, match="EncodeHeartConditiond"):
        batch_condition(batch, 3, 2, CPU)
