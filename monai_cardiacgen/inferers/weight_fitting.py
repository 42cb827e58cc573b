"""A generator fitted to one image's known pixels, so that what it cannot draw does not spoil what it inpaints."""

from __future__ import annotations

import copy

import torch
from torch import nn

from ..errors import InputError


def fit_to_image(
    generator: nn.Module,
    latent: torch.Tensor,
    image: torch.Tensor,
    mask: torch.Tensor,
    steps: int = 60,
    rate: float = 5e-4,
    latent_rate: float = 0.02,
) -> torch.Tensor:
    r"""Return what a copy of the generator makes of a latent once it has learned an image's known pixels.

    A latent search ends where no latent fits better: contrasts that were rare in the training are drawn as common
    ones. From there a few steps of Adam move a copy of the weights and the latent,

    $$\min_{\theta, z} \frac{1}{C |K|} \sum_{c,\, p \in K} |G_\theta(z)_{cp} - y_{cp}|$$

    Few small steps keep what the generator knows of the hidden pixels; many large ones lose it.

    Args:
        generator: maps latents `(1, Z)` to images `(1, C, *spatial)`; left as it is.
        latent: `(Z,)`, where the search ended.
        image: `(C, *spatial)`.
        mask: bool `(*spatial)`, True where pixels are hidden; they are not looked at.
        steps: of Adam.
        rate: of the weights.
        latent_rate: of the latent.

    Returns:
        `(C, *spatial)`, all pixels as generated.

    Raises:
        InputError: for less than one step, rates that are not positive, or a mask that leaves no pixel known.

    Example:
        >>> generator = nn.Sequential(nn.Linear(2, 6), nn.Unflatten(1, (1, 6)))
        >>> image, mask = torch.linspace(0, 1, 6)[None], torch.tensor([False, True, False, False, False, False])
        >>> made = fit_to_image(generator, torch.ones(2), image, mask, steps=400, rate=0.01)
        >>> bool((made - image)[:, ~mask].abs().max() < 0.05)
        True

    Source:
        Roich et al., "Pivotal tuning for latent-based editing of real images", ACM Transactions on Graphics 2022,
        DOI 10.1145/3544777.
    """
    if steps < 1 or min(rate, latent_rate) <= 0 or bool(mask.all()):
        raise InputError(
            f"Expected at least one step, positive rates and a known pixel, got {steps} steps, the rates {rate} and "
            f"{latent_rate}, and {int((~mask).sum())} known pixels."
        )
    known = (~mask).to(image)
    with torch.inference_mode(False), torch.enable_grad():
        fitted = copy.deepcopy(generator).eval().requires_grad_(True)
        point = latent.detach().clone()[None].requires_grad_()
        optimizer = torch.optim.Adam(
            [{"params": fitted.parameters(), "lr": rate}, {"params": [point], "lr": latent_rate}]
        )
        for _ in range(steps):
            loss = ((fitted(point)[0] - image).abs() * known).sum() / (known.sum() * len(image))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        made: torch.Tensor = fitted(point)[0]
    return made
