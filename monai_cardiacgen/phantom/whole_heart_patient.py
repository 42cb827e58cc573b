"""A whole-heart patient: heart and chest that CT and MR see alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from ..anatomy.schemes import LV_CAVITY, MM_WHS
from .heart_solids import heart_solids, papillary_muscles
from .outline import coverage
from .solids import Solid, Vessel
from .thorax import Thorax, draw_thorax
from .volume_grid import VolumeGrid
from .whole_heart import WholeHeart, draw_whole_heart


@dataclass(frozen=True)
class WholeHeartPatient:
    """A heart in its chest; RAS mm.

    Attributes:
        heart: the chambers and the vessels that MM-WHS labels.
        thorax: everything around them.
    """

    heart: WholeHeart
    thorax: Thorax

    def descending_aorta(self) -> Vessel:
        """Return the descending aorta's centre line and radius, which MM-WHS does not label."""
        return self.thorax.descending_aorta(self.heart)

    def descending_aorta_in_slices(self, grid: VolumeGrid) -> Tensor:
        """Return where the descending aorta crosses each axial slice, `(Z, 3)`: voxel x, voxel y, radius in mm.

        A slice above the arch or beyond the line's end has NaN.
        """
        tube = self.descending_aorta()
        top = int(tube.line[:, 2].argmax())
        index = grid.index(tube.line[top:]).double().numpy()[::-1]
        radius = tube.radius[top:].double().numpy()[::-1]
        slices = np.arange(grid.size[2])
        columns = [
            np.interp(slices, index[:, 2], values, left=np.nan, right=np.nan)
            for values in (index[:, 0], index[:, 1], radius)
        ]
        return torch.from_numpy(np.stack(columns, axis=1)).to(torch.float32)

    def on(self, grid: VolumeGrid) -> Painting:
        """Return the patient's solids on a grid, the chest first, the heart over it."""
        points = grid.points()
        inner = heart_solids(self.heart, grid, points)
        outer = self.thorax.solids(self.heart, grid, points, inner)
        muscles = Solid("papillary muscle", papillary_muscles(self.heart, grid, points), None)
        cavity = next(number for number, solid in enumerate(inner) if solid.tissue == LV_CAVITY)
        return Painting(self, grid, points, (*outer, *inner[: cavity + 1], muscles, *inner[cavity + 1 :]))


@dataclass(frozen=True)
class Painting:
    """A patient's solids on a grid, in painting order; each covers those before it.

    Attributes:
        patient: whose solids they are.
        grid: where the voxels lie.
        points: RAS mm of the voxels `(3, X, Y, Z)`.
        solids: level sets with their tissues and codes.
    """

    patient: WholeHeartPatient
    grid: VolumeGrid
    points: Tensor
    solids: tuple[Solid, ...]

    def surface(self, tissue: str) -> Tensor:
        """Return the level set in mm `(X, Y, Z)` of the last solid of a tissue."""
        return next(solid.surface for solid in reversed(self.solids) if solid.tissue == tissue)

    def label(self) -> Tensor:
        """Return MM-WHS's codes `(X, Y, Z)`, int16: a voxel belongs to the last solid that holds its centre.

        Of each structure only the largest connected part is kept: a few voxels may be cut off where another
        structure lies over it.
        """
        label = torch.zeros(self.grid.size, dtype=torch.int16)
        for solid in self.solids:
            if solid.code is not None:
                label[solid.surface < 0] = solid.code
        for code in MM_WHS.codes[1:]:
            parts, count = ndimage.label((label == code).numpy())
            if count > 1:
                largest = 1 + int(np.bincount(parts.ravel())[1:].argmax())
                label[torch.from_numpy((parts != largest) & (parts > 0))] = 0
        return label

    def image(self, values: Mapping[str, float | Tensor]) -> Tensor:
        """Return a volume `(X, Y, Z)`, float32, in which voxels on a border share the tissues' values.

        Args:
            values: of every tissue, a number or a volume; what no solid covers has the value of `"air"`.
        """
        softness = float(np.prod(self.grid.spacing) ** (1 / 3))
        volume = torch.zeros(self.grid.size) + values["air"]
        for solid in self.solids:
            volume += coverage(solid.surface, softness) * (values[solid.tissue] - volume)
        return volume


def draw_whole_heart_patient(group: str, generator: torch.Generator) -> WholeHeartPatient:
    """Draw a patient; CT and MR of the same patient show the same heart in the same chest.

    Args:
        group: one of `WHOLE_HEART_GROUPS`.
        generator: a CPU generator.

    Raises:
        InputError: when the group is none of these.
    """
    heart = draw_whole_heart(group, generator)
    return WholeHeartPatient(heart, draw_thorax(heart, generator))
