"""Which of many patches agree with what is known of an image: a sample of what its hidden part may be."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch.nn import functional as F

from ..errors import InputError, ShapeError
from .contrast_matching import match_contrast

#: Pixels of a patch along each axis that are one pixel where patches are compared.
_COARSE = 2


@dataclass(frozen=True)
class AcceptedPatches:
    """The `K` patches that agree best with an image's known pixels, the best first.

    Attributes:
        images: `(K, 1, H, W)`, the patches, moved and with the image's contrast; the image where they do not reach.
        distances: `(K,)`, in [0, 2].
        numbers: `(K,)`, which patches they are; one may come several times, moved differently.
        shifts: `(K, 2)`, pixels by which each was moved down and to the right.
    """

    images: torch.Tensor
    distances: torch.Tensor
    numbers: torch.Tensor
    shifts: torch.Tensor


class PatchPosterior:
    r"""Approximate Bayesian computation with patches drawn from a prior, such as a generator's at random latents.

    A patch $G$, moved by $s$ pixels, is compared with an image $y$ where this is known (and the moved patch covers it)
    by the shares of the variance of intensities and of gradients that it leaves unexplained with the best gain and
    offset,

    $$d(G, s) = \left(1 - \rho_+^2(G_s, y)\right) + \left(1 - \rho_+^2(\nabla G_s, \nabla y)\right)$$

    with the correlation $\rho_+$, 0 where it is negative, about the mean for intensities, about 0 for gradients.
    Contrast does not count, so that a scanner's does not decide which anatomy fits; gradients tell where outlines lie.
    The `accepted` patches and shifts of lowest $d$ are a sample of the posterior: together they tell what may be
    hidden, and how surely. Hidden pixels are not looked at.

    Patches are compared at half their resolution, hence moved by even numbers of pixels.

    Args:
        patches: `(N, 1, H, W)` with even sides; thousands.
        accepted: how many are kept.
        reach: pixels by which a patch is moved at most along either axis, even.

    Raises:
        ShapeError: for patches of another shape.
        InputError: for an odd or negative reach, or more accepted than there are patches.

    Example:
        >>> patches = torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> hidden = torch.zeros(16, 16, dtype=torch.bool)
        >>> hidden[6:10, 6:10] = True
        >>> found = PatchPosterior(patches, accepted=1, reach=0)(0.2 + 0.5 * patches[3].masked_fill(hidden, 0), hidden)
        >>> found.numbers.tolist(), bool(torch.allclose(found.images[0], 0.2 + 0.5 * patches[3], atol=1e-4))
        ([3], True)

    Source:
        Beaumont, "Approximate Bayesian computation", Annual Review of Statistics and Its Application 2019,
        DOI 10.1146/annurev-statistics-030718-105212.
    """

    def __init__(self, patches: torch.Tensor, accepted: int = 64, reach: int = 4) -> None:
        if patches.ndim != 4 or patches.shape[1] != 1 or patches.shape[2] % _COARSE or patches.shape[3] % _COARSE:
            raise ShapeError(f"Expected patches (N, 1, H, W) with even sides, got {tuple(patches.shape)}.")
        if reach < 0 or reach % _COARSE or not 1 <= accepted <= len(patches):
            raise InputError(
                f"Expected an even reach of at least 0 and 1 to {len(patches)} accepted patches, got {reach} and "
                f"{accepted}."
            )
        self.patches = patches
        self.accepted = accepted
        steps = range(-reach // _COARSE, reach // _COARSE + 1)
        self.shifts = list(itertools.product(steps, steps))
        coarse = _halved(patches[:, 0])
        self.intensities = _Correlated(coarse, about_mean=True)
        self.gradients = _Correlated(_gradients(coarse), about_mean=False)

    def __call__(self, image: torch.Tensor, mask: torch.Tensor) -> AcceptedPatches:
        """Accept patches for an image `(1, H, W)` whose mask, bool `(H, W)`, is True where pixels are hidden.

        Raises:
            ShapeError: when image or mask are not of the patches' size.
            InputError: when the mask leaves no pixel known.
        """
        if image.shape != self.patches.shape[1:] or mask.shape != image.shape[1:]:
            raise ShapeError(
                f"Expected an image {tuple(self.patches.shape[1:])} and its mask, got {tuple(image.shape)} and "
                f"{tuple(mask.shape)}."
            )
        if bool(mask.all()):
            raise InputError("Expected a mask that leaves pixels known, got one that covers all.")
        distances = self._distances(image[0].masked_fill(mask, 0), mask)
        best = distances.flatten().topk(self.accepted, largest=False)
        numbers, ways = best.indices // len(self.shifts), best.indices % len(self.shifts)
        shifts = _COARSE * torch.tensor(self.shifts)[ways]
        pairs = zip(numbers.tolist(), shifts.tolist(), strict=True)
        images = torch.stack([self._matched(image, mask, number, shift) for number, shift in pairs])
        return AcceptedPatches(images, best.values, numbers, shifts)

    def _distances(self, image: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return the distances `(N, shifts)`."""
        coarse = _halved(image[None])[0]
        known = (_halved((~mask).to(image)[None])[0] == 1).to(image)
        slopes, told = _gradients(coarse), _both_known(known)
        within = _both_known(torch.ones_like(known))  # a patch's differences end one pixel before its edge
        columns = []
        for down, right in self.shifts:
            # Rather than all patches, the image is moved the other way; what leaves the patch is not known.
            back = (-down, -right)
            columns.append(
                self.intensities.unexplained(_moved(coarse, back), _moved(known, back))
                + self.gradients.unexplained(_moved(slopes, back), _moved(told, back) * within)
            )
        return torch.stack(columns, dim=1)

    def _matched(self, image: torch.Tensor, mask: torch.Tensor, number: int, shift: list[int]) -> torch.Tensor:
        """Return a moved patch with the image's contrast; beyond its edge, the image's known pixels and their mean."""
        hidden = image.masked_fill(mask, float(image[0][~mask].mean()))
        covered = _moved(torch.ones_like(image[0]), shift)
        matched = match_contrast(_moved(self.patches[number], shift)[None], hidden, covered * ~mask)[0]
        return torch.where(covered > 0, matched, hidden)


