"""How near drawn patches are to those of patients whom the generator has not seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from ...metrics import RandomFeatures, kernel_distance_with_error, spectral_ratio
from ...seeding import seeded
from .vessel_networks import VesselGAN


def patch_realism(gan: VesselGAN, patches: Sequence[Mapping[str, Any]], seed: int = 0) -> dict[str, float]:
    """Return KID in a space of random features with its standard error, and how the spectra compare.

    As many patches are drawn as there are real ones.

    Args:
        gan: that draws.
        patches: with `image` `(1, H, W)` in [0, 1] and `patient`, of at least three patients, larger than drawn ones
            or of their size; their middle is taken.
        seed: of the latents.

    Returns:
        `kid`, `kid_standard_error`, `coarse_power` and `fine_power` (see `spectral_ratio`: above 1 is structured noise,
        below 1 blur), `patches` and `patients`.

    Raises:
        InputError: for fewer than three patients.
    """
    size = gan.critic.patch_size
    real = torch.stack([_middle(torch.as_tensor(one["image"]), size) for one in patches])
    drawn = gan.sample(len(real), seeded(seed))
    names = sorted({str(one["patient"]) for one in patches})
    groups = torch.tensor([names.index(str(one["patient"])) for one in patches])
    features = RandomFeatures().eval()
    with torch.no_grad():
        kid = kernel_distance_with_error(features(drawn), features(real), "random features", real_groups=groups)
    coarse, fine = spectral_ratio(drawn, real, float(gan.about["spacing"]))
    return {
        "kid": kid.value,
        "kid_standard_error": kid.standard_error,
        "coarse_power": coarse,
        "fine_power": fine,
        "patches": len(real),
        "patients": len(names),
    }


def _middle(image: torch.Tensor, size: int) -> torch.Tensor:
    first = (image.shape[-1] - size) // 2
    return image[:, first : first + size, first : first + size].to(torch.float32)


__all__ = ["patch_realism"]
