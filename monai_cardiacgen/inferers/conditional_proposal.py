"""New points where the training hearts fall into groups, such as views and phases: each from its own group."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from ..errors import InputError, ShapeError
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

    def draw(
        self, generators: list[torch.Generator], condition: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return one point a generator `(B, D)`, and its condition `(B, K)`.

        Args:
            generators: one a row.
            condition: what each row's point shall be of, `(B, K)`; None draws it.

        Raises:
            InputError: for a condition that no training heart has.
        """
        drawn = [int(self.group[int(torch.randint(len(self.group), (), generator=row))]) for row in generators]
        chosen = drawn if condition is None else self._groups_of(condition)
        proposals = [cast(Proposal, self.proposals[group]) for group in chosen]
        points = [proposal.draw([row])[0] for proposal, row in zip(proposals, generators, strict=True)]
        return torch.stack(points), self.groups[chosen]

    def _groups_of(self, condition: torch.Tensor) -> list[int]:
        equal = (condition.to(self.groups)[:, None] == self.groups).all(dim=2)
        if not bool(equal.any(dim=1).all()):
            unknown = condition[int(equal.any(dim=1).to(torch.int64).argmin())].tolist()
            raise InputError(
                f"Expected one of the training hearts' conditions {self.groups.tolist()}, got {unknown}; ask for one "
                f"of these, or fit the sampler to hearts of that condition, too."
            )
        return [int(group) for group in equal.to(torch.int64).argmax(dim=1)]


__all__ = ["ConditionalProposal", "Proposal"]
