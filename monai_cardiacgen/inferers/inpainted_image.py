"""An image whose masked pixels were made anew, and what of the real one differs from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import torch


@dataclass(frozen=True)
class InpaintedImage:
    """An image whose masked pixels were made anew, and how the given one differs.

    Attributes:
        image: `(C, *spatial)`, known pixels as given, masked ones made anew: the "healthy version".
        region: `(C, *box)`, `image` within the smallest box round the mask.
        mask: bool `(*spatial)`, True where pixels were made.
        anomaly: `(C, *spatial)`, absolute difference of the given image from `image`; 0 where pixels are known.
        deviation: `(C, *spatial)`, standard deviation of what may be there, at least `misfit` and a floor.
        z_score: `(C, *spatial)`, `anomaly` over `deviation`.
        misfit: root mean square difference of what the generator made from the given image on the known pixels.
    """

    image: torch.Tensor
    region: torch.Tensor
    mask: torch.Tensor
    anomaly: torch.Tensor
    deviation: torch.Tensor
    z_score: torch.Tensor
    misfit: float

    def z_score_of(self, image: torch.Tensor) -> torch.Tensor:
        """Return the z-score `(C, *spatial)` of an image that has the same known pixels.

        No inpainter looks at masked pixels: one healthy version serves all images that differ in the mask alone.
        """
        return (image.to(self.image) - self.image).abs() / self.deviation

    def record(self) -> dict[str, Any]:
        """Return plain values that tell how well it went."""
        return {"misfit": self.misfit}


class Inpainter(Protocol):
    """What makes masked pixels anew: `ConditionalInpainter` in one pass, `LatentInpainter` by search."""

    def __call__(self, image: torch.Tensor, mask: torch.Tensor, generator: torch.Generator) -> InpaintedImage:
        """Inpaint an image `(C, *spatial)` where the mask, bool `(*spatial)`, is True."""


def compared(
    real: torch.Tensor, mask: torch.Tensor, image: torch.Tensor, made: torch.Tensor, spread: torch.Tensor, floor: float
) -> dict[str, Any]:
    """Return what an inpainted image tells of the real one, by the names of `InpaintedImage`.

    Args:
        real: the given image `(C, *spatial)`.
        mask: bool `(*spatial)`.
        image: `(C, *spatial)`, `real` with its masked pixels made anew.
        made: `(C, *spatial)`, what the generator made, known pixels too.
        spread: `(C, *spatial)`, standard deviation of what may be there.
        floor: least standard deviation for the z-score.
    """
    misfit = float((made - real)[:, ~mask].square().mean().sqrt())
    places = torch.nonzero(mask)
    ends = zip(places.amin(dim=0).tolist(), places.amax(dim=0).tolist(), strict=True)
    box = tuple(slice(low, high + 1) for low, high in ends)
    anomaly, deviation = (real - image).abs(), spread.clamp_min(max(misfit, floor))
    return {
        "image": image,
        "region": image[(slice(None), *box)],
        "mask": mask,
        "anomaly": anomaly,
        "deviation": deviation,
        "z_score": anomaly / deviation,
        "misfit": misfit,
    }


__all__ = ["InpaintedImage", "Inpainter", "compared"]
