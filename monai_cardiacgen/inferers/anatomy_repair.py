"""The nearest valid heart to a label map that breaks anatomical criteria."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from ..anatomy.check import AnatomyCheck
from ..anatomy.morphology import connected_components
from ..anatomy.placement import centre_heart, heart_centre, shift
from ..checks import check_spacing
from ..errors import InputError, ShapeError
from .latent_sampler import LatentSampler
from .resample import Placement, one_hot_to_model, place
from .valid_blend import shortest_valid_way

#: How many changed patches are put back one by one; further ones stay changed.
_PATCHES = 32


@dataclass(frozen=True)
class RepairedLabels:
    """Label maps after repair, row by row.

    Attributes:
        label: `(B, H, W)`, int64, codes.
        valid_before: `(B,)`, bool; such maps come back as they were.
        valid: `(B,)`, bool; a map for which no valid heart was found comes back as it was.
        changed: `(B,)`, float32, pixels that changed, as a share of those labelled before or after.
    """

    label: torch.Tensor
    valid_before: torch.Tensor
    valid: torch.Tensor
    changed: torch.Tensor


class AnatomyRepair:
    r"""Turns invalid label maps into the nearest valid ones through the latent space of hearts.

    An invalid map is encoded, and its latent decoded: a heart like it, of the shapes that the autoencoder knows.
    Where that heart is not valid itself, the latent is moved towards those of the nearest training hearts, a
    quarter of the way at a time (Painchaud et al.). Decoding loses detail, so it is the *direction* of the repair,
    not its result: with the signed distances $\phi_c$ to the border of class $c$, the map

    $$\mathrm{argmax}_c\ (1 - \lambda)\, \phi_c^{map} + \lambda\, \phi_c^{decoded}$$

    goes from the given map to the decoded heart, and the smallest $\lambda$ that is valid is taken. Last, every
    patch of changed pixels that need not change is put back.

    A valid map comes back untouched, and so does one for which nothing valid is found; so no map is worse after it
    than before. All of it is deterministic.

    Args:
        sampler: holds the autoencoder and the training hearts; its grid need not be that of the maps.
        check: the verdict; that of the sampler's scheme in short axis by default.
        neighbours: how many training hearts are tried as directions.

    Raises:
        InputError: for fewer than one neighbour, or an autoencoder of volumes or with a condition.

    Source:
        Painchaud et al., IEEE TMI 2020, DOI 10.1109/TMI.2020.3003240, for the way through the latent space.
    """

    def __init__(self, sampler: LatentSampler, check: AnatomyCheck | None = None, neighbours: int = 6) -> None:
        if neighbours < 1 or sampler.vae.spatial_dims != 2 or sampler.vae.condition_size:
            raise InputError(
                f"Expected at least 1 neighbour and an autoencoder of slices without a condition, got {neighbours}, "
                f"{sampler.vae.spatial_dims} spatial dimensions and condition_size {sampler.vae.condition_size}."
            )
        self.sampler = sampler
        self.scheme = sampler.scheme
        self.check = check or sampler.check or AnatomyCheck(sampler.scheme)
        self.neighbours = neighbours

    @torch.no_grad()
    def __call__(self, label: torch.Tensor, spacing: Sequence[float]) -> RepairedLabels:
        """Repair a batch of label maps.

        Args:
            label: the scheme's codes `(B, H, W)`.
            spacing: mm between pixels along H and W.

        Raises:
            ShapeError: when `label` is not `(B, H, W)`.
            LabelError: for unknown codes.
            SpacingError: unless the spacing has two positive values.
        """
        if label.ndim != 3:
            raise ShapeError(f"Expected label maps (B, H, W), got {tuple(label.shape)}; pass stacks slice by slice.")
        height, width = check_spacing(spacing, 2)
        before = label.as_subclass(torch.Tensor).to(torch.int64)
        valid_before = self.check(before, (height, width)).valid
        after, valid = before.clone(), valid_before.clone()
        for row in torch.nonzero(~valid_before).flatten().tolist():
            repaired = self._repaired(before[row], (height, width))
            if repaired is not None:
                after[row], valid[row] = repaired, True
        labelled = ((before != 0) | (after != 0)).flatten(1).sum(dim=1).clamp_min(1)
        changed = (before != after).flatten(1).sum(dim=1) / labelled
        return RepairedLabels(after, valid_before, valid, changed)

    def _repaired(self, label: torch.Tensor, spacing: tuple[float, float]) -> torch.Tensor | None:
        """Return the repaired map `(H, W)`, or None where nothing valid was found."""
        start = self.scheme.to_channels(label)
        for decoded in self._hearts_like(label, spacing):
            blended = shortest_valid_way(start, decoded, spacing, self.check)
            if blended is not None:
                return self._with_patches_put_back(label, blended, spacing)
        return None

    def _hearts_like(self, label: torch.Tensor, spacing: tuple[float, float]) -> Iterator[torch.Tensor]:
        """Give channel maps `(H, W)` of decoded hearts, the likest first."""
        sampler, size = self.sampler, self.sampler.vae.spatial_size
        middle = (torch.tensor([label.shape], dtype=torch.float64) - 1) / 2
        about = middle + heart_centre(label[None]).cpu()
        placement = place(label.shape, torch.tensor([spacing], dtype=torch.float64), size, sampler.spacing, about)
        channels = one_hot_to_model(placement, self.scheme.one_hot(label[None]))
        if not bool(channels.any()):
            return  # smaller than a pixel of the model
        centred, offset = centre_heart(self.scheme.to_codes(channels))
        latent = sampler.vae.encode(self.scheme.one_hot(centred).to(sampler.latents.device))[0]
        yield self._decoded(latent, offset, placement)
        distance = ((sampler.latents - latent) / sampler.latents.std(dim=0).clamp_min(1e-6)).norm(dim=1)
        nearest = distance.topk(min(self.neighbours, len(distance)), largest=False).indices
        for share in (0.25, 0.5, 0.75, 1.0):
            for neighbour in nearest:
                yield self._decoded(torch.lerp(latent, sampler.latents[neighbour], share), offset, placement)

    def _decoded(self, latent: torch.Tensor, offset: torch.Tensor, placement: Placement) -> torch.Tensor:
        weights = self.sampler.vae.decode(latent).softmax(dim=1).cpu()
        centred = torch.stack([shift(one, offset[0].tolist()) for one in weights[0]])[None]
        # Smooth weights are interpolated before the decision: the outline is finer than the model's pixels.
        return placement.to_sample(centred, extend=False).argmax(dim=1)[0]

    def _with_patches_put_back(
        self, before: torch.Tensor, after: torch.Tensor, spacing: tuple[float, float]
    ) -> torch.Tensor:
        """Return `after` with every patch of changed pixels undone that leaves the map valid, the largest first."""
        numbers = connected_components((before != after)[None], connectivity=8)[0]
        values, sizes = numbers[numbers > 0].unique(return_counts=True)
        order = sizes.argsort(descending=True, stable=True)[:_PATCHES]
        patches = [numbers == value for value in values[order]]
        if not patches:
            return after
        alone = torch.stack([torch.where(patch, before, after) for patch in patches])
        able = self.check(alone, spacing).valid.tolist()
        for patch, is_able in zip(patches, able, strict=True):
            undone = torch.where(patch, before, after)
            if is_able and bool(self.check(undone[None], spacing).valid):
                after = undone
        return after
