"""Gradients averaged over the ranks, for trainers that call more of a network than its forward."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeVar, cast

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from ..ranks import world_size

Network = TypeVar("Network", bound=nn.Module)


class _Function(nn.Module):
    """A function of networks as a module's forward, with the networks' parameters."""

    def __init__(self, function: Callable[..., Any], networks: tuple[nn.Module, ...]) -> None:
        super().__init__()
        self.function = function
        self.networks = nn.ModuleList(networks)

    def forward(self, *arguments: Any) -> Any:
        """Return the function's result."""
        return self.function(*arguments)


def synchronised(function: Callable[..., Any], *networks: nn.Module) -> Callable[..., Any]:
    """Return `function`; with several ranks, inside `DistributedDataParallel`, so that it must be called through that.

    `DistributedDataParallel` averages the gradients of what runs in its own forward. A GAN's step is no forward of
    one network: here the *part of the step* that trains some networks becomes a forward, and the networks themselves,
    with their names in `state_dict`, stay what they are.

    Buffers follow rank 0's. For the vectors of spectral norm, which follow from the weights, this changes nothing; for
    batch norm see `shared_batch_norm`.

    Args:
        function: a part of a step; it must use every parameter of `networks` whenever it is called.
        networks: what it trains, on their device already.
    """
    if world_size() == 1:
        return function
    device = next(networks[0].parameters()).device
    return DistributedDataParallel(
        _Function(function, networks), device_ids=[device] if device.type == "cuda" else None
    )


def reduced(function: Callable[..., Any], wanted: bool) -> AbstractContextManager[Any]:
    """Return a context whose backward passes average the gradients over the ranks, or only add them up.

    Args:
        function: of `synchronised`; it must be called within the context.
        wanted: false for all parts of an accumulated batch but the last.
    """
    return function.no_sync() if isinstance(function, DistributedDataParallel) and not wanted else nullcontext()


def shared_batch_norm(network: Network, device: torch.device | str) -> Network:
    """Return the network on the device, where several ranks train on GPUs with batch norm over all ranks' rows.

    PyTorch's `SyncBatchNorm` has no form for the CPU: there each rank's batch norm sees its own rows, and the running
    statistics are those of rank 0's. Parameters and the names in `state_dict` stay what they are.
    """
    network = network.to(device)
    if world_size() > 1 and torch.device(device).type == "cuda":
        return cast(Network, nn.SyncBatchNorm.convert_sync_batchnorm(network))
    return network


__all__ = ["reduced", "shared_batch_norm", "synchronised"]
