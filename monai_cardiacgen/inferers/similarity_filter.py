"""Generated images that are too near to a training image do not leave the house."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from monai.metrics.regression import compute_ssim_and_cs

from ..checks import check_finite
from ..errors import InputError, ShapeError

Features = Callable[[torch.Tensor], torch.Tensor]

_WINDOW, _SIGMA = 11, 1.5  # of the structural similarity, as in its paper
_CANDIDATES = 8
_CHUNK = 256


@dataclass(frozen=True)
class Nearest:
    """For each image the one of a set that is most like it, by either measure.

    Attributes:
        correlation: `(B,)`, of the features, with the image `by_correlation` of the set.
        ssim: `(B,)`, structural similarity with the image `by_ssim` of the set.
        by_correlation: `(B,)` int64.
        by_ssim: `(B,)` int64.
    """

    correlation: torch.Tensor
    ssim: torch.Tensor
    by_correlation: torch.Tensor
    by_ssim: torch.Tensor


class SimilarityFilter:
    """Refuses images that are nearer to a training image than to any real image that was held out.

    Two measures are taken: the correlation of features, standardised over the training images, and the structural
    similarity of pixels (with the images of highest correlation only). By each, an image's *excess* is what it has in
    common with the nearest training image beyond what it has in common with the nearest held-out image. A real image
    of another patient has an excess, too, by chance; the largest that is let through is a high percentile of those of
    the held-out images, each compared with the others. An image with more by either measure is refused.

    Similarity to training images alone would not do: the features of an image without texture may be more like those
    of *every* real image than real images' are like each other. It would be refused though nothing in it is one
    patient's.

    Args:
        training: images `(N, C, *spatial)` in [0, 1] that the generator has learned from.
        held_out: real images of patients that are not among the training images', of the same size; about as many as
            training images, or more.
        features: images to `(B, F)`.
        refused: share of new real images that is refused at most, half of it by each measure, in (0, 1).
        patients: whose each held-out image is, where a patient has several, such as slices: images of one patient are
            not compared with each other.

    Attributes:
        largest_correlation: excess that is let through.
        largest_ssim: excess that is let through.

    Raises:
        InputError: for a share outside (0, 1), fewer than two training images, too few held-out ones to tell it, or
            patients that are not one for each of these, or all the same.
        ShapeError: for held-out images of another size.
        IntensityError: for NaN or infinity.

    Source:
        Structural similarity: Wang et al., IEEE TIP 2004, DOI 10.1109/TIP.2003.819861.
    """

    def __init__(
        self,
        training: torch.Tensor,
        held_out: torch.Tensor,
        features: Features,
        refused: float = 0.05,
        patients: Sequence[str] | None = None,
    ) -> None:
        if not 0 < refused < 1:
            raise InputError(f"Expected refused in (0, 1), got {refused}.")
        if training.ndim not in (4, 5) or len(training) < 2:
            raise InputError(f"Expected at least two training images (N, C, *spatial), got {tuple(training.shape)}.")
        if len(held_out) < 2 / refused:
            raise InputError(
                f"Expected at least {2 / refused:.0f} held-out images to tell a share of {refused / 2:g}, got "
                f"{len(held_out)}; hold out more, or let a larger share be refused."
            )
        if patients is not None and (len(patients) != len(held_out) or len(set(patients)) < 2):
            raise InputError(
                f"Expected one patient for each of {len(held_out)} held-out images, at least two in all, got "
                f"{len(patients)} of {len(set(patients))}."
            )
        self.size = training.shape[1:]
        self.features = features
        self._check(training, "the training images")
        self._check(held_out, "the held-out images")
        known = self._features(training)
        self._mean, self._deviation = known.mean(dim=0), known.std(dim=0).clamp_min(1e-12)
        self._training = _Gallery(training, self._directions(known))
        self._held_out = _Gallery(held_out, self._directions(self._features(held_out)))
        directions = self._held_out.directions
        others = _others(patients if patients is not None else [str(number) for number in range(len(held_out))])
        near, other = self._training.nearest(held_out, directions), self._held_out.nearest(held_out, directions, others)
        # The value itself is let through: at most half of the share lies above it.
        self.largest_correlation, self.largest_ssim = (
            float(excess.quantile(1 - refused / 2, interpolation="higher"))
            for excess in (near.correlation - other.correlation, near.ssim - other.ssim)
        )

    @torch.no_grad()
    def nearest(self, images: torch.Tensor) -> Nearest:
        """Return how near images `(B, C, *spatial)` in [0, 1] come to the training images.

        Raises:
            ShapeError: unless they have the training images' size.
            IntensityError: for NaN or infinity.
        """
        self._check(images, "the images")
        return self._training.nearest(images, self._directions(self._features(images)))

    @torch.no_grad()
    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return which images `(B, C, *spatial)` may leave, `(B,)` bool; it raises what `nearest` does."""
        self._check(images, "the images")
        directions = self._directions(self._features(images))
        near, other = (gallery.nearest(images, directions) for gallery in (self._training, self._held_out))
        return (near.correlation - other.correlation <= self.largest_correlation) & (
            near.ssim - other.ssim <= self.largest_ssim
        )

    def _check(self, images: torch.Tensor, name: str) -> None:
        if images.shape[1:] != self.size:
            raise ShapeError(
                f"Expected {name} (B, {', '.join(map(str, self.size))}) like the training images, got "
                f"{tuple(images.shape)}."
            )
        check_finite(images, name)

    def _features(self, images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([self.features(some).flatten(1).to(torch.float64) for some in images.split(_CHUNK)])

    def _directions(self, features: torch.Tensor) -> torch.Tensor:
        """Return standardised features, centred and of length 1: their products are correlations."""
        standard = (features - self._mean) / self._deviation
        standard = standard - standard.mean(dim=1, keepdim=True)
        directions: torch.Tensor = standard / standard.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return directions


class _Gallery:
    """Images among which the nearest is sought, with the directions of their features `(N, F)`."""

    def __init__(self, images: torch.Tensor, directions: torch.Tensor) -> None:
        self.images = images
        self.directions = directions

    def nearest(self, images: torch.Tensor, directions: torch.Tensor, allowed: torch.Tensor | None = None) -> Nearest:
        """Return the nearest of the gallery, among those that are `allowed` `(B, N)` for each image."""
        correlation = directions @ self.directions.T
        fewest = len(self.images)
        if allowed is not None:
            correlation = correlation.masked_fill(~allowed, -torch.inf)
            fewest = int(allowed.sum(dim=1).min())
        best, candidates = correlation.topk(min(_CANDIDATES, fewest), dim=1)
        ssim = torch.stack(
            [structural_similarity(image, self.images[some]) for image, some in zip(images, candidates, strict=True)]
        )
        largest, place = ssim.max(dim=1)
        return Nearest(best[:, 0], largest, candidates[:, 0], candidates.gather(1, place[:, None])[:, 0])


def _others(patients: Sequence[str]) -> torch.Tensor:
    """Return for each image which ones are of other patients, `(N, N)`."""
    numbers = {patient: number for number, patient in enumerate(dict.fromkeys(patients))}
    whose = torch.tensor([numbers[patient] for patient in patients])
    return whose[:, None] != whose[None, :]


def structural_similarity(image: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
    """Return the structural similarity of an image `(C, *spatial)` in [0, 1] with others `(K, C, *spatial)`, `(K,)`."""
    dims = image.ndim - 1
    ssim, _ = compute_ssim_and_cs(
        image.expand_as(others).contiguous(),
        others,
        spatial_dims=dims,
        kernel_size=[min(_WINDOW, *image.shape[1:])] * dims,
        kernel_sigma=[_SIGMA] * dims,
    )
    means: torch.Tensor = ssim.flatten(1).mean(dim=1)
    return means.to(torch.float64)


__all__ = ["Nearest", "SimilarityFilter", "structural_similarity"]
