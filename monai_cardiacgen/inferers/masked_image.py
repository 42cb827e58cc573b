"""One image and its mask, as inpainting takes them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ..checks import check_finite
from ..errors import InputError, ShapeError


def masked_image(
    image: torch.Tensor, mask: torch.Tensor, shape: Sequence[int], like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return an image `(C, *spatial)` and its bool mask `(*spatial)` as plain tensors where a network is.

    Args:
        image: of `shape`, or with an axis of length 1 before it.
        mask: bool `(*spatial)`, or with axes of length 1 before them; True where pixels are made anew.
        shape: `(C, *spatial)`, that the generator makes.
        like: of the device and precision wanted.

    Raises:
        ShapeError: for several images, or shapes that do not fit.
        InputError: when the mask is not bool, empty, or leaves no pixel known.
        IntensityError: when the image holds NaN or infinity.
    """
    if image.ndim == len(shape) + 1 and len(image) == 1:
        image = image[0]
    if tuple(image.shape) != tuple(shape):
        raise ShapeError(
            f"Expected one image {tuple(shape)}, as the generator makes them, got {tuple(image.shape)}; crop "
            f"or resample it, and pass the images of a batch one by one."
        )
    while mask.ndim > len(shape) - 1 and len(mask) == 1:
        mask = mask[0]
    if tuple(mask.shape) != tuple(shape[1:]):
        raise ShapeError(f"Expected a mask {tuple(shape[1:])}, got {tuple(mask.shape)}; one mask for an image.")
    if mask.dtype != torch.bool:
        raise InputError(f"Expected a bool mask, True where pixels are made anew, got {mask.dtype}; compare it > 0.")
    if not bool(mask.any()):
        raise InputError("Expected a mask with pixels to make anew, got an empty one; nothing is to be inpainted.")
    if bool(mask.all()):
        raise InputError("Expected a mask that leaves pixels known, got one that covers all; make it smaller.")
    image = image.detach().as_subclass(torch.Tensor).to(like)
    check_finite(image, "the image")
    return image, mask.as_subclass(torch.Tensor).to(like.device)


__all__ = ["masked_image"]
