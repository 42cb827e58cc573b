"""From each dataset's files to the tensors that networks see, as a MONAI `Compose`, and exactly back."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import (
    CastToTyped,
    Compose,
    EnsureChannelFirstd,
    Invertd,
    Lambdad,
    LoadImaged,
    Orientationd,
    Resized,
    ScaleIntensityRanged,
    ScaleIntensityRangePercentilesd,
    Spacingd,
)
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from ..anatomy.labels import LabelScheme
from ..checks import check_spacing, check_spatial_size
from ..errors import DataError, InputError, ShapeError
from .crop_about import CropAboutd
from .image_header import NIFTI, check_voxels
from .mmwhs import correct_mmwhs_codes

IMAGE, LABEL = "image", "label"
BOTH = (IMAGE, LABEL)


class Preprocessing:
    """A MONAI `Compose` from files to tensors, and its way back to the grid of the file.

    Made by `short_axis_preprocessing`, `apical_preprocessing`, `whole_heart_ct_preprocessing` and
    `whole_heart_mr_preprocessing`, or from a `Compose` of one's own whose spatial steps are invertible.

    Args:
        transform: from items with `image` and, if wanted, `label` (paths) to `MetaTensor`s `(C, *spatial)`.

    Attributes:
        transform: the same.

    Example:
        ```python
        preprocessing = short_axis_preprocessing((1.25, 1.25), (160, 160))
        case = preprocessing(item)  # an item of read_acdc
        probabilities = network(case["image"])  # (C, H, W, Z), slice by slice
        codes = preprocessing.codes_on_file_grid(probabilities, case["image"], ACDC)  # (X, Y, Z)
        ```
    """

    def __init__(self, transform: Compose) -> None:
        self.transform = transform
        self._invert = Invertd("result", transform, orig_keys=IMAGE, nearest_interp=False)

    def __call__(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return the item with tensors in place of paths; all other keys stay.

        Raises:
            InputError: when the item has no image.
            DataError: when a file cannot be read.
        """
        return dict(self.transform(self.loaded(item), start=1))

    def loaded(self, item: Mapping[str, Any]) -> dict[str, Any]:
        """Return the item with what its files hold in place of paths; errors are those of a call."""
        if IMAGE not in item:
            raise InputError(f"Expected the path of an image as {IMAGE!r}, got only {sorted(item)}; name it so.")
        try:
            for key in BOTH:
                if str(item.get(key, "")).endswith(NIFTI):
                    check_voxels(Path(item[key]))
            return dict(self.transform(dict(item), end=1))
        # MONAI's for whatever its reader met, and the header's.
        except (RuntimeError, OSError, EOFError, ValueError, zlib.error, ImageFileError, HeaderDataError) as error:
            raise DataError(
                f"Expected images at {item[IMAGE]}, could not read them ({' '.join(str(error).split())[:200]}); get "
                f"them again."
            ) from error

    def of_arrays(self, image: torch.Tensor, label: torch.Tensor, spacing: Sequence[float]) -> dict[str, Any]:
        """Return `image` and `label` as they would come from files with this content.

        Args:
            image: `(*spatial)`, as it would be stored.
            label: codes `(*spatial)`.
            spacing: mm along each axis.
        """
        affine = np.diag((*spacing, *[1.0] * (4 - len(spacing))))
        meta = {"original_channel_dim": "no_channel"}
        raw = {IMAGE: image.to(torch.float32), LABEL: label}
        tensors = {
            key: MetaTensor(array, affine=torch.from_numpy(affine), meta=dict(meta)) for key, array in raw.items()
        }
        return dict(self.transform(tensors, start=1))

    def to_file_grid(self, result: torch.Tensor, image: MetaTensor) -> torch.Tensor:
        """Return `result` `(C, *spatial)` on the grid of the file that `image` was loaded from.

        Values are interpolated linearly; outside of the crop they are 0.

        Args:
            result: on the grid of `image`, any number of channels.
            image: as this preprocessing gave it.

        Raises:
            ShapeError: when `result` is not on the grid of `image`.
        """
        if result.shape[1:] != image.shape[1:]:
            raise ShapeError(
                f"Expected a result on the image's grid {tuple(image.shape[1:])}, got {tuple(result.shape[1:])}; "
                f"put the slices of a stack together along its last axis first."
            )
        on_grid = MetaTensor(result, meta=dict(image.meta))  # the affine is in it
        carried: MetaTensor = self._invert({IMAGE: image, "result": on_grid})["result"]
        return carried.as_tensor()

    def codes_on_file_grid(self, one_hot: torch.Tensor, image: MetaTensor, scheme: LabelScheme) -> torch.Tensor:
        """Return the codes `(*spatial)` of the file's grid: soft one-hot maps are carried back, then the largest wins.

        Args:
            one_hot: probabilities or one-hot `(num_classes, *spatial)` on the grid of `image`.
            image: as this preprocessing gave it.
            scheme: whose codes are wanted; outside of the crop everything is background.

        Raises:
            LabelError: when `one_hot` does not have the scheme's channels.
            ShapeError: when `one_hot` is not on the grid of `image`.
        """
        return scheme.to_codes(self.to_file_grid(one_hot.to(torch.float32), image)[None].argmax(dim=1)[0])


