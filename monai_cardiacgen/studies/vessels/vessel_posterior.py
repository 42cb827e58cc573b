"""A masked vessel made anew from all the patches that agree with what is round the mask."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ...inferers.patch_posterior import AcceptedPatches, PatchPosterior
from .masked_vessels import MaskedVessel
from .vessel_rings import strongest_rings


@dataclass(frozen=True)
class VesselPosterior:
    """What a posterior's patches show in a mask.

    Attributes:
        image: `(1, H, W)`, known pixels as given, masked ones from the mean of the clear patches, laid on one another.
        accepted: the patches.
        centres: `(K, 2)`, of each one's strongest ring, in pixels.
        radii: `(K,)`, mm.
        clear: bool `(K,)`, the half of the patches whose ring stands out most.
    """

    image: torch.Tensor
    accepted: AcceptedPatches
    centres: torch.Tensor
    radii: torch.Tensor
    clear: torch.Tensor


def vessel_posterior(posterior: PatchPosterior, case: MaskedVessel) -> VesselPosterior:
    r"""Inpaint a vessel by the mean of the accepted patches, each moved so that its vessel lies where their mean does.

    The mean over the posterior has the least expected squared error, but the mean of patches whose vessels lie in
    different places is a blur. So each patch $k$ is first moved by $\bar c - c_k$, from its own vessel's centre to the
    mean one's:

    $$\hat y = \frac{1}{K} \sum_k G_k(\cdot + c_k - \bar c)$$

    Place, radius and brightness of the vessel are then those of the posterior's mean, and its outline is whole. Of the
    accepted patches the half counts whose vessel stands out most; one in five of a small generator's is torn.

    Args:
        posterior: of patches like the case's.
        case: its hidden pixels, centre and radius are not looked at.
    """
    accepted = posterior(case.image, case.mask)
    pasted = torch.where(case.mask, accepted.images, case.image)
    centres, radii, strengths = strongest_rings(pasted[:, 0], case.middle, case.spacing)
    clear = torch.zeros(len(strengths), dtype=torch.bool)
    clear[strengths.topk((len(strengths) + 1) // 2).indices] = True
    mean = centres[clear].mean(dim=0)
    made = moved_by(accepted.images[clear], mean - centres[clear]).mean(dim=0)
    return VesselPosterior(torch.where(case.mask, made, case.image), accepted, centres, radii, clear)


def moved_by(images: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Return images `(N, C, H, W)` moved by `(N, 2)` pixels down and to the right, linearly interpolated."""
    sides = torch.tensor(images.shape[-2:])
    still = torch.eye(2, 3).repeat(len(images), 1, 1)
    still[:, :, 2] = -(2 * shifts / sides).flip(1)  # affine_grid wants x before y, in half sides
    grid = F.affine_grid(still, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


__all__ = ["VesselPosterior", "moved_by", "vessel_posterior"]
