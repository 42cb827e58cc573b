"""Three small whole hearts that several tests share: made once, never changed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from scipy import ndimage

from monai_cardiacgen.anatomy.schemes import MM_WHS
from monai_cardiacgen.phantom import WHOLE_HEART_GROUPS, VolumeGrid, WholeHeartPatient, axial_grid
from monai_cardiacgen.phantom.whole_heart_patient import Painting, draw_whole_heart_patient
from monai_cardiacgen.seeding import seeded

GRID = axial_grid((88, 88, 66), (2.9, 2.9, 2.9), (-10.0, -5.0, -4.0))


@lru_cache(maxsize=3)
def patient(group: str) -> WholeHeartPatient:
    return draw_whole_heart_patient(group, seeded(WHOLE_HEART_GROUPS.index(group)))


@lru_cache(maxsize=3)
def painting(group: str) -> Painting:
    return patient(group).on(GRID)


@lru_cache(maxsize=3)
def label(group: str) -> torch.Tensor:
    return painting(group).label()


def voxels(group: str, structure: str) -> torch.Tensor:
    """Return the mask of a structure of MM-WHS."""
    return label(group) == MM_WHS.code(structure)


def millilitres(mask: torch.Tensor, grid: VolumeGrid = GRID) -> float:
    return float(mask.sum()) * float(np.prod(grid.spacing)) / 1000


def touching(first: torch.Tensor, second: torch.Tensor) -> int:
    """Return how many voxels of `second` lie at a face of one of `first`."""
    return int((ndimage.binary_dilation(first.numpy()) & second.numpy()).sum())


def middle(mask: torch.Tensor, grid: VolumeGrid = GRID) -> np.ndarray:
    """Return the RAS mm of a mask's centre of mass."""
    return grid.affine[:3, :3] @ np.argwhere(mask.numpy()).mean(0) + grid.affine[:3, 3]
