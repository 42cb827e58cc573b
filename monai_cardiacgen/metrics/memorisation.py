"""Are synthetic images copies of training images? Held-out patients say what likeness chance gives."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace

import torch

from ..errors import InputError
from .copy_search import Match, find_nearest

#: A correlation that is nearer to 1 than this counts as equal: interpolation and rounding leave no less.
_EQUAL = 1e-4


@dataclass(frozen=True)
class Memorisation:
    """How near M synthetic images come to training images, and which of them are copies.

    Attributes:
        nearness: `(M,)`, how many times nearer each is to its nearest training image than to its nearest held-out one.
        chance: `(K,)`, the same of the held-out images, each compared with those of other patients; less those of
            patients who have a training image, too.
        limit: nearness above which an image counts as a copy.
        training: the nearest training image of each.
        held_out: the nearest held-out image of each.
    """

    nearness: torch.Tensor
    chance: torch.Tensor
    limit: float
    training: Match
    held_out: Match

    @property
    def copies(self) -> torch.Tensor:
        """Which synthetic images are copies, `(M,)` bool."""
        return self.nearness > self.limit


def find_memorised(
    synthetic: torch.Tensor,
    training: torch.Tensor,
    held_out: torch.Tensor,
    held_out_patients: torch.Tensor,
    least: float = 2.0,
) -> Memorisation:
    r"""Compare synthetic images with training images and with those of patients whom the generator never saw.

    With $r$ the largest correlation over flips and shifts (`find_nearest`), a synthetic image's nearness is

    $$q = \frac{1 - r_\mathrm{held\ out}}{1 - r_\mathrm{training}}$$

    the ratio of two squared distances of standardised images. A blurred image is like every heart, and its q is near
    1; a copy has a training image much nearer than any stranger's. An image is a copy when its q is above `least` and
    above that of every held-out image, each compared with the training images and with the held-out ones of other
    patients. Flips, shifts, brightness and contrast do not hide a copy; turning it by 5 degrees may, and so may
    bending it.

    Args:
        synthetic: `(M, 1, *spatial)` in [0, 1].
        training: real images `(N, 1, *spatial)` that the generator has learned from.
        held_out: real images `(K, 1, *spatial)` of other patients, best as many as training images.
        held_out_patients: `(K,)` int64, the patient of each held-out image; at least two. Patients of whom an image is
            a training image, too, are no measure of chance: they are left out with a warning.
        least: smallest limit, above 1.

    Raises:
        InputError: for fewer than two held-out patients, or `least` not above 1.
        ShapeError: for images of different sizes, or too small ones.
        IntensityError: for NaN or infinity.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> training, held_out, new = (torch.rand(4, 1, 32, 32, generator=generator) for _ in range(3))
        >>> found = find_memorised(torch.cat([new, 0.8 * training[2:3].flip(-1)]), training, held_out, torch.arange(4))
        >>> found.copies.tolist(), int(found.training.index[4])
        ([False, False, False, False, True], 2)

    Source:
        On held-out images as the measure of chance: Meehan, Chaudhuri and Dasgupta, "A non-parametric test to detect
        data-copying in generative models", AISTATS 2020, arXiv:2004.05675.
    """
    if held_out_patients.shape != (len(held_out),) or len(held_out_patients.unique()) < 2:
        raise InputError(
            f"Expected held-out images of at least two patients and the patient of each, got {len(held_out)} images "
            f"and patients {tuple(held_out_patients.shape)}; hold out more patients."
        )
    if not least > 1:
        raise InputError(f"Expected a smallest limit above 1, got {least!r}.")
    near, known = find_nearest(synthetic, training), find_nearest(held_out, training)
    strangers = _strangers(known.correlation, held_out_patients)
    others, patients = held_out[strangers], held_out_patients[strangers]
    other = find_nearest(synthetic, others)
    chance = _nearness(known.correlation[strangers], find_nearest(others, others, patients, patients).correlation)
    other = replace(other, index=strangers.nonzero()[:, 0].to(other.index.device)[other.index])
    nearness = _nearness(near.correlation, other.correlation)
    return Memorisation(nearness, chance, max(least, float(chance.max())), near, other)


def _strangers(correlation: torch.Tensor, patients: torch.Tensor) -> torch.Tensor:
    """Return which held-out images are of patients none of whose images is a training image, `(K,)` bool.

    Raises:
        InputError: when fewer than two patients are left.
    """
    shared = patients[(correlation > 1 - _EQUAL).to(patients.device)].unique()
    strangers = ~torch.isin(patients, shared)
    if len(shared) and len(patients[strangers].unique()) < 2:
        raise InputError(
            f"Expected at least two held-out patients who are not in training, but {len(shared)} of "
            f"{len(patients.unique())} have the very images of training patients; split the scans anew."
        )
    if len(shared):
        warnings.warn(
            f"{len(shared)} held-out patients have the very images of training patients and are left out: one scan "
            f"under two names is no stranger.",
            stacklevel=3,
        )
    return strangers


def _nearness(training: torch.Tensor, held_out: torch.Tensor) -> torch.Tensor:
    """Return the ratio of two distances, of the correlations with the nearest training and held-out images."""
    return (1 - held_out).clamp_min(_EQUAL) / (1 - training).clamp_min(_EQUAL)


__all__ = ["Memorisation", "find_memorised"]
