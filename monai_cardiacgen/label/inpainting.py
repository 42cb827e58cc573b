"""The healthy version of a vessel's region, and what differs from it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from monai.bundle import ConfigParser
from monai.data import MetaTensor
from monai.transforms import Compose, EnsureChannelFirst, Orientation, ScaleIntensityRangePercentiles, Spacing

from ..errors import InputError, IntensityError
from ..transforms.inpaint_anatomy import InpaintAnatomy
from .task import LabelTask, TaskResult, number

_AXES = (("L", "R"), ("P", "A"), ("I", "S"))


class Inpaint(LabelTask):
    """Makes the middle of an axial patch anew, as a network that has learned descending aortas would draw it.

    The results are patches of one slice on the network's own grid, `healthy` and, as absolute difference and in
    standard deviations, `anomaly` and `z_score`; their affines say where they lie. What lies outside of the volume
    counts as its smallest value.

    Args:
        folder: of a bundle like `aorta_wgan_gp`; its `inference.json` says how is inpainted.
    """

    description = "Makes the descending aorta at a point anew, and shows what differs; MR volumes with axial slices"
    #: `centre`: the vessel's, as voxel numbers x, y, z of the image's file.
    settings = MappingProxyType({"centre": "", "mask_size": 25, "result": "anomaly"})

    def __init__(self, folder: Path) -> None:
        parser = ConfigParser()
        parser.read_config(folder / "configs" / "inference.json")
        parser.update({"bundle_root": str(folder)})
        self.inpainter = parser.get_parsed_content("inpainter")
        about = parser.get_parsed_content("trained").about
        self.spacing, self.size = float(about["spacing"]), int(about["patch_size"])

    def __call__(self, image: MetaTensor, label: MetaTensor | None, settings: Mapping[str, Any]) -> TaskResult:
        """Return `anomaly`, `z_score` and `healthy`.

        Raises:
            InputError: for a centre outside of the volume, or another setting out of range.
            IntensityError: for an image without contrast.
        """
        centre = _centre(settings["centre"], image.shape)
        mask_size = int(number(settings, "mask_size", 3, self.size - 2))
        patch = self._patch(image, centre)
        inpaint = InpaintAnatomy(self.inpainter, mask_size)
        found = inpaint.inpaint(patch, inpaint.mask_for(patch))
        made = {"anomaly": found.anomaly, "z_score": found.z_score, "healthy": found.image}
        volumes = {name: MetaTensor(values[0, ..., None].cpu(), affine=patch.affine) for name, values in made.items()}
        return TaskResult(volumes, {"misfit": found.misfit, "largest_z_score": float(found.z_score.max())})

    def _patch(self, image: MetaTensor, centre: torch.Tensor) -> MetaTensor:
        """Return the patch `(1, size, size)` in [0, 1] about a voxel of the file, with the affine of a volume."""
        if float(image.max()) == float(image.min()) or not bool(image.isfinite().all()):
            raise IntensityError("Expected an image with contrast and finite intensities, got another.")
        world = image.affine.to(torch.float64) @ torch.cat([centre, torch.ones(1, dtype=torch.float64)])
        steps = Compose(
            [
                EnsureChannelFirst(channel_dim="no_channel"),
                Orientation("LPS", labels=_AXES),
                Spacing((self.spacing, self.spacing, -1.0), mode="bilinear"),
                ScaleIntensityRangePercentiles(0.5, 99.5, 0.0, 1.0, clip=True),
            ]
        )
        volume = steps(image)
        affine = volume.affine.to(torch.float64)
        row, column, level = torch.linalg.solve(affine, world)[:3].round().to(torch.int64).tolist()
        level = min(max(level, 0), volume.shape[-1] - 1)
        start = [row - self.size // 2, column - self.size // 2]
        patch = torch.zeros(1, self.size, self.size)
        source, target = zip(
            *(_overlap(first, self.size, side) for first, side in zip(start, volume.shape[1:3], strict=True)),
            strict=True,
        )
        patch[0][target] = volume.as_tensor()[0, ..., level][source]
        placed = affine.clone()
        placed[:3, 3] = (affine @ torch.tensor([*start, level, 1.0], dtype=torch.float64))[:3]
        return MetaTensor(patch, affine=placed)


def _overlap(first: int, size: int, side: int) -> tuple[slice, slice]:
    """Return what a window from `first` on shows of an axis of `side` pixels: in its pixels, and in the window's."""
    low, high = max(first, 0), min(first + size, side)
    return slice(low, high), slice(low - first, high - first)


def _centre(given: Any, shape: Sequence[int]) -> torch.Tensor:
    """Return the voxel `(3,)`; viewers send `"x, y, z"`, programs a list."""
    parts = given.split(",") if isinstance(given, str) else given
    try:
        voxel = [float(part) for part in parts]
    except (TypeError, ValueError):
        voxel = []
    inside = len(voxel) == 3 and all(
        math.isfinite(place) and -0.5 <= place <= side - 0.5 for place, side in zip(voxel, shape, strict=True)
    )
    if not inside:
        raise InputError(
            f"Expected centre as three voxel numbers x, y, z within the image's {tuple(shape)}, got {given!r}; "
            f"send the place of the descending aorta."
        )
    return torch.tensor(voxel, dtype=torch.float64)


__all__ = ["Inpaint"]
