"""Several processes that train one network: who am I, which rows are mine, what do all of us say.

Each rank's batch is a part of one whole batch: rank r of n has the rows r, r + n, r + 2n, ... of it, in the order in
which PyTorch's `DistributedSampler` deals indices out. Without a process group there is one rank, which has all rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import distributed

from .errors import InputError

T = TypeVar("T")


def world_size() -> int:
    """Return the number of ranks: 1 without a process group.

    Example:
        >>> world_size()
        1
    """
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Return this process's number among the ranks: 0 without a process group."""
    return distributed.get_rank() if world_size() > 1 else 0


def own_rows(whole: torch.Tensor) -> torch.Tensor:
    """Return this rank's rows of what belongs to the whole batch, `(N, ...)` to `(N / ranks, ...)`."""
    return whole[rank() :: world_size()]


def all_rows(own: torch.Tensor) -> torch.Tensor:
    """Return the rows of all ranks in the whole batch's order: `own_rows(all_rows(x))` is `x`. No gradient flows.

    Args:
        own: this rank's `(B, ...)`, on the process group's kind of device.

    Raises:
        InputError: on every rank, when the ranks' batches are not of one size.
    """
    if world_size() == 1:
        return own
    sizes = [torch.zeros(1, dtype=torch.int64, device=own.device) for _ in range(world_size())]
    distributed.all_gather(sizes, torch.tensor([len(own)], device=own.device))
    counts = [int(size) for size in sizes]
    if len(set(counts)) > 1:
        raise InputError(
            f"Expected as many rows on every rank, got {counts}; deal them out with RoundSampler or DistributedSampler."
        )
    rows = [torch.empty_like(own, memory_format=torch.contiguous_format) for _ in counts]
    distributed.all_gather(rows, own.detach().contiguous())
    return torch.stack(rows, dim=1).flatten(0, 1)


def mean_of_ranks(values: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return each scalar's mean over the ranks; all of them must have the same names in the same order."""
    if world_size() == 1:
        return dict(values)
    together = torch.stack([value.detach().float() for value in values.values()])
    distributed.all_reduce(together)
    return dict(zip(values, together / world_size(), strict=True))


def of_first_rank(value: T) -> T:
    """Return on every rank what rank 0 passes in: plain data, such as a state that only rank 0 has read."""
    if world_size() == 1:
        return value
    boxed = [value]
    distributed.broadcast_object_list(boxed, src=0)
    return boxed[0]


__all__ = ["all_rows", "mean_of_ranks", "of_first_rank", "own_rows", "rank", "world_size"]
