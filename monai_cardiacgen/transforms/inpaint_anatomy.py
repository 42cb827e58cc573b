"""The transform that shows a patient's region as a generator of healthy anatomy would draw it, and what differs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from monai.config import KeysCollection
from monai.data import MetaTensor
from monai.transforms import MapTransform, Randomizable, Transform
from monai.utils import TransformBackends, convert_to_tensor

from ..errors import InputError, IntensityError, ShapeError
from ..inferers.box_mask import box_mask
from ..inferers.inpainted_image import InpaintedImage, Inpainter
from ..seeding import seeded
from .plain_tensor import plain_tensor

#: Under this key an inpainted `MetaTensor` tells what was done.
RECORD = "inpaint_anatomy"

_SEED_RANGE = 2**63 - 1
_TOLERANCE = 0.01  # resampling may leave [0, 1] a little


class InpaintAnatomy(Randomizable, Transform):
    """Make the masked part of an image anew, so that it fits what is round it and looks like the training images.

    Images are `(C, *spatial)` of the generator's size with intensities in [0, 1]. Shape, dtype, affine and metadata
    come out as they came in; pixels outside the mask too. A `MetaTensor` tells in `meta["inpaint_anatomy"]` the seed,
    the misfit on the known pixels, and of a search the loss of each start and which of them is shown.

    What the inpainter draws, such as the starts of a search, follows MONAI's random state: `set_random_state` repeats a
    result.

    Args:
        inpainter: a `ConditionalInpainter`, which takes one pass, or a `LatentInpainter`, which searches; with its
            networks on the device that shall compute.
        mask_size: sides in pixels of the box that is made anew where no mask is given.

    Source:
        See `ConditionalInpainter` and `LatentInpainter`.
    """

    backend = [TransformBackends.TORCH]  # noqa: RUF012  MONAI's own declaration

    def __init__(self, inpainter: Inpainter, mask_size: int | Sequence[int] = 25) -> None:
        self.inpainter = inpainter
        self.mask_size = mask_size
        self.seed = 0

    def randomize(self, data: Any = None) -> None:
        """Draw the seed of what the inpainter draws."""
        self.seed = int(self.R.randint(_SEED_RANGE, dtype=np.int64))

    def __call__(self, img: Any, mask: Any = None, centre: Sequence[float] | None = None) -> Any:
        """Return the image with its masked pixels made anew, of the type that came.

        Args:
            img: `(C, *spatial)` in [0, 1].
            mask: `(*spatial)` or `(1, *spatial)`; pixels that are not 0 are made anew.
            centre: of the box that is made anew instead, in pixels; the middle of the image by default.

        Raises:
            ShapeError: when the image does not fit the generator, or the mask the image.
            InputError: for a mask and a centre, an empty mask, one that covers all, or a box beyond the image.
            IntensityError: for NaN, infinity, or intensities beyond [0, 1].
        """
        self.randomize()
        found = self.inpaint(img, self.mask_for(img, mask, centre))
        return self.as_came(found.image, img, self.record(found))

    def mask_for(self, img: Any, mask: Any = None, centre: Sequence[float] | None = None) -> torch.Tensor:
        """Return the bool mask `(*spatial)` of a call with these arguments."""
        plain_tensor(img)
        if mask is None:
            return box_mask(tuple(img.shape[1:]), self.mask_size, centre)
        if centre is not None:
            raise InputError("Expected a mask or a centre, got both; leave one out.")
        given: torch.Tensor = convert_to_tensor(mask, track_meta=False) != 0
        if given.ndim == len(img.shape):
            if len(given) != 1:
                raise ShapeError(f"Expected a mask with 1 channel, got {tuple(given.shape)}; take one of them.")
            given = given[0]
        return given

    def inpaint(self, img: Any, mask: torch.Tensor) -> InpaintedImage:
        """Return all that the inpainter finds, with the seed that was drawn last; errors as of a call."""
        image: torch.Tensor = convert_to_tensor(img, track_meta=False, dtype=torch.float32)
        low, high = image.aminmax()
        if low < -_TOLERANCE or high > 1 + _TOLERANCE:
            raise IntensityError(
                f"Expected intensities in [0, 1], as the generator makes them, got {low:.4g} to {high:.4g}; scale them "
                f"as the training images, for example with MONAI's ScaleIntensityRangePercentiles."
            )
        return self.inpainter(image, mask, seeded(self.seed))

    def record(self, found: InpaintedImage) -> dict[str, Any]:
        """Return what the metadata tells."""
        return {"seed": self.seed, **found.record()}

    @staticmethod
    def as_came(values: torch.Tensor, like: Any, record: Mapping[str, Any]) -> Any:
        """Return `values` `(C, *spatial)` in the type, dtype, place and with the metadata of `like`."""
        if isinstance(like, np.ndarray):
            return values.cpu().numpy().astype(like.dtype, copy=False)
        result = values.to(like.device, like.dtype)
        if not isinstance(like, MetaTensor):
            return result
        made = MetaTensor(result, meta=dict(like.meta), applied_operations=like.applied_operations)
        made.meta[RECORD] = dict(record)
        return made


class InpaintAnatomyd(Randomizable, MapTransform):
    """Dictionary form of `InpaintAnatomy`; beside each image come what was made anew and what differs.

    For the key `image` these are `image_anomaly`, the absolute difference of the given image from the inpainted one;
    `image_z_score`, the same in standard deviations of what may be there; and `image_mask`, bool `(1, *spatial)`.
    All keys share one draw.

    Args:
        keys: of the images.
        inpainter: see `InpaintAnatomy`.
        mask_key: of the mask; a box is made anew without.
        centre_key: of the box's centre in pixels, or of the dictionary in which `ExtractVesselPatchesd` tells it.
        mask_size: of the box; see `InpaintAnatomy`.
        allow_missing_keys: whether a missing image is no error.

    Raises:
        InputError: for a mask and a centre.
    """

    backend = InpaintAnatomy.backend

    def __init__(
        self,
        keys: KeysCollection,
        inpainter: Inpainter,
        mask_key: str | None = None,
        centre_key: str | None = None,
        mask_size: int | Sequence[int] = 25,
        allow_missing_keys: bool = False,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        if mask_key is not None and centre_key is not None:
            raise InputError(f"Expected a mask or a centre, got the keys {mask_key!r} and {centre_key!r}; take one.")
        self.transform = InpaintAnatomy(inpainter, mask_size)
        self.mask_key = mask_key
        self.centre_key = centre_key

    def set_random_state(self, seed: int | None = None, state: np.random.RandomState | None = None) -> InpaintAnatomyd:
        """Seed the array form, which draws for this one: the same seed gives the same result in both."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self

    def randomize(self, data: Any = None) -> None:
        """Draw the inpainter's seed; see the array form."""
        self.transform.randomize(data)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Return the dictionary with the keys' images inpainted, their maps beside them, and all else as it was.

        Raises:
            KeyError: when a key is missing and that was not allowed.
        """
        result = dict(data)
        self.randomize()
        for key in self.key_iterator(result):
            image = data[key]
            found = self.transform.inpaint(image, self.transform.mask_for(image, *self._where(data)))
            record = self.transform.record(found)
            result[key] = self.transform.as_came(found.image, image, record)
            result[f"{key}_anomaly"] = self.transform.as_came(found.anomaly, image, record)
            result[f"{key}_z_score"] = self.transform.as_came(found.z_score, image, record)
            result[f"{key}_mask"] = found.mask[None].cpu()
        return result

    def _where(self, data: Mapping[Hashable, Any]) -> tuple[Any, Any]:
        """Return the sample's mask and centre, None where it has none."""
        for key in (self.mask_key, self.centre_key):
            if key is not None and key not in data:
                raise InputError(
                    f"Expected {key!r} in the sample, got only {sorted(map(str, data))}; name your own key."
                )
        if self.mask_key is not None:
            return data[self.mask_key], None
        if self.centre_key is None:
            return None, None
        centre = data[self.centre_key]
        return None, centre["centre_in_patch"] if isinstance(centre, Mapping) else centre
