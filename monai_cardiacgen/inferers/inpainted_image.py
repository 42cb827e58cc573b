"""An inpainted image, and what of the real one differs from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .latent_descent import Descent


@dataclass(frozen=True)
class InpaintedImage:
    """An image whose masked pixels were made anew, from `S` starts; `best` is the start with the lowest loss.

    Attributes:
        image: `(C, *spatial)`, known pixels as given, masked ones from the best start: the "healthy version".
        region: `(C, *box)`, `image` within the smallest box round the mask.
        mask: bool `(*spatial)`, True where pixels were made.
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
        anomaly: `(C, *spatial)`, absolute difference of the given image from `image`; 0 where pixels are known.
        deviation: `(C, *spatial)`, the greatest of `spread`, `misfit` and the `floor`.
        z_score: `(C, *spatial)`, `anomaly` over `deviation`.
        misfit: root mean square difference of the best start's generated image on the known pixels.
    """

    image: torch.Tensor
    region: torch.Tensor
    mask: torch.Tensor
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
    anomaly: torch.Tensor
    deviation: torch.Tensor
    z_score: torch.Tensor
    misfit: float

    @classmethod
    def from_starts(
        cls,
        real: torch.Tensor,
        mask: torch.Tensor,
        images: torch.Tensor,
        generated: torch.Tensor,
        descent: Descent,
        floor: float,
    ) -> InpaintedImage:
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
        anomaly = (real - images[best]).abs()
        misfit = float((generated[best] - real)[:, ~mask].square().mean().sqrt())
        places = torch.nonzero(mask)
        ends = zip(places.amin(dim=0).tolist(), places.amax(dim=0).tolist(), strict=True)
        box = tuple(slice(low, high + 1) for low, high in ends)
        deviation = spread.clamp_min(max(misfit, floor))
        return cls(
            image=images[best],
            region=images[best][(slice(None), *box)],
            mask=mask,
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
            anomaly=anomaly,
            deviation=deviation,
            z_score=anomaly / deviation,
            misfit=misfit,
        )

    def z_score_of(self, image: torch.Tensor) -> torch.Tensor:
        """Return the z-score `(C, *spatial)` of an image that has the same known pixels.

        The search does not look at masked pixels: one healthy version serves all images that differ in the mask alone.
        """
        return (image.to(self.image) - self.image).abs() / self.deviation
