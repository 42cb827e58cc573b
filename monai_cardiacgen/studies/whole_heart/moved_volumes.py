"""Label volumes moved at random, as the shares of each class in blocks: what a coarse shape model learns from."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch.nn import functional as F

from ...anatomy.labels import LabelScheme
from ...data.slices import LABEL
from ...seeding import seeded


class MovedVolumes:
    """Turns, scales and bends label volumes a little, and averages them over blocks: MONAI's `prepare_batch` here.

    A network that is trained on shares with cross entropy learns their logarithms, between which borders can be
    interpolated finer than a block. It never mirrors: a mirrored heart is another organ.

    Args:
        scheme: codes of the volumes.
        block: voxels a side of a block, even; every side of a volume is a multiple of it.
        rotation: largest angle in degrees about a random axis, uniform in both directions.
        scale: largest logarithm of the factor, uniform in both directions.
        bend: standard deviation of a smooth random displacement, as a fraction of the side.

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.
    """

    #: Control points of the displacement field along each axis.
    POINTS = 6
    #: A block is looked at in as many points a side.
    SAMPLES = 2

    def __init__(
        self, scheme: LabelScheme, block: int, rotation: float = 12.0, scale: float = 0.12, bend: float = 0.012
    ) -> None:
        self.scheme = scheme
        self.block = block
        self.rotation, self.scale, self.bend = rotation, scale, bend
        self.generator = seeded(0)

    def __call__(
        self, batch: Mapping[str, torch.Tensor], device: torch.device | str | None, non_blocking: bool = False
    ) -> tuple[torch.Tensor, None]:
        """Return shares `(B, C, h, w, d)` of the batch's label maps `(B, 1, H, W, D)` on the device, no condition."""
        label = batch[LABEL].to(device, non_blocking=non_blocking)
        codes = label.to(torch.float32)
        grid = self._grid([self.SAMPLES * side // self.block for side in label.shape[2:]], len(label))
        moved = F.grid_sample(codes, grid.to(codes), mode="nearest", align_corners=False)[:, 0]
        return F.avg_pool3d(self.scheme.one_hot(moved.long()), self.SAMPLES), None

    def _grid(self, size: list[int], count: int) -> torch.Tensor:
        """Return where to look, `(B, *size, 3)`, in coordinates that run from -1 to 1 along each side."""
        turn, factor = (2 * torch.rand(2, count, generator=self.generator) - 1).unbind()
        axis = F.normalize(torch.randn(count, 3, generator=self.generator), dim=1)
        # The coordinates have the axes in reverse order and each side 2 long; a turn is one where a voxel is a voxel.
        sides = torch.tensor(size[::-1], dtype=torch.float32)
        matrix = rotations(axis, turn * math.radians(self.rotation)) * (sides / sides[:, None])
        matrix = matrix * (-factor * self.scale).exp()[:, None, None]
        theta = torch.cat([matrix, torch.zeros(count, 3, 1)], dim=2)
        grid = F.affine_grid(theta, [count, 1, *size], align_corners=False)
        points = 2 * self.bend * torch.randn(count, 3, *[self.POINTS] * 3, generator=self.generator)
        return grid + F.interpolate(points, size=size, mode="trilinear", align_corners=False).movedim(1, -1)


def rotations(axis: torch.Tensor, angle: torch.Tensor) -> torch.Tensor:
    """Return the matrices `(B, 3, 3)` of rotations about unit vectors `(B, 3)` by angles `(B,)` in radians."""
    x, y, z = (axis * angle[:, None]).unbind(dim=1)
    nothing = torch.zeros_like(x)
    rows = ((nothing, -z, y), (z, nothing, -x), (-y, x, nothing))
    matrices: torch.Tensor = torch.linalg.matrix_exp(torch.stack([torch.stack(row, dim=1) for row in rows], dim=1))
    return matrices


__all__ = ["MovedVolumes", "rotations"]
