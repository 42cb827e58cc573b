"""What is no tensor is told what it should be."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from monai.data import MetaTensor

from monai_cardiacgen.errors import InputError
from monai_cardiacgen.transforms.plain_tensor import plain_tensor


@pytest.mark.parametrize("given", [np.ones((1, 2)), torch.ones(1, 2), MetaTensor(torch.ones(1, 2))])
def test_arrays_and_tensors_become_plain_tensors(given):
    assert type(plain_tensor(given)) is torch.Tensor
    assert plain_tensor(given).tolist() == [[1, 1]]


def test_a_path_that_nobody_loaded_is_told_apart():
    with pytest.raises(InputError, match=r"str 'image\.nii\.gz'; load files first"):
        plain_tensor("image.nii.gz")
