"""Patches round the descending aorta of whole-heart volumes: what a generator of the region learns and is tested on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import numpy.typing as npt
import torch
from monai.data import Dataset, MetaTensor
from monai.transforms import (
    Compose,
    EnsureChannelFirstd,
    LoadImaged,
    Orientationd,
    ScaleIntensityRanged,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)

from ...data.files import read_csv
from ...data.mmwhs import read_mmwhs
from ...data.problems import Problems
from ...errors import DataError, InputError
from ...seeding import seeded
from ...transforms.extract_vessel_patches import ExtractVesselPatches

_LABELS = (("L", "R"), ("P", "A"), ("I", "S"))
#: Hounsfield units that become 0 and 1.
_WINDOW = (-200.0, 600.0)


class AorticPatches(Dataset):
    """Patches round the descending aorta of a folder in MM-WHS's layout, in memory, as a MONAI dataset.

    Beside each image lies `..._descending_aorta.csv` with the columns `slice`, `x` and `y`: voxels of the file that lie
    in the descending aorta, one row at least; the middle row is the seed from which the vessel is followed. A fourth
    column `radius_mm` makes the table the truth: a vessel's centre and radius in every slice, as the phantom writes it.

    Axes are turned to the patient's left and back, so that a patch is seen as radiologists see it when its first axis
    runs to the right. Volumes are resampled linearly; an MR volume's 0.5 and 99.5 percentiles, or -200 and 600 HU,
    become 0 and 1.

    Each element has `image` `(1, side, side)`, a plain tensor in [0, 1]; `affine` `(4, 4)` from its pixels to the
    file's world; `patient`; `name`, the patient and the height in mm; `centre` `(2,)`, pixels, and `radius`, mm, as the
    tracker found them; `true_centre` and `true_radius`, NaN without a truth.

    Args:
        folder: as the challenge ships it.
        side: of the patches in pixels.
        spacing: in-plane pixel size in mm.
        between: mm from one slice to the next, to which volumes are resampled.
        step: every how many of these slices a patch is cut.
        patients: at most as many, the first ones; all by default.
        progress: called with the number of volumes read, after each.

    Attributes:
        elements: the same as a list.

    Raises:
        DataError: when a file or seed is missing or damaged, or no vessel is found at a seed; one error for all.
    """

    def __init__(
        self,
        folder: str | Path,
        side: int = 80,
        spacing: float = 2.0,
        between: float = 2.0,
        step: int = 4,
        patients: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        extract = ExtractVesselPatches((side, side), step, seed_space="mm")
        problems = Problems("volumes with a seed in the descending aorta", Path(folder))
        found: list[dict[str, Any]] = []
        for number, item in enumerate(read_mmwhs(folder)[:patients], 1):
            with problems.noted():
                found += _patches(item, extract, (spacing, spacing, between))
            if progress is not None:
                progress(number)
        problems.raise_any()
        super().__init__(found)
        self.elements = found


class MovedPatches:
    """Cuts a window out of each patch of a batch, at a place drawn for each: MONAI's `prepare_batch` here.

    So the vessel lies anywhere about the window's middle, and where it lies is known from its surroundings alone.

    Args:
        patch_size: side of the window in pixels; patches have this side or a larger one.

    Attributes:
        generator: of the draws; `TrainingRounds` sets it anew for each epoch.

    Example:
        >>> moved = MovedPatches(8)
        >>> moved({"image": torch.rand(2, 1, 12, 12)}, "cpu").shape
        torch.Size([2, 1, 8, 8])
    """

    def __init__(self, patch_size: int) -> None:
        self.patch_size = patch_size
        self.generator = seeded(0)

    def __call__(
        self,
        batch: Mapping[str, torch.Tensor],
        device: torch.device | str | None = None,
        non_blocking: bool = False,
        **_: Any,
    ) -> torch.Tensor:
        """Return the windows `(B, 1, patch_size, patch_size)` of `image` `(B, 1, side, side)` on the device.

        Raises:
            InputError: when the patches are smaller than the window.
        """
        images = torch.as_tensor(batch["image"]).as_subclass(torch.Tensor)
        corners = self.corners(len(images), images.shape[-1])
        rows = [window(one, corner, self.patch_size) for one, corner in zip(images, corners, strict=True)]
        return torch.stack(rows).to(device, non_blocking=non_blocking)

    def corners(self, count: int, side: int) -> list[list[int]]:
        """Draw `count` windows' first pixels in patches of a side."""
        if side < self.patch_size:
            raise InputError(f"Expected patches of at least {self.patch_size} pixels a side, got {side}.")
        corners: list[list[int]] = torch.randint(
            side - self.patch_size + 1, (count, 2), generator=self.generator
        ).tolist()
        return corners


