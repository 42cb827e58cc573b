"""From the files of short-axis stacks to the 2D slices and the volumes that networks see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import torch
from monai.data import MetaTensor
from monai.transforms import SplitDim

from ..checks import check_finite, check_spacing, check_spatial_size
from ..errors import DataError, IntensityError, ShapeError
from .preprocessing import IMAGE, LABEL, short_axis_preprocessing


class ShortAxisGrid:
    """The grid of a study: loads stacks onto it, and carries results back to the grid of the file.

    In the plane a stack is resampled (bilinear; labels nearest) and padded or cropped about its centre, or about the
    item's `heart_centre` where it has one (see `centred_by_motion`); through the plane it stays as it was taken.
    Intensities are scaled so that the stack's 0.5 and 99.5 percentiles become 0 and 1, and clipped.

    Args:
        spacing: in-plane pixel size in mm, in the order of the file's first two axes.
        spatial_size: pixels `(H, W)` along these axes.

    Attributes:
        transform: the MONAI transform from paths to tensors.

    Raises:
        SpacingError: unless the spacing is two positive numbers.
    """

    def __init__(self, spacing: Sequence[float], spatial_size: Sequence[int]) -> None:
        self.spacing = check_spacing(spacing, 2)
        height, width = check_spatial_size(spatial_size, 2)
        self.spatial_size = (height, width)
        self._preprocessing = short_axis_preprocessing(self.spacing, self.spatial_size)
        self.transform = self._preprocessing.transform

    def load(self, item: dict[str, Any]) -> dict[str, Any]:
        """Return one item of `read_acdc` with `image` and, if it has one, `label` as `(1, H, W, Z)`.

        The paths give way to `MetaTensor`s, float32 in [0, 1] and int64 codes; all other keys stay.

        Raises:
            DataError: when a file cannot be read, or its spacing is not the one that the item states.
            IntensityError: when the image is constant, or not finite.
            InputError: when the item has no image.
            ShapeError: when the label map has another size.
        """
        raw = self._preprocessing.loaded(item)
        _check_image(raw[IMAGE], item)
        if LABEL in raw and raw[LABEL].shape != raw[IMAGE].shape:
            raise ShapeError(
                f"Expected a label map of the image's size {tuple(raw[IMAGE].shape)} in {item[LABEL]}, got "
                f"{tuple(raw[LABEL].shape)}; get this case again."
            )
        return dict(self.transform(raw, start=1))

    def to_file_grid(self, result: torch.Tensor, image: MetaTensor) -> torch.Tensor:
        """Return `result` `(C, H, W, Z)` on the grid of the file that `image` was loaded from, `(C, X, Y, Z)`.

        Values are interpolated bilinearly; outside the field of view they are 0.
        """
        return self._preprocessing.to_file_grid(result, image)


def slices_of(volume: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the slices of a loaded volume.

    Returns:
        One dictionary a slice: `image` `(1, H, W)` float32 in [0, 1] and `label` `(1, H, W)` int64 codes, both
        `MetaTensor`s with the affine of their slice; `slice`, its number; `position` in [0, 1], from the stack's
        first slice to its last; and `patient`, `phase`, `group` where the volume has them.
    """
    split = SplitDim(dim=-1, keepdim=False, update_meta=True)
    images, labels = (cast(list[MetaTensor], split(volume[key])) for key in (IMAGE, LABEL))
    carried: dict[str, Any] = {key: volume[key] for key in ("patient", "phase", "group") if key in volume}
    return [
        {
            IMAGE: _light(image),
            LABEL: _light(label),
            **carried,
            "slice": number,
            "position": number / max(1, len(images) - 1),
        }
        for number, (image, label) in enumerate(zip(images, labels, strict=True))
    ]


def load_slices(
    items: Sequence[dict[str, Any]],
    grid: ShortAxisGrid,
    *,
    hearts_only: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Return all slices of all items, in memory; see `slices_of`.

    Args:
        items: of `read_acdc`.
        grid: the study's.
        hearts_only: leave out slices without any labelled pixel: a shape model needs hearts, while a
            segmentation network should also see slices above the base and below the apex.
        progress: called with the number of items done and their total.
    """
    slices = []
    for done, item in enumerate(items, start=1):
        slices += slices_of(grid.load(item))
        if progress is not None:
            progress(done, len(items))
    if hearts_only:
        slices = [one for one in slices if bool(one[LABEL].any())]
    return slices


def _light(one: MetaTensor) -> MetaTensor:
    """Return the slice without the header and the history of its stack: collating those costs more than training."""
    name = one.meta.get("filename_or_obj", "")
    return MetaTensor(one.as_tensor().contiguous(), affine=one.affine, meta={"filename_or_obj": name})


def _check_image(image: MetaTensor, item: dict[str, Any]) -> None:
    """Compare the file's geometry with the item's and the label's, and look for contrast."""
    check_finite(image.as_tensor(), f"the image {item[IMAGE]}")
    if float(image.max()) == float(image.min()):
        raise IntensityError(f"Expected contrast in {item[IMAGE]}, got a constant image; leave out this case.")
    found = [float(value) for value in image.pixdim]
    if "spacing" in item and not np.allclose(found, item["spacing"], rtol=1e-3):
        raise DataError(
            f"Expected the spacing {tuple(item['spacing'])} mm in {item[IMAGE]}, got {tuple(found)}; "
            f"repair the file's header."
        )


__all__ = ["IMAGE", "LABEL", "ShortAxisGrid", "load_slices", "slices_of"]
