"""Samples as plain tensors, whatever they came as."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from monai.utils import convert_to_tensor

from ..errors import InputError


def plain_tensor(array: Any) -> torch.Tensor:
    """Return a tensor without metadata: a network of small layers would pay for it at every step.

    Args:
        array: a tensor, a `MetaTensor` or a NumPy array.

    Raises:
        InputError: for anything else, such as the path of a file that was not loaded.

    Example:
        >>> plain_tensor(np.zeros((1, 2), np.float32))
        tensor([[0., 0.]])
    """
    if not isinstance(array, torch.Tensor | np.ndarray):
        raise InputError(
            f"Expected a tensor or an array, got {type(array).__name__} {str(array)[:80]!r}; load files first, for "
            f"example with MONAI's LoadImaged."
        )
    tensor: torch.Tensor = convert_to_tensor(array, track_meta=False)
    return tensor


__all__ = ["plain_tensor"]
