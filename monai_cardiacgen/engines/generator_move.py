"""The generator's own step, once its losses are known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from monai.engines import IterationEvents
from torch.optim import Optimizer


def move_generator(losses: Mapping[str, torch.Tensor], optimizer: Optimizer, fire: Callable[[Any], None]) -> None:
    """Move a generator along the gradient of the sum of its losses.

    Args:
        losses: scalars by name.
        optimizer: of the generator.
        fire: called with MONAI's iteration events as they come: forward completed, loss, backward.
    """
    fire(IterationEvents.FORWARD_COMPLETED)
    loss = torch.stack(list(losses.values())).sum()
    fire(IterationEvents.LOSS_COMPLETED)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    fire(IterationEvents.BACKWARD_COMPLETED)
    optimizer.step()


__all__ = ["move_generator"]
