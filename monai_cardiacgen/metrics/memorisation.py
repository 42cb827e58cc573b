"""Are synthetic images copies of training images? Held-out patients say what likeness chance gives."""

from __future__ import annotations

from dataclasses import dataclass

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
        chance: `(K,)`, the same of the held-out images, each compared with those of other patients.
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
        held_out_patients: `(K,)` int64, the patient of each held-out image; at least two.
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
    near, other = find_nearest(synthetic, training), find_nearest(synthetic, held_out)
    chance = _nearness(
        find_nearest(held_out, training), find_nearest(held_out, held_out, held_out_patients, held_out_patients)
    )
    return Memorisation(_nearness(near, other), chance, max(least, float(chance.max())), near, other)


def _nearness(training: Match, held_out: Match) -> torch.Tensor:
    distances = [(1 - match.correlation).clamp_min(_EQUAL) for match in (held_out, training)]
    return distances[0] / distances[1]


__all__ = ["Memorisation", "find_memorised"]
