"""A no-reference grade of image quality, 1 (worst) to 4 (best), by which cases are selected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from monai.transforms import LoadImage
from nibabel.filebasedimages import ImageFileError
from scipy import ndimage
from skimage.filters import threshold_otsu
from skimage.measure import blur_effect

from ..errors import DataError, InputError, IntensityError, ShapeError

#: Contrast-to-noise ratios of the grades 1, 2, 3 and 4; between them the grade follows the ratio's logarithm.
CONTRAST_TO_NOISE = (3.0, 6.0, 12.0, 24.0)
#: Blur of the grades 4, 3, 2 and 1; between them the grade is linear.
BLUR = (0.51, 0.59, 0.67, 0.75)

_LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]]) / 6.0  # passes white noise of deviation 1 as such
_MEDIAN_OF_NORMAL = 0.6745  # median of |x| for a standard normal x
_LEAST_SIDE = 16


@dataclass(frozen=True)
class ImageQuality:
    """How good an image is.

    Attributes:
        contrast_to_noise: distance between the means of bright and dark tissue (Otsu's classes) over the noise's
            standard deviation; infinite without noise.
        blur: `skimage.measure.blur_effect`, 0 (sharp) to 1, of the image smoothed by a Gaussian of one pixel, so that
            noise does not pass for sharpness.
    """

    contrast_to_noise: float
    blur: float

    @property
    def grade(self) -> float:
        """The worse of the grades for contrast-to-noise ratio and for blur, 1 to 4."""
        ratio = np.clip(self.contrast_to_noise, CONTRAST_TO_NOISE[0], CONTRAST_TO_NOISE[-1])
        clear = np.interp(np.log(ratio), np.log(CONTRAST_TO_NOISE), (1, 2, 3, 4))
        return float(min(clear, np.interp(self.blur, BLUR, (4, 3, 2, 1))))


def measure_image_quality(image: npt.NDArray[Any]) -> ImageQuality:
    """Return the quality of a slice, or of a volume as the median over its slices.

    It depends on the pixels alone: not on scale and offset of the intensities, and not on millimetres. It stands in
    for graders that were trained on experts' grades, and knows neither artefacts nor anatomy.

    Args:
        image: intensities `(H, W)`, or `(H, W, D)` with slices along D; slices without contrast are left out.

    Raises:
        ShapeError: when the image has another number of axes or slices of less than 16 pixels a side.
        IntensityError: when it holds NaN or infinity, or no slice has contrast.

    Example:
        >>> rows, columns = np.mgrid[:64, :64]
        >>> disc = (np.hypot(rows - 31, columns - 31) < 15).astype(float)
        >>> measure_image_quality(disc).grade > measure_image_quality(ndimage.gaussian_filter(disc, 4)).grade
        True

    Source:
        Noise: the median form of Immerkaer, "Fast noise variance estimation", DOI 10.1006/cviu.1996.0060.
        Blur: Crete et al., "The blur effect", DOI 10.1117/12.702790.
    """
    if image.ndim not in (2, 3) or min(image.shape[:2]) < _LEAST_SIDE:
        raise ShapeError(
            f"Expected an image (H, W) or (H, W, D) of at least {_LEAST_SIDE} pixels a side, got {image.shape}."
        )
    if not np.isfinite(image).all():
        raise IntensityError("Expected a finite image, got NaN or infinity; repair or leave out this case.")
    slices = np.moveaxis(image, -1, 0) if image.ndim == 3 else image[None]
    measured = [found for found in (_of_slice(one.astype(np.float64)) for one in slices) if found is not None]
    if not measured:
        raise IntensityError("Expected an image with contrast, got a constant one; leave out this case.")
    ratio, blur = np.median(measured, axis=0)
    return ImageQuality(float(ratio), float(blur))


def _of_slice(image: npt.NDArray[np.float64]) -> tuple[float, float] | None:
    low, high = np.percentile(image, (1, 99))
    if high <= low:
        return None
    scaled = (image - low) / (high - low)
    clipped = np.clip(scaled, 0, 1)
    bright = clipped > threshold_otsu(clipped)
    contrast = clipped[bright].mean() - clipped[~bright].mean()
    response = np.abs(ndimage.convolve(scaled, _LAPLACIANS))
    # Air that a scanner set to zero has no noise at all, and would hide that of the tissue.
    response = response[response > 1e-9]
    noise = np.median(response) / _MEDIAN_OF_NORMAL if response.size else 0.0
    return contrast / noise if noise else np.inf, float(blur_effect(ndimage.gaussian_filter(clipped, 1)))


def select_by_grade(
    datalist: Iterable[Mapping[str, Any]], above: float = 3.0, key: str = "image"
) -> list[dict[str, Any]]:
    """Return the items of a datalist whose image has a grade above a limit.

    Args:
        datalist: dictionaries with the path of an image under `key`.
        above: the limit, at least 0 and less than 4.
        key: of the image.

    Returns:
        The items that are kept, in their order, with their grade under `"quality_grade"`.

    Raises:
        InputError: when the limit lies outside the grades.
        DataError: when an item has no such key, or its file cannot be read.

    Source:
        The share of cases with a grade above 3 of 4 that "Learning cardiac morphology from MR images using a
        generative adversarial network" (ISMRM 2019) trains on; its grader is not public.
    """
    if not 0 <= above < 4:
        raise InputError(f"Expected a grade of at least 0 and less than 4, got {above}.")
    load = LoadImage(image_only=True)
    kept = []
    for item in datalist:
        if key not in item:
            raise DataError(f"Expected {key!r} in every item, got one with {sorted(item)}; name the image's key.")
        try:
            image = np.asarray(load(item[key]))
        except (OSError, RuntimeError, ValueError, ImageFileError) as error:
            raise DataError(f"Expected a readable image, got {item[key]}: {error}") from error
        grade = measure_image_quality(image).grade
        if grade > above:
            kept.append({**item, "quality_grade": grade})
    return kept