def located(patch: Mapping[str, Any]) -> dict[str, Any]:
    """Return an element of `AorticPatches` with its `image` as a `MetaTensor`, as MONAI's `SaveImaged` wants it."""
    meta = {"filename_or_obj": f"{patch['name']}.nii.gz"}
    return {**patch, "image": MetaTensor(patch["image"], affine=patch["affine"], meta=meta)}


def window(image: torch.Tensor, corner: Sequence[int], size: int) -> torch.Tensor:
    """Return the square of `size` pixels of an image `(C, H, W)` that begins at a corner."""
    row, column = corner
    return image[:, row : row + size, column : column + size]


def _patches(
    item: Mapping[str, Any], extract: ExtractVesselPatches, spacing: tuple[float, ...]
) -> list[dict[str, Any]]:
    """Return the elements of one volume."""
    points, radii = _aorta_table(Path(item["image"]))
    volume = _reading(item["modality"], spacing)({"image": item["image"]})["image"]
    try:
        cut = extract(volume, points[len(points) // 2].tolist())
    except InputError as error:
        raise DataError(f"{item['image']}: {error}") from error
    return [_element(patch, str(item["patient"]), points, radii) for patch in cut]


def _element(
    patch: MetaTensor, patient: str, points: npt.NDArray[np.float64], radii: npt.NDArray[np.float64]
) -> dict[str, Any]:
    vessel = patch.meta["vessel"]
    affine = torch.as_tensor(patch.affine, dtype=torch.float64).numpy()
    true = np.full(3, math.nan)
    if np.isfinite(radii).all():
        # Where the centre line crosses the patch's plane, in its pixels.
        crossed = (np.linalg.inv(affine) @ np.concatenate([points, np.ones((len(points), 1))], axis=1).T)[:3]
        order = crossed[2].argsort()
        if crossed[2].min() <= 0 <= crossed[2].max():
            columns = (crossed[0], crossed[1], radii)
            true = np.array([np.interp(0.0, crossed[2][order], values[order]) for values in columns])
    return {
        "image": patch.as_tensor().to(torch.float32),
        "affine": torch.from_numpy(affine),
        "patient": patient,
        "name": f"{patient}_{float(vessel['centre'][2]):+06.1f}mm",
        "centre": vessel["centre_in_patch"].to(torch.float32),
        "radius": float(vessel["radius"]),
        "true_centre": torch.from_numpy(true[:2]).to(torch.float32),
        "true_radius": float(true[2]),
    }


def _aorta_table(image: Path) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return points in the aorta `(N, 3)` in mm of the file's world, and their radii `(N,)`, NaN where not told."""
    path = image.with_name(image.name.replace("_image.nii.gz", "_descending_aorta.csv"))
    rows = read_csv(path)
    try:
        table = np.array([[float(row[key]) for key in ("x", "y", "slice")] for row in rows]).reshape(-1, 3)
        radii = np.array([float(row.get("radius_mm") or math.nan) for row in rows])
    except (KeyError, ValueError, TypeError) as error:
        raise DataError(f"Expected columns slice, x and y with numbers in {path}, got {error}.") from error
    known = np.isfinite(table).all(axis=1)
    if not known.any():
        raise DataError(f"Expected a point in the descending aorta in {path}, got none; add a row slice,x,y.")
    table, radii = table[known], radii[known]
    affine = nib.load(image).affine
    return (affine @ np.concatenate([table, np.ones((len(table), 1))], axis=1).T).T[:, :3], radii


def _reading(modality: str, spacing: tuple[float, ...]) -> Compose:
    """Return the steps from a path to a volume `(1, H, W, D)` in [0, 1], axes to the left, the back and the head."""
    low, high = _WINDOW
    scaled = (
        ScaleIntensityRanged("image", a_min=low, a_max=high, b_min=0.0, b_max=1.0, clip=True)
        if modality == "CT"
        else ScaleIntensityRangePercentilesd("image", lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True)
    )
    return Compose(
        [
            LoadImaged("image"),
            EnsureChannelFirstd("image"),
            Orientationd("image", axcodes="LPS", labels=_LABELS),
            Spacingd("image", spacing, mode="bilinear"),
            scaled,
        ]
    )
