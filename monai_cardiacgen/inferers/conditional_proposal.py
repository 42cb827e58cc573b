"""New points where the training hearts fall into groups, such as views and phases: each from its own group."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from ..errors import ShapeError
from .proposals import GaussianProposal, KernelDensityProposal, PriorProposal

#: A proposal of one group's points.
Proposal = PriorProposal | GaussianProposal | KernelDensityProposal


class ConditionalProposal(nn.Module):
    """Draws a training heart, and a point as the proposal of the hearts of the same condition gives it.

    So conditions are as frequent as among the training hearts, and a point is one that goes with its condition: where
    a heart lies depends on the view too.

    Args:
        points: `(N, D)`.
        conditions: `(N, K)`, what the autoencoder is told of each; equal rows are a group.
        make: points of a group `(n, D)` to its proposal.

    Raises:
        ShapeError: when a group has fewer than 2 points.
    """

    def __init__(
        self, points: torch.Tensor, conditions: torch.Tensor, make: Callable[[torch.Tensor], Proposal]
    ) -> None:
        super().__init__()
        groups, group, sizes = conditions.unique(dim=0, return_inverse=True, return_counts=True)
        if int(sizes.min()) < 2:
            raise ShapeError(
                f"Expected at least 2 hearts of each condition, got {sizes.tolist()} of {groups.tolist()}; leave out "
                f"conditions that hardly occur."
            )
        self.register_buffer("groups", groups)
        self.register_buffer("group", group)
        self.groups: torch.Tensor
        self.group: torch.Tensor
        self.proposals = nn.ModuleList(make(points[group == number]) for number in range(len(groups)))

    def draw(self, generators: list[torch.Generator]) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one point a generator `(B, D)`, and its condition `(B, K)`."""
        chosen = [int(self.group[int(torch.randint(len(self.group), (), generator=row))]) for row in generators]
        proposals = [cast(Proposal, self.proposals[group]) for group in chosen]
        points = [proposal.draw([row])[0] for proposal, row in zip(proposals, generators, strict=True)]
        return torch.stack(points), self.groups[chosen]


__all__ = ["ConditionalProposal", "Proposal"]
