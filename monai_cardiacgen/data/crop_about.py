"""Crop about a place that each case names, and undo it exactly."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import CropForeground, InvertibleTransform, MapTransform
from monai.utils import TransformBackends

from ..checks import check_spatial_size
from ..errors import InputError, ShapeError


class CropAboutd(MapTransform, InvertibleTransform):
    """Crop or pad the first axes to a size, about a voxel of the file that the case was loaded from.

    The voxel keeps its place in the patient whatever was resampled, turned or flipped since: it is carried through
    the file's affine. A case without it is cropped and padded about its middle, as MONAI's `ResizeWithPadOrCropd`
    does. A voxel outside of the present grid counts as the nearest one inside. Padding is 0. `Invertd` and `inverse`
    undo it.

    Args:
        keys: of the `MetaTensor`s `(C, *spatial)`.
        spatial_size: voxels along the first axes; further axes are left as they are.
        centre_key: where a case names the voxel, `(i, j)` or `(i, j, k)` in the file's axes, fractions allowed.
        allow_missing_keys: whether keys may be absent.

    Example:
        >>> image = MetaTensor(torch.arange(6.0).reshape(1, 6, 1), meta={"original_affine": np.eye(4)})
        >>> CropAboutd("image", (3,))({"image": image, "heart_centre": (4,)})["image"].flatten().tolist()
        [3.0, 4.0, 5.0]
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012

    def __init__(
        self,
        keys: KeysCollection,
        spatial_size: Sequence[int],
        centre_key: str = "heart_centre",
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        dims = len(spatial_size) if isinstance(spatial_size, Sequence) else 1
        self.spatial_size = check_spatial_size(spatial_size, max(1, dims))
        self.centre_key = centre_key
        self._cropper = CropForeground()  # for its traced crop_pad; its own search for a box is not used

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the case with every key cropped."""
        case = dict(data)
        for key in self.key_iterator(case):
            start = self._start(case[key], case.get(self.centre_key))
            size = (*self.spatial_size, *case[key].shape[1 + len(self.spatial_size) :])
            case[key] = self._cropper.crop_pad(case[key], start, start + np.asarray(size))
        return case

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the case with every key padded and cropped back."""
        case = dict(data)
        for key in self.key_iterator(case):
            case[key] = self._cropper.inverse(case[key])
        return case

    def _start(self, image: MetaTensor, centre: Sequence[float] | None) -> np.ndarray:
        """Return the first voxel of the box along every axis; it may be negative."""
        there = image.shape[1:]
        if len(there) < len(self.spatial_size):
            raise ShapeError(
                f"Expected images (C, *spatial) of at least {len(self.spatial_size)} axes, got {tuple(image.shape)}; "
                f"crop to a size with fewer numbers."
            )
        start = [0] * len(there)
        place = None if centre is None else _carried(image, centre)
        for axis, (side, size) in enumerate(zip(self.spatial_size, there, strict=False)):
            if place is not None:
                start[axis] = int(np.floor(min(max(place[axis], 0.0), size - 1.0) - (side - 1) / 2 + 0.5))
            elif side <= size:
                start[axis] = size // 2 - side // 2
            else:
                start[axis] = -((side - size) // 2)
        return np.asarray(start)


def _carried(image: MetaTensor, centre: Sequence[float]) -> np.ndarray:
    """Return where a voxel of the file lies on the image's present grid, `(dims,)`."""
    if not isinstance(image, MetaTensor) or "original_affine" not in image.meta:
        raise InputError(
            "Expected a MetaTensor that knows its file's affine, for a centre in the file's voxels, got none; load it "
            "with MONAI's LoadImaged."
        )
    original = torch.as_tensor(image.meta["original_affine"], dtype=torch.float64).numpy()
    present = image.affine.to("cpu", torch.float64).numpy()
    voxel = np.zeros(len(original) - 1)
    if len(centre) > len(voxel) or not np.isfinite(centre).all():
        raise InputError(
            f"Expected a centre of at most {len(voxel)} finite numbers, voxels along the file's axes, got "
            f"{tuple(centre)}; correct or leave out this item's centre."
        )
    voxel[: len(centre)] = centre
    world = original @ [*voxel, 1.0]
    rank = len(present) - 1
    place = np.linalg.solve(present, [*world[:rank], *[0.0] * max(0, rank - len(world) + 1), 1.0])
    return np.asarray(place[:rank])
