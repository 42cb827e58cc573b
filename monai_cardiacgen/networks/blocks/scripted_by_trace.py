"""TorchScript for networks whose Python its compiler cannot read."""

from __future__ import annotations

import warnings

import torch
from torch import nn


class ScriptedByTrace(nn.Module):
    """What `torch.jit.script` compiles in a network's place: the network's trace, with the network's weights.

    A network returns one from `__prepare_scriptable__`, so that MONAI's `ckpt_export` needs no `use_trace`. The trace
    takes the first input alone.

    Args:
        network: in the mode in which it shall be traced.
        example: its first input.
    """

    def __init__(self, network: nn.Module, example: torch.Tensor) -> None:
        super().__init__()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of checks, which a trace leaves out
            self.trace = torch.jit.trace(network, example, check_trace=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return what the network returns."""
        result: torch.Tensor = self.trace(x)
        return result


__all__ = ["ScriptedByTrace"]