class _Correlated:
    """Many vectors, to be correlated with one at a time under weights.

    Args:
        vectors: `(N, *shape)`.
        about_mean: whether the mean is subtracted.
    """

    def __init__(self, vectors: torch.Tensor, about_mean: bool) -> None:
        self.vectors = vectors.flatten(1)
        self.squares = self.vectors.square()
        self.about_mean = about_mean

    def unexplained(self, target: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        """Return `(N,)`, 1 less the squared correlation with a target `(*shape)`, 1 where it is negative."""
        share = weights.flatten() / weights.sum().clamp_min(1)
        target = target.flatten()
        variance = self.squares @ share
        if self.about_mean:
            target = target - target @ share
            variance = variance - (self.vectors @ share).square()
        covariance = (self.vectors @ (share * target)).clamp_min(0)  # the target's mean is 0 where means count
        return 1 - covariance.square() / (variance * (target.square() @ share)).clamp_min(1e-12)


def _halved(images: torch.Tensor) -> torch.Tensor:
    """Return `(N, H, W)` at half the resolution."""
    return F.avg_pool2d(images[:, None], _COARSE)[:, 0]


def _gradients(images: torch.Tensor) -> torch.Tensor:
    """Return the differences to the next pixel down and to the right, `(..., 2, H, W)`, 0 at the end."""
    down, right = torch.zeros_like(images), torch.zeros_like(images)
    down[..., :-1, :] = images[..., 1:, :] - images[..., :-1, :]
    right[..., :, :-1] = images[..., :, 1:] - images[..., :, :-1]
    return torch.stack([down, right], dim=-3)


def _both_known(known: torch.Tensor) -> torch.Tensor:
    """Return where differences are between known pixels, `(2, H, W)`."""
    down, right = torch.zeros_like(known), torch.zeros_like(known)
    down[:-1] = known[1:] * known[:-1]
    right[:, :-1] = known[:, 1:] * known[:, :-1]
    return torch.stack([down, right])


def _moved(images: torch.Tensor, shift: tuple[int, int] | list[int]) -> torch.Tensor:
    """Return `(..., H, W)` moved down and to the right, 0 where nothing comes from."""
    moved = torch.zeros_like(images)
    to, came = zip(*(_overlap(by, side) for by, side in zip(shift, images.shape[-2:], strict=True)), strict=True)
    moved[..., to[0], to[1]] = images[..., came[0], came[1]]
    return moved


def _overlap(by: int, side: int) -> tuple[slice, slice]:
    return slice(max(0, by), side + min(0, by)), slice(max(0, -by), side + min(0, -by))


__all__ = ["AcceptedPatches", "PatchPosterior"]