def short_axis_preprocessing(
    spacing: Sequence[float], spatial_size: Sequence[int], scheme: LabelScheme | None = None
) -> Preprocessing:
    """Return the preprocessing of short-axis stacks and slices: ACDC, Sunnybrook.

    In the plane images are resampled linearly to `spacing` and cropped or padded about the case's `heart_centre`,
    where it names one (see `centred_by_motion`), else about their middle; through the plane they stay as they were
    taken. The 0.5 and 99.5 percentiles of an image become 0 and 1; beyond, it is clipped.

    Args:
        spacing: in-plane pixel size in mm, in the order of the file's first two axes.
        spatial_size: pixels `(H, W)` along these axes.
        scheme: with it, labels become soft one-hot maps `(num_classes, *spatial)`, resampled linearly; without it
            they stay codes `(1, *spatial)`, int64, of the nearest pixel.

    Raises:
        SpacingError: unless the spacing is two positive numbers.
    """
    pixdim = (*check_spacing(spacing, 2), -1.0)  # -1: this axis keeps its spacing
    return _resampled((), pixdim, _percentiles(), spatial_size, scheme)


def apical_preprocessing(
    spatial_size: Sequence[int], spacing: Sequence[float] | None = None, scheme: LabelScheme | None = None
) -> Preprocessing:
    """Return the preprocessing of apical echocardiograms: CAMUS. Intensities 0 to 255 become 0 to 1.

    Args:
        spatial_size: pixels `(H, W)` along the file's axes.
        spacing: pixel size in mm to resample to before cropping or padding about the middle; None, for files that
            lost their true spacing, stretches every image to `spatial_size`.
        scheme: as in `short_axis_preprocessing`.

    Raises:
        SpacingError: unless the spacing is two positive numbers.
    """
    grey = ScaleIntensityRanged(IMAGE, a_min=0.0, a_max=255.0, b_min=0.0, b_max=1.0, clip=True)
    if spacing is not None:
        return _resampled((), check_spacing(spacing, 2), grey, spatial_size, scheme)
    # PyTorch's plain "nearest" would move the label half a pixel off its image.
    modes = ("bilinear", "nearest-exact" if scheme is None else "bilinear")
    stretched = Resized(BOTH, check_spatial_size(spatial_size, 2), mode=modes, allow_missing_keys=True)
    return Preprocessing(Compose([*_loaded(scheme), stretched, grey, *_finished(scheme)]))


