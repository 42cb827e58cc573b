"""An image that was inpainted by descents in a latent space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from .inpainted_image import InpaintedImage, compared
from .latent_descent import Descent


@dataclass(frozen=True)
class SearchedImage(InpaintedImage):
    """An inpainted image from `S` starts of a search; `best` is the start with the lowest loss, which is shown.

    Its `deviation` is the greatest of `spread`, `misfit` and the floor.

    Attributes:
        images: `(S, C, *spatial)`, all starts' results, known pixels as given.
        generated: `(S, C, *spatial)`, what the generator made, known pixels too.
        latents: `(S, Z)`.
        best: number of the start with the lowest loss.
        losses: `(S,)`, the loss of each start.
        trace: `(S, T)`, the losses on the way; NaN after a start has converged.
        steps: `(S,)`, int64, how often the loss of each start was evaluated.
        path: `(S, P, Z)`, latents on the way, for `LatentInpainter.decode`.
        path_steps: `(P,)`, int64, the steps to which they belong.
        spread: `(C, *spatial)`, standard deviation of `images` over the starts; 0 where pixels are known.
    """

    images: torch.Tensor
    generated: torch.Tensor
    latents: torch.Tensor
    best: int
    losses: torch.Tensor
    trace: torch.Tensor
    steps: torch.Tensor
    path: torch.Tensor
    path_steps: torch.Tensor
    spread: torch.Tensor

    @classmethod
    def from_starts(
        cls,
        real: torch.Tensor,
        mask: torch.Tensor,
        images: torch.Tensor,
        generated: torch.Tensor,
        descent: Descent,
        floor: float,
    ) -> SearchedImage:
        """Choose the start with the lowest loss and compare it with the real image.

        Args:
            real: the given image `(C, *spatial)`.
            mask: bool `(*spatial)`.
            images: `(S, C, *spatial)`, `real` with its masked pixels made anew.
            generated: `(S, C, *spatial)`, from which they were taken.
            descent: of the latents.
            floor: least standard deviation for the z-score.
        """
        best = int(descent.losses.argmin())
        spread = images.std(dim=0, correction=0)
        return cls(
            **compared(real, mask, images[best], generated[best], spread, floor),
            images=images,
            generated=generated,
            latents=descent.latents,
            best=best,
            losses=descent.losses,
            trace=descent.trace,
            steps=descent.steps,
            path=descent.path,
            path_steps=descent.path_steps,
            spread=spread,
        )

    def record(self) -> dict[str, Any]:
        """Return the loss of each start, which of them is shown, and its misfit on the known pixels."""
        return {"losses": self.losses.tolist(), "best": self.best, **super().record()}


__all__ = ["SearchedImage"]
