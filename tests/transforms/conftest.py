"""Real-looking samples without real data, and the stand-in synthesizer."""

from __future__ import annotations

import pytest
import torch
from monai.data import MetaTensor
from stand_in_synthesizer import StandInSynthesizer, heart


@pytest.fixture
def synthesizer():
    return StandInSynthesizer()


@pytest.fixture
def make_sample():
    """Return a function that makes one sample: noise with a brighter heart, and its label map."""

    def make(size=(32, 32), spacing=(1.5, 1.5), seed=0, depth=None, radius=4.0, middle=None):
        generator = torch.Generator().manual_seed(seed)
        middle = [(side - 1) / 2 for side in size] if middle is None else middle
        label = heart(size, middle, radius)
        shape = tuple(size)
        if depth is not None:  # the outer slices of a stack show no heart
            shape = (*shape, depth)
            stack = torch.zeros(shape, dtype=torch.int64)
            stack[..., 1:-1] = label[..., None]
            label = stack
        image = 100 + 400 * torch.rand(shape, generator=generator) + 300 * (label > 0)
        affine = torch.diag(torch.tensor([*spacing, 8.0, 1.0], dtype=torch.float64))
        affine[:3, 3] = torch.tensor([-12.0, 7.0, 30.0])
        meta = {"filename_or_obj": f"patient{seed:03d}.nii.gz", "patient": f"patient{seed:03d}"}
        return {
            "image": MetaTensor(image[None], affine=affine, meta=dict(meta)),
            "label": MetaTensor(label[None], affine=affine, meta=dict(meta)),
            "group": "DCM",
            "number": seed,
        }

    return make