def whole_heart_ct_preprocessing(
    spacing: Sequence[float],
    spatial_size: Sequence[int],
    window: tuple[float, float] = (-200.0, 600.0),
    scheme: LabelScheme | None = None,
) -> Preprocessing:
    """Return the preprocessing of cardiac CT volumes: MM-WHS. The window in HU becomes [0, 1]; beyond, it is clipped.

    Axes are turned to point right, front and head; volumes are resampled and cropped or padded about the case's
    `heart_centre`, where it names one, else about their middle.

    Args:
        spacing: three voxel sizes in mm.
        spatial_size: three numbers of voxels.
        window: the Hounsfield units that become 0 and 1; by default from below fat to above contrast-filled chambers.
        scheme: as in `short_axis_preprocessing`; the labels' codes are MM-WHS's.

    Raises:
        SpacingError: unless the spacing is three positive numbers.
        InputError: unless the window's end is above its beginning.
    """
    low, high = check_window(window)
    scaled = ScaleIntensityRanged(IMAGE, a_min=low, a_max=high, b_min=0.0, b_max=1.0, clip=True)
    return _resampled(_axial(), check_spacing(spacing, 3), scaled, spatial_size, scheme)


def whole_heart_mr_preprocessing(
    spacing: Sequence[float], spatial_size: Sequence[int], scheme: LabelScheme | None = None
) -> Preprocessing:
    """Return the preprocessing of cardiac MR volumes: MM-WHS.

    As `whole_heart_ct_preprocessing`, but the 0.5 and 99.5 percentiles of a volume become 0 and 1.

    Args:
        spacing: three voxel sizes in mm.
        spatial_size: three numbers of voxels.
        scheme: as in `short_axis_preprocessing`.

    Raises:
        SpacingError: unless the spacing is three positive numbers.
    """
    return _resampled(_axial(), check_spacing(spacing, 3), _percentiles(), spatial_size, scheme)


def check_window(window: Sequence[float]) -> tuple[float, float]:
    """Return a window in HU as two numbers; raise `InputError` unless the second is greater."""
    if len(window) != 2 or not window[0] < window[1]:
        raise InputError(f"Expected a window from lower to higher HU, got {window}; give its ends in this order.")
    return window[0], window[1]


def _loaded(scheme: LabelScheme | None, corrected: Sequence[Any] = ()) -> list[Any]:
    """Return the steps from paths to tensors; with a scheme the label is one-hot in float32."""
    steps = [LoadImaged(BOTH, allow_missing_keys=True), EnsureChannelFirstd(BOTH, allow_missing_keys=True), *corrected]
    if scheme is not None:
        steps.append(Lambdad(LABEL, partial(_one_hot, scheme), track_meta=False, allow_missing_keys=True))
    return steps


def _one_hot(scheme: LabelScheme, label: MetaTensor) -> MetaTensor:
    """Return codes `(1, *spatial)` as `(num_classes, *spatial)` with all that the label's tensor knows."""
    return cast(MetaTensor, MetaTensor(scheme.one_hot(label.as_tensor())[0]).copy_meta_from(label))


def _axial() -> list[Any]:
    """Return the steps that MM-WHS needs first: its stray code corrected, the axes to the right, front and head."""
    labels = (("L", "R"), ("P", "A"), ("I", "S"))
    return [
        Lambdad(LABEL, correct_mmwhs_codes, track_meta=False, allow_missing_keys=True),
        Orientationd(BOTH, axcodes="RAS", labels=labels, allow_missing_keys=True),
    ]


def _resampled(
    first: Sequence[Any], pixdim: Sequence[float], intensity: Any, size: Sequence[int], scheme: LabelScheme | None
) -> Preprocessing:
    modes = ("bilinear", "nearest" if scheme is None else "bilinear")
    spaced = Spacingd(BOTH, pixdim, mode=modes, allow_missing_keys=True)
    cropped = CropAboutd(BOTH, check_spatial_size(size, sum(side > 0 for side in pixdim)), allow_missing_keys=True)
    return Preprocessing(Compose([*_loaded(scheme, first), spaced, intensity, cropped, *_finished(scheme)]))


def _finished(scheme: LabelScheme | None) -> list[Any]:
    return [CastToTyped(LABEL, torch.int64 if scheme is None else torch.float32, allow_missing_keys=True)]


def _percentiles() -> Any:
    return ScaleIntensityRangePercentilesd(IMAGE, lower=0.5, upper=99.5, b_min=0.0, b_max=1.0, clip=True)
