"""What conditional networks are told of a batch's rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from ..errors import ShapeError


def batch_condition(batchdata: Mapping[str, Any], size: int, rows: int, device: torch.device) -> torch.Tensor | None:
    """Return a batch's `condition` `(rows, size)`, float32 on the device; None where networks are told nothing.

    Args:
        batchdata: a loader's batch.
        size: the networks' `condition_size`; 0 for none.
        rows: of the batch.
        device: where the networks are.

    Raises:
        ShapeError: when the batch has no condition, or one of another shape.
    """
    if not size:
        return None
    condition = batchdata.get("condition")
    if condition is None or tuple(condition.shape) != (rows, size):
        raise ShapeError(
            f"Expected a condition of shape {(rows, size)} in every batch for these networks, got "
            f"{None if condition is None else tuple(condition.shape)}; add it with EncodeHeartConditiond."
        )
    return torch.as_tensor(condition).as_subclass(torch.Tensor).to(device, torch.float32)


__all__ = ["batch_condition"]
