"""What a sampler gives, and where in its map a heart can lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from ..errors import SamplingError


@dataclass(frozen=True)
class Hearts:
    """Label maps drawn from a latent space, row by row.

    Attributes:
        label: `(n, *spatial)`, int64, the scheme's codes.
        latent: `(n, L)`, what each was decoded from.
        offset: `(n, dims)`, int64, pixels from the middle.
        draws: `(n,)`, int64, draws that each took.
        valid: `(n,)`, bool; a heart that is not came back unchanged, for want of a valid one near it.
        rejections: how many draws were rejected for which reason; a draw may have several.
        condition: `(n, K)`, what the autoencoder was told of each, such as its view; K is 0 where it is told nothing.
    """

    label: torch.Tensor
    latent: torch.Tensor
    offset: torch.Tensor
    draws: torch.Tensor
    valid: torch.Tensor
    rejections: Counter[str] = field(default_factory=Counter)
    condition: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 0))

    @classmethod
    def empty(
        cls, n: int, spatial_size: Sequence[int], latent_size: int, device: torch.device, condition_size: int = 0
    ) -> Hearts:
        """Return `n` rows of background that took no draw."""
        return cls(
            torch.zeros((n, *spatial_size), dtype=torch.int64, device=device),
            torch.zeros((n, latent_size), device=device),
            torch.zeros((n, len(spatial_size)), dtype=torch.int64, device=device),
            torch.zeros(n, dtype=torch.int64),
            torch.zeros(n, dtype=torch.bool, device=device),
            condition=torch.zeros((n, condition_size), device=device),
        )

    def report(self) -> str:
        """Return in words how many draws were taken, how many accepted, and why the others were not.

        Example:
            >>> Hearts.empty(2, (8, 8), 3, torch.device("cpu")).report()
            '0 valid hearts of 2 in 0 draws'
        """
        draws, valid = int(self.draws.sum()), int(self.valid.sum())
        text = f"{valid} valid hearts of {len(self.valid)} in {draws} draws"
        if draws:
            text += f" ({self.acceptance:.1%} accepted)"
        reasons = ", ".join(f"{name} {count}x" for name, count in self.rejections.most_common())
        return f"{text}; rejected for: {reasons}" if reasons else text

    @property
    def acceptance(self) -> float:
        """Share of the draws that gave a valid heart; NaN without any draw."""
        draws = int(self.draws.sum())
        return int(self.valid.sum()) / draws if draws else float("nan")


def all_valid(hearts: Hearts, max_draws: int) -> Hearts:
    """Return the hearts, or raise `SamplingError` where a row has no valid one after so many draws."""
    if not bool(hearts.valid.all()):
        worst = ", ".join(f"{name} ({count}x)" for name, count in hearts.rejections.most_common(3))
        raise SamplingError(
            f"Expected a valid heart for each of {len(hearts.valid)} rows within {max_draws} draws, but "
            f"{int((~hearts.valid).sum())} rows got none; most often broken: {worst}. Train the autoencoder longer, "
            f"choose proposal 'kernel_density' or a larger max_draws, or ask for what training hearts are."
        )
    return hearts


def room_to_move(label: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the least and the largest offset, each `(B, dims)`, that keep a heart one pixel from the border.

    A heart too large for that cannot move: both are 0. A map without a heart can move as it likes: both are 0 too.

    Args:
        label: maps `(B, *spatial)`, 0 is background.
    """
    least, most = [], []
    for side, (first, last, present) in zip(label.shape[1:], _extents(label), strict=True):
        low, high = 1 - first, side - 2 - last
        movable = present & (low <= high)
        least.append(torch.where(movable, low, 0))
        most.append(torch.where(movable, high, 0))
    return torch.stack(least, dim=1), torch.stack(most, dim=1)


def cut_off(label: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """Return `(B,)`: whether the heart touches a border, in its centred map or after moving by `offset`.

    Args:
        label: centred maps `(B, *spatial)`, 0 is background.
        offset: `(B, dims)`, pixels.
    """
    cut = torch.zeros(len(label), dtype=torch.bool, device=label.device)
    for axis, (side, (first, last, present)) in enumerate(zip(label.shape[1:], _extents(label), strict=True)):
        for step in (0, offset[:, axis]):
            cut |= present & ((first + step < 1) | (last + step > side - 2))
    return cut


def _extents(label: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Return for every axis the first and the last index with a heart, `(B,)` each, and whether there is one."""
    heart = label > 0
    extents = []
    for axis in range(1, label.ndim):
        others = [other for other in range(1, label.ndim) if other != axis]
        taken = heart.any(dim=others)
        first = taken.to(torch.int64).argmax(dim=1)
        last = taken.shape[1] - 1 - taken.flip(1).to(torch.int64).argmax(dim=1)
        extents.append((first, last, taken.any(dim=1)))
    return extents
